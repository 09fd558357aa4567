-- Steered replies beside their unsteered twins (same scenario, same draws), where only the steered one shows the word.
SELECT s.stage, s.scenario_id, s.boost, s.situation,
    p.text AS unsteered, p.a_motivation AS unsteered_motivation, p.a_emotion AS unsteered_emotion,
    s.text AS steered, s.a_motivation AS steered_motivation, s.a_emotion AS steered_emotion
FROM steering AS s
JOIN steering AS p USING (stage, scenario_id, sample)
WHERE p.boost = 0 AND s.boost = (SELECT max(boost) FROM steering) AND s.hit AND NOT p.hit
ORDER BY s.stage, md5(s.scenario_id), s.sample
LIMIT 20
