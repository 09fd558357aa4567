CREATE TABLE run_inputs (
    stage VARCHAR NOT NULL,
    input VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL
);
COMMENT ON TABLE run_inputs IS 'What each stage read: the edges of the recipe.';
COMMENT ON COLUMN run_inputs.stage IS 'The reading stage.';
COMMENT ON COLUMN run_inputs.input IS 'Name of the input, as the stage declares it.';
COMMENT ON COLUMN run_inputs.label IS 'The producing stage, or the file''s name.';
COMMENT ON COLUMN run_inputs.content_hash IS 'Content hash of what was read.';
