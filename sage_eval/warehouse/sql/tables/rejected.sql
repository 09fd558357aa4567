CREATE TABLE rejected (
    stage VARCHAR NOT NULL,
    id VARCHAR,
    reason VARCHAR NOT NULL,
    thread VARCHAR,
    place VARCHAR,
    text VARCHAR,
    file VARCHAR,
    line BIGINT
);
COMMENT ON TABLE rejected IS 'One row a comment or dialogue that a stage dropped, with the reason.';
COMMENT ON COLUMN rejected.stage IS 'The stage that dropped it.';
COMMENT ON COLUMN rejected.id IS 'Id of what was dropped.';
COMMENT ON COLUMN rejected.reason IS 'Reason code, as in the funnel.';
COMMENT ON COLUMN rejected.thread IS 'Thread it came from.';
COMMENT ON COLUMN rejected.place IS 'Community it came from.';
COMMENT ON COLUMN rejected.text IS 'Its text, where the stage keeps it.';
COMMENT ON COLUMN rejected.file IS 'Source file.';
COMMENT ON COLUMN rejected.line IS 'Line in the source file, from 1.';
