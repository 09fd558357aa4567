CREATE TABLE emotion_accuracy (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    readings BIGINT,
    mapped BIGINT,
    coverage DOUBLE,
    hits BIGINT,
    accuracy DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE,
    strict DOUBLE,
    strict_low DOUBLE,
    strict_high DOUBLE,
    kappa DOUBLE,
    kappa_low DOUBLE,
    kappa_high DOUBLE
);
COMMENT ON TABLE emotion_accuracy IS 'One row a model, reader and scope: how often the user''s emotion is read as the scenario''s author named it.';
COMMENT ON COLUMN emotion_accuracy.stage IS 'The stage that measured it.';
COMMENT ON COLUMN emotion_accuracy.model IS 'Name of the model.';
COMMENT ON COLUMN emotion_accuracy.kind IS 'perceived or user.';
COMMENT ON COLUMN emotion_accuracy.scope IS 'first: the first user utterance; every: all of them; any: one of a dialogue.';
COMMENT ON COLUMN emotion_accuracy.readings IS 'Readings in the scope (dialogues, for any).';
COMMENT ON COLUMN emotion_accuracy.mapped IS 'Readings that map to a label.';
COMMENT ON COLUMN emotion_accuracy.coverage IS 'mapped / readings.';
COMMENT ON COLUMN emotion_accuracy.hits IS 'Mapped readings that equal the label.';
COMMENT ON COLUMN emotion_accuracy.accuracy IS 'hits / mapped, with low and high.';
COMMENT ON COLUMN emotion_accuracy.n IS 'Observations.';
COMMENT ON COLUMN emotion_accuracy.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN emotion_accuracy.high IS 'Upper limit.';
COMMENT ON COLUMN emotion_accuracy.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN emotion_accuracy.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN emotion_accuracy.strict IS 'hits / readings: what is unmapped counts as wrong.';
COMMENT ON COLUMN emotion_accuracy.strict_low IS 'Lower limit of strict.';
COMMENT ON COLUMN emotion_accuracy.strict_high IS 'Upper limit of strict.';
COMMENT ON COLUMN emotion_accuracy.kappa IS 'Cohen''s kappa of label and mapped reading; NULL for any.';
COMMENT ON COLUMN emotion_accuracy.kappa_low IS 'Lower bootstrap limit of kappa.';
COMMENT ON COLUMN emotion_accuracy.kappa_high IS 'Upper bootstrap limit of kappa.';
