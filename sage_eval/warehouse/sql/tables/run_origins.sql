CREATE TABLE run_origins (
    stage VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    license VARCHAR NOT NULL,
    url VARCHAR,
    note VARCHAR,
    withhold_text BOOLEAN,
    synthetic BOOLEAN
);
COMMENT ON TABLE run_origins IS 'One row a stage and published source that its rows derive from, through all stages before it.';
COMMENT ON COLUMN run_origins.stage IS 'The stage.';
COMMENT ON COLUMN run_origins.name IS 'The source, for example EmpatheticDialogues.';
COMMENT ON COLUMN run_origins.license IS 'The licence it is under, by the Hub''s id; unknown where nobody said.';
COMMENT ON COLUMN run_origins.url IS 'Where it is published.';
COMMENT ON COLUMN run_origins.note IS 'What else binds its users.';
COMMENT ON COLUMN run_origins.withhold_text IS 'True when its text stays out of what is published unless asked for.';
COMMENT ON COLUMN run_origins.synthetic IS 'True when a program made it: nobody''s words.';
