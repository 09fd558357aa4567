CREATE TABLE files (
    stage VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    in_table VARCHAR
);
COMMENT ON TABLE files IS 'Every output file of every stage, and the table here that holds its rows.';
COMMENT ON COLUMN files.stage IS 'The stage that wrote it.';
COMMENT ON COLUMN files.path IS 'Path relative to the stage folder.';
COMMENT ON COLUMN files.bytes IS 'Size in bytes.';
COMMENT ON COLUMN files.sha256 IS 'Hash of its bytes.';
COMMENT ON COLUMN files.in_table IS 'Table that holds its rows; NULL when its rows are not in the warehouse.';
