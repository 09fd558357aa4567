-- Scenarios on which one judge says A and another says B.
SELECT v.stage, v.scenario_id, v.model_a, v.model_b, v.judge AS says_a, w.judge AS says_b, s.situation
FROM pair_verdicts AS v
JOIN pair_verdicts AS w
    ON (v.stage, v.scenario_id, v.model_a, v.model_b, coalesce(v.sample, 0), coalesce(v.replicate, 0))
    = (w.stage, w.scenario_id, w.model_a, w.model_b, coalesce(w.sample, 0), coalesce(w.replicate, 0))
LEFT JOIN (SELECT scenario_id, any_value(situation) AS situation FROM scenarios GROUP BY scenario_id) AS s
    ON s.scenario_id = v.scenario_id
WHERE v.verdict = 'A' AND w.verdict = 'B' AND coalesce(v.replicate, 0) = 0
ORDER BY ALL
