CREATE TABLE messages (
    stage VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    variant VARCHAR,
    message INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    content VARCHAR NOT NULL
);
COMMENT ON TABLE messages IS 'One row a chat message as a model learns it: the State-Action Chains.';
COMMENT ON COLUMN messages.stage IS 'The stage that wrote it.';
COMMENT ON COLUMN messages.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN messages.variant IS 'Which tags are written: full, state, action or none.';
COMMENT ON COLUMN messages.message IS 'Place in the dialogue, from 0.';
COMMENT ON COLUMN messages.role IS 'user or assistant.';
COMMENT ON COLUMN messages.content IS 'The message, tags included.';
