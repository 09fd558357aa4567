-- Emotion of the scenario against who wins it: where each model is at home.
SELECT
    v.stage,
    v.judge,
    v.model,
    s.emotion,
    count(*) FILTER (v.outcome = 'won') AS won,
    count(*) FILTER (v.outcome = 'lost') AS lost,
    count(*) FILTER (v.outcome NOT IN ('won', 'lost')) AS neither
FROM verdict_sides AS v
JOIN (SELECT scenario_id, any_value(emotion) AS emotion FROM scenarios GROUP BY scenario_id) AS s USING (scenario_id)
GROUP BY ALL
ORDER BY v.stage, v.judge, v.model, won - lost DESC, s.emotion
