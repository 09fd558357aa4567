-- Scenarios on which one judge says A and another says B.
SELECT v.stage, v.scenario_id, v.model_a, v.model_b, v.judge AS says_a, w.judge AS says_b, s.situation
FROM pair_verdicts AS v
JOIN pair_verdicts AS w USING (stage, scenario_id, model_a, model_b)
LEFT JOIN (SELECT scenario_id, any_value(situation) AS situation FROM scenarios GROUP BY scenario_id) AS s
    USING (scenario_id)
WHERE v.verdict = 'A' AND w.verdict = 'B'
ORDER BY ALL
