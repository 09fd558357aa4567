CREATE TABLE judge_stops (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    planned BIGINT NOT NULL,
    judged BIGINT NOT NULL,
    stopped_after BIGINT,
    log_e DOUBLE NOT NULL,
    bound DOUBLE NOT NULL,
    p DOUBLE NOT NULL,
    calls_made BIGINT,
    calls_saved BIGINT,
    usd_saved DOUBLE,
    plan_hash VARCHAR
);
COMMENT ON TABLE judge_stops IS 'One row a comparison that was to stop by e-value: where it did, and what that saved.';
COMMENT ON COLUMN judge_stops.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_stops.judge IS 'Short name of the judge; panel for the majority of all judges.';
COMMENT ON COLUMN judge_stops.model_a IS 'Name of model A.';
COMMENT ON COLUMN judge_stops.model_b IS 'Name of model B.';
COMMENT ON COLUMN judge_stops.planned IS 'Scenarios that would have been judged.';
COMMENT ON COLUMN judge_stops.judged IS 'Scenarios that were; the last block is judged whole.';
COMMENT ON COLUMN judge_stops.stopped_after IS 'Scenarios until the bound was reached; NULL where it was not.';
COMMENT ON COLUMN judge_stops.log_e IS 'Natural logarithm of the e-value after the last scenario.';
COMMENT ON COLUMN judge_stops.bound IS 'Natural logarithm of family size / alpha: from there on a difference may be claimed.';
COMMENT ON COLUMN judge_stops.p IS 'Anytime-valid p, not adjusted for the family.';
COMMENT ON COLUMN judge_stops.calls_made IS 'Judge calls, repeats included; NULL for the panel.';
COMMENT ON COLUMN judge_stops.calls_saved IS 'Planned calls that were not needed; NULL for the panel.';
COMMENT ON COLUMN judge_stops.usd_saved IS 'The same in US dollars at the mean cost of those made; NULL without prices.';
COMMENT ON COLUMN judge_stops.plan_hash IS 'Hash of the analysis plan written before the first call.';
