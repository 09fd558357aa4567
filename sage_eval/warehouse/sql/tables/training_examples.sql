CREATE TABLE training_examples (
    stage VARCHAR NOT NULL,
    row BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    trained_tokens BIGINT NOT NULL,
    cut_messages BIGINT
);
COMMENT ON TABLE training_examples IS 'One row a dialogue that a model was fine-tuned on.';
COMMENT ON COLUMN training_examples.stage IS 'The training stage.';
COMMENT ON COLUMN training_examples.row IS 'Row in the training data, from 0.';
COMMENT ON COLUMN training_examples.tokens IS 'Tokens of the dialogue.';
COMMENT ON COLUMN training_examples.trained_tokens IS 'Tokens that carry loss.';
COMMENT ON COLUMN training_examples.cut_messages IS 'Messages cut off because the dialogue was too long.';
