-- What every judge said of those scenarios, in both orders.
SELECT v.stage, v.model_a, v.model_b, v.scenario_id, v.judge, v.verdict, v.choice_ab, v.choice_ba, v.words_a, v.words_b
FROM pair_verdicts AS v
SEMI JOIN pair_samples AS p USING (stage, model_a, model_b, scenario_id, dialogue_a)
WHERE coalesce(v.replicate, 0) = 0 AND v.choice_ab IS NOT NULL
ORDER BY v.stage, v.model_a, v.model_b, md5(v.scenario_id), v.scenario_id, v.judge
