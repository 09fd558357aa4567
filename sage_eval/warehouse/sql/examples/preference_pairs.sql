-- What DPO prefers over what: the chosen and the rejected reply of every pair.
SELECT p.stage, p.dialogue_id, p.turn, c.text AS chosen, r.text AS rejected, c.score AS chosen_score, r.score AS rejected_score
FROM preference_pairs AS p
JOIN candidates AS c
    ON (c.stage, c.dialogue_id, c.turn, c.candidate) = (p.search_stage, p.dialogue_id, p.turn, p.chosen_candidate)
JOIN candidates AS r
    ON (r.stage, r.dialogue_id, r.turn, r.candidate) = (p.search_stage, p.dialogue_id, p.turn, p.rejected_candidate)
ORDER BY p.stage, p.dialogue_id, p.turn
