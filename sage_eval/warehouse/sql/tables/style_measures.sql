CREATE TABLE style_measures (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    value DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE,
    method VARCHAR
);
COMMENT ON TABLE style_measures IS 'One row a model and measure: length, questions, variety, repetition.';
COMMENT ON COLUMN style_measures.stage IS 'The stage that measured it.';
COMMENT ON COLUMN style_measures.model IS 'Name of the model.';
COMMENT ON COLUMN style_measures.measure IS 'Name of the measure.';
COMMENT ON COLUMN style_measures.unit IS 'What the value counts.';
COMMENT ON COLUMN style_measures.value IS 'The mean, share or statistic; NULL when it is not defined.';
COMMENT ON COLUMN style_measures.n IS 'Observations.';
COMMENT ON COLUMN style_measures.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN style_measures.high IS 'Upper limit.';
COMMENT ON COLUMN style_measures.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN style_measures.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN style_measures.method IS 'How the interval was made.';
