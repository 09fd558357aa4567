CREATE TABLE e_paths (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    scenario_id VARCHAR NOT NULL,
    wins_a BIGINT NOT NULL,
    wins_b BIGINT NOT NULL,
    log_e DOUBLE NOT NULL,
    bound DOUBLE NOT NULL,
    plan_hash VARCHAR
);
COMMENT ON TABLE e_paths IS 'One row a comparison and scenario, in the order judged: the evidence as it came in.';
COMMENT ON COLUMN e_paths.stage IS 'The judging stage.';
COMMENT ON COLUMN e_paths.judge IS 'Short name of the judge; panel for the majority of all judges.';
COMMENT ON COLUMN e_paths.model_a IS 'Name of model A.';
COMMENT ON COLUMN e_paths.model_b IS 'Name of model B.';
COMMENT ON COLUMN e_paths.step IS 'Scenarios judged so far, this one included.';
COMMENT ON COLUMN e_paths.scenario_id IS 'The scenario judged at this step.';
COMMENT ON COLUMN e_paths.wins_a IS 'Pairs won by A so far.';
COMMENT ON COLUMN e_paths.wins_b IS 'Pairs won by B so far.';
COMMENT ON COLUMN e_paths.log_e IS 'Natural logarithm of the e-value against: both win equally often.';
COMMENT ON COLUMN e_paths.bound IS 'Natural logarithm of family size / alpha: from there on a difference may be claimed.';
COMMENT ON COLUMN e_paths.plan_hash IS 'Hash of the analysis plan written before the first call.';
