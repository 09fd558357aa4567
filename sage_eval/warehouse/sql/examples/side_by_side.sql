-- The turns of both dialogues of every judged pair, with both orders' choices.
SELECT v.judge, v.model_a, v.model_b, v.scenario_id, v.verdict, v.choice_ab, v.choice_ba, side, t.turn, t.role, t.text,
    t.motivation, t.emotion, t.topics
FROM pair_verdicts AS v
CROSS JOIN (VALUES ('A'), ('B')) AS sides(side)
JOIN turns AS t
    ON t.stage = CASE side WHEN 'A' THEN v.stage_a ELSE v.stage_b END
    AND t.dialogue_id = CASE side WHEN 'A' THEN v.dialogue_a ELSE v.dialogue_b END
ORDER BY v.judge, v.model_a, v.model_b, v.scenario_id, side, t.turn
