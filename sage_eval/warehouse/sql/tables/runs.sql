CREATE TABLE runs (
    position INTEGER NOT NULL,
    stage VARCHAR NOT NULL,
    uses VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    fingerprint VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    config VARCHAR NOT NULL,
    warnings VARCHAR[] NOT NULL,
    files INTEGER NOT NULL,
    bytes BIGINT NOT NULL
);
COMMENT ON TABLE runs IS 'One row a finished stage, in the order of the recipe.';
COMMENT ON COLUMN runs.position IS 'Place of the stage in the recipe, from 0.';
COMMENT ON COLUMN runs.stage IS 'Name of the stage in its recipe; every other table refers to it.';
COMMENT ON COLUMN runs.uses IS 'Module that ran, for example sage_eval.judge.';
COMMENT ON COLUMN runs.version IS 'Version of that module.';
COMMENT ON COLUMN runs.seed IS 'Seed the stage ran with.';
COMMENT ON COLUMN runs.fingerprint IS 'Hash of module, version, configuration, seed and inputs.';
COMMENT ON COLUMN runs.content_hash IS 'Hash of the paths and bytes of all its output files.';
COMMENT ON COLUMN runs.config IS 'Resolved configuration, as JSON text: config ->> ''$.field'' reads one field.';
COMMENT ON COLUMN runs.warnings IS 'What the stage warned of.';
COMMENT ON COLUMN runs.files IS 'Number of output files.';
COMMENT ON COLUMN runs.bytes IS 'Their total size in bytes.';
