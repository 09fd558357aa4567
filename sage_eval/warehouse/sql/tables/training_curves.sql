CREATE TABLE training_curves (
    stage VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    tokens BIGINT,
    epoch DOUBLE,
    loss DOUBLE,
    lr DOUBLE,
    gradient_norm DOUBLE,
    held_out_loss DOUBLE,
    token_accuracy DOUBLE,
    reward_chosen DOUBLE,
    reward_rejected DOUBLE,
    margin DOUBLE,
    accuracy DOUBLE
);
COMMENT ON TABLE training_curves IS 'One row a measured step of every training stage.';
COMMENT ON COLUMN training_curves.stage IS 'The training stage.';
COMMENT ON COLUMN training_curves.step IS 'Optimiser step, from 1.';
COMMENT ON COLUMN training_curves.tokens IS 'Tokens learnt from so far.';
COMMENT ON COLUMN training_curves.epoch IS 'Passes over the data so far.';
COMMENT ON COLUMN training_curves.loss IS 'Training loss of the step: nats per token, or the preference loss of DPO.';
COMMENT ON COLUMN training_curves.lr IS 'Learning rate of the step.';
COMMENT ON COLUMN training_curves.gradient_norm IS 'Norm of the gradient before clipping.';
COMMENT ON COLUMN training_curves.held_out_loss IS 'Loss on held-out data, nats per token, at the steps where it was measured.';
COMMENT ON COLUMN training_curves.token_accuracy IS 'Share of the learnt tokens that were the likeliest already.';
COMMENT ON COLUMN training_curves.reward_chosen IS 'DPO: mean reward of the chosen replies, beta times the log-ratio to the reference.';
COMMENT ON COLUMN training_curves.reward_rejected IS 'DPO: mean reward of the rejected replies.';
COMMENT ON COLUMN training_curves.margin IS 'DPO: reward_chosen - reward_rejected.';
COMMENT ON COLUMN training_curves.accuracy IS 'DPO: share of pairs whose chosen reply has the higher reward.';
