CREATE TABLE run_models (
    stage VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL
);
COMMENT ON TABLE run_models IS 'Which model played which role in each stage.';
COMMENT ON COLUMN run_models.stage IS 'The stage.';
COMMENT ON COLUMN run_models.role IS 'agent, user, selector, judge, annotator, ...';
COMMENT ON COLUMN run_models.model IS 'Identity of the model: its name and weights.';
