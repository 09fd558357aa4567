CREATE TABLE state_counts (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    slot VARCHAR NOT NULL,
    value VARCHAR,
    count BIGINT NOT NULL,
    share DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE
);
COMMENT ON TABLE state_counts IS 'One row a model, kind of state, slot and value: how often it is stated (the paper''s Figure 3).';
COMMENT ON COLUMN state_counts.stage IS 'The stage that measured it.';
COMMENT ON COLUMN state_counts.model IS 'Name of the model.';
COMMENT ON COLUMN state_counts.kind IS 'action, perceived (the user as the assistant reads it) or user (the user''s own state).';
COMMENT ON COLUMN state_counts.slot IS 'motivation or emotion.';
COMMENT ON COLUMN state_counts.value IS 'The stated value; NULL when stated as none.';
COMMENT ON COLUMN state_counts.count IS 'Utterances that state it.';
COMMENT ON COLUMN state_counts.share IS 'count / n.';
COMMENT ON COLUMN state_counts.n IS 'Utterances that have a state of the kind.';
COMMENT ON COLUMN state_counts.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN state_counts.high IS 'Upper limit.';
COMMENT ON COLUMN state_counts.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN state_counts.level IS 'Coverage of the intervals.';
