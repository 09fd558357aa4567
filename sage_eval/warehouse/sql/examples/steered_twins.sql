-- Steered replies beside their unsteered twins (same scenario, same draws), where only the steered one shows the word.
WITH strongest AS (
    SELECT * FROM steering QUALIFY boost = max(boost) OVER (PARTITION BY stage)
)
SELECT s.stage, s.scenario_id, s.boost, s.situation,
    p.text AS unsteered, p.a_motivation AS unsteered_motivation, p.a_emotion AS unsteered_emotion,
    s.text AS steered, s.a_motivation AS steered_motivation, s.a_emotion AS steered_emotion
FROM strongest AS s
JOIN steering AS p USING (stage, scenario_id, sample)
WHERE p.boost = 0 AND s.hit AND NOT p.hit
QUALIFY row_number() OVER (PARTITION BY s.stage ORDER BY md5(s.scenario_id), s.scenario_id, s.sample) <= 3
ORDER BY s.stage, md5(s.scenario_id), s.scenario_id, s.sample
