CREATE TABLE rejected (
    stage VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    id VARCHAR,
    reason VARCHAR NOT NULL,
    detail VARCHAR,
    thread VARCHAR,
    place VARCHAR,
    created_utc BIGINT,
    text VARCHAR,
    file VARCHAR,
    line BIGINT,
    row BIGINT,
    dialogue_id VARCHAR,
    turn BIGINT
);
COMMENT ON TABLE rejected IS 'One row a line, comment, dialogue or training example that a stage dropped, with the reason.';
COMMENT ON COLUMN rejected.stage IS 'The stage that dropped it.';
COMMENT ON COLUMN rejected.family IS 'Table it would have been part of, for example dialogues.';
COMMENT ON COLUMN rejected.id IS 'Id of what was dropped.';
COMMENT ON COLUMN rejected.reason IS 'Reason code, as in the funnel.';
COMMENT ON COLUMN rejected.detail IS 'More about the reason.';
COMMENT ON COLUMN rejected.thread IS 'Thread it came from.';
COMMENT ON COLUMN rejected.place IS 'Community it came from.';
COMMENT ON COLUMN rejected.created_utc IS 'Time of it, seconds since 1970-01-01 UTC.';
COMMENT ON COLUMN rejected.text IS 'Its text; of a dialogue, every utterance on a line.';
COMMENT ON COLUMN rejected.file IS 'Source file.';
COMMENT ON COLUMN rejected.line IS 'Line in the source file, from 1.';
COMMENT ON COLUMN rejected.row IS 'Row in the stage''s input, from 0, where there is no id.';
COMMENT ON COLUMN rejected.dialogue_id IS 'Dialogue that it is part of, when it is a reply.';
COMMENT ON COLUMN rejected.turn IS 'Number of the reply among the assistant''s, from 0.';
