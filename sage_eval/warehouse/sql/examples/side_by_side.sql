-- Both dialogues of a few judged scenarios, turn by turn, with their states.
SELECT p.stage, p.model_a, p.model_b, p.scenario_id, side, t.turn, t.role, t.text, t.motivation, t.emotion, t.topics,
    t.perceived_motivation, t.perceived_emotion, t.perceived_topics
FROM pair_samples AS p
CROSS JOIN (VALUES ('A'), ('B')) AS sides(side)
JOIN turns AS t
    ON t.stage = CASE side WHEN 'A' THEN p.stage_a ELSE p.stage_b END
    AND t.dialogue_id = CASE side WHEN 'A' THEN p.dialogue_a ELSE p.dialogue_b END
ORDER BY p.stage, p.place, p.model_a, p.model_b, md5(p.scenario_id), p.scenario_id, side, t.turn
