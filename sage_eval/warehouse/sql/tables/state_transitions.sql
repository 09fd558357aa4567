CREATE TABLE state_transitions (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    from_slot VARCHAR NOT NULL,
    to_slot VARCHAR NOT NULL,
    from_value VARCHAR,
    to_value VARCHAR,
    count BIGINT NOT NULL,
    from_count BIGINT,
    to_count BIGINT,
    pairs BIGINT,
    share DOUBLE,
    lift DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE
);
COMMENT ON TABLE state_transitions IS 'One row a model, step and pair of values: what follows what.';
COMMENT ON COLUMN state_transitions.stage IS 'The stage that measured it.';
COMMENT ON COLUMN state_transitions.model IS 'Name of the model.';
COMMENT ON COLUMN state_transitions.step IS 'perceived > action, user > action or action > action.';
COMMENT ON COLUMN state_transitions.from_slot IS 'Slot of the first state.';
COMMENT ON COLUMN state_transitions.to_slot IS 'Slot of the second.';
COMMENT ON COLUMN state_transitions.from_value IS 'Value of the first; NULL when stated as none.';
COMMENT ON COLUMN state_transitions.to_value IS 'Value of the second.';
COMMENT ON COLUMN state_transitions.count IS 'Times the pair occurs.';
COMMENT ON COLUMN state_transitions.from_count IS 'Times the first occurs in a pair.';
COMMENT ON COLUMN state_transitions.to_count IS 'Times the second does.';
COMMENT ON COLUMN state_transitions.pairs IS 'All pairs of the step and slots.';
COMMENT ON COLUMN state_transitions.share IS 'count / from_count.';
COMMENT ON COLUMN state_transitions.lift IS 'share over to_count / pairs: 1 if both were independent.';
COMMENT ON COLUMN state_transitions.n IS 'Observations.';
COMMENT ON COLUMN state_transitions.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN state_transitions.high IS 'Upper limit.';
COMMENT ON COLUMN state_transitions.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN state_transitions.level IS 'Coverage of the intervals.';
