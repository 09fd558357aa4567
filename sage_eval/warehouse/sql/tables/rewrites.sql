CREATE TABLE rewrites (
    stage VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    turn INTEGER NOT NULL,
    original VARCHAR NOT NULL,
    rewritten VARCHAR,
    bridge VARCHAR,
    similarity DOUBLE
);
COMMENT ON TABLE rewrites IS 'One row an utterance whose text an annotating model changed, with the original.';
COMMENT ON COLUMN rewrites.stage IS 'The annotation stage.';
COMMENT ON COLUMN rewrites.dialogue_id IS 'The dialogue; with stage and turn it leads to turns.';
COMMENT ON COLUMN rewrites.turn IS 'Place in the dialogue, from 0.';
COMMENT ON COLUMN rewrites.original IS 'The words as they came.';
COMMENT ON COLUMN rewrites.rewritten IS 'The new words, without the question that was added.';
COMMENT ON COLUMN rewrites.bridge IS 'The question that was added; NULL: none.';
COMMENT ON COLUMN rewrites.similarity IS 'How close the new words are to the original, 0 to 1.';
