CREATE TABLE steering_success (
    stage VARCHAR NOT NULL,
    steered VARCHAR NOT NULL,
    boost DOUBLE NOT NULL,
    replies BIGINT NOT NULL,
    unreadable BIGINT,
    hits BIGINT,
    share DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE,
    gain DOUBLE,
    gain_low DOUBLE,
    gain_high DOUBLE,
    p DOUBLE,
    p_holm DOUBLE,
    family_size BIGINT,
    well_formed DOUBLE,
    words DOUBLE,
    seed BIGINT
);
COMMENT ON TABLE steering_success IS 'One row a steering stage and amount of boost: replies that show a boosted word.';
COMMENT ON COLUMN steering_success.stage IS 'The stage that measured it.';
COMMENT ON COLUMN steering_success.steered IS 'The steering stage.';
COMMENT ON COLUMN steering_success.boost IS 'Amount of boost; 0 is unsteered.';
COMMENT ON COLUMN steering_success.replies IS 'Replies that can be read.';
COMMENT ON COLUMN steering_success.unreadable IS 'Replies that cannot.';
COMMENT ON COLUMN steering_success.hits IS 'Replies that show a boosted word in its slot.';
COMMENT ON COLUMN steering_success.share IS 'hits / replies.';
COMMENT ON COLUMN steering_success.n IS 'Observations.';
COMMENT ON COLUMN steering_success.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN steering_success.high IS 'Upper limit.';
COMMENT ON COLUMN steering_success.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN steering_success.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN steering_success.gain IS 'Share over that of the unsteered twins, scenario by scenario.';
COMMENT ON COLUMN steering_success.gain_low IS 'Lower limit of gain.';
COMMENT ON COLUMN steering_success.gain_high IS 'Upper limit of gain.';
COMMENT ON COLUMN steering_success.p IS 'Two-sided p of the sign-flip test on twins.';
COMMENT ON COLUMN steering_success.p_holm IS 'p adjusted by Holm over the amounts.';
COMMENT ON COLUMN steering_success.family_size IS 'Amounts above 0.';
COMMENT ON COLUMN steering_success.well_formed IS 'Share of replies whose tags are well-formed.';
COMMENT ON COLUMN steering_success.words IS 'Mean words of a reply.';
COMMENT ON COLUMN steering_success.seed IS 'Seed of what was drawn.';
