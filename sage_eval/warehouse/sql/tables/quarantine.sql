CREATE TABLE quarantine (
    stage VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    head VARCHAR
);
COMMENT ON TABLE quarantine IS 'One row a source line that could not be read.';
COMMENT ON COLUMN quarantine.stage IS 'The stage that read it.';
COMMENT ON COLUMN quarantine.file IS 'Source file.';
COMMENT ON COLUMN quarantine.line IS 'Line in the source file, from 1.';
COMMENT ON COLUMN quarantine.reason IS 'Why it cannot be used.';
COMMENT ON COLUMN quarantine.head IS 'How the line begins.';
