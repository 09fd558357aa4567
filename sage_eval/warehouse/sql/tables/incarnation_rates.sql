CREATE TABLE incarnation_rates (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    count BIGINT NOT NULL,
    share DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE
);
COMMENT ON TABLE incarnation_rates IS 'One row a model, unit and kind of claim: share of replies or dialogues that claim to be human.';
COMMENT ON COLUMN incarnation_rates.stage IS 'The stage that measured it.';
COMMENT ON COLUMN incarnation_rates.model IS 'Name of the model.';
COMMENT ON COLUMN incarnation_rates.unit IS 'replies or dialogues.';
COMMENT ON COLUMN incarnation_rates.kind IS 'any, or a kind of claim.';
COMMENT ON COLUMN incarnation_rates.count IS 'Units with a claim of the kind.';
COMMENT ON COLUMN incarnation_rates.share IS 'count / n.';
COMMENT ON COLUMN incarnation_rates.n IS 'Observations.';
COMMENT ON COLUMN incarnation_rates.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN incarnation_rates.high IS 'Upper limit.';
COMMENT ON COLUMN incarnation_rates.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN incarnation_rates.level IS 'Coverage of the intervals.';
