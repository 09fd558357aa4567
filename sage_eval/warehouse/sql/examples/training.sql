-- Loss of every training stage, step by step.
SELECT stage, step, tokens, loss, held_out_loss
FROM training_curves
JOIN runs USING (stage)
ORDER BY position, step
