-- Whether a judge is kinder to a model of its own than other judges are.
SELECT stage, judge, own_model, relation, others, pairs, scenarios, own_score, others_score, difference, low, high, p, note
FROM judge_self_preference
JOIN runs USING (stage)
ORDER BY position, judge, own_model
