CREATE TABLE training_curves (
    stage VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    tokens BIGINT,
    epoch DOUBLE,
    loss DOUBLE,
    lr DOUBLE,
    gradient_norm DOUBLE,
    held_out_loss DOUBLE
);
COMMENT ON TABLE training_curves IS 'One row a measured step of every training stage.';
COMMENT ON COLUMN training_curves.stage IS 'The training stage.';
COMMENT ON COLUMN training_curves.step IS 'Optimiser step, from 1.';
COMMENT ON COLUMN training_curves.tokens IS 'Tokens learnt from so far.';
COMMENT ON COLUMN training_curves.epoch IS 'Passes over the data so far.';
COMMENT ON COLUMN training_curves.loss IS 'Training loss of the step, nats per token.';
COMMENT ON COLUMN training_curves.lr IS 'Learning rate of the step.';
COMMENT ON COLUMN training_curves.gradient_norm IS 'Norm of the gradient before clipping.';
COMMENT ON COLUMN training_curves.held_out_loss IS 'Loss on held-out data, nats per token, at the steps where it was measured.';
