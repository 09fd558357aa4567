-- Every reply said in self-play beside the candidates that were not.
SELECT c.stage, c.dialogue_id, c.turn, t.text AS said, c.text AS rejected, c.score, c.a_motivation, c.a_emotion
FROM candidates AS c
JOIN turns AS t USING (stage, dialogue_id, turn)
WHERE NOT c.selected AND c.merged_into IS NULL
ORDER BY c.stage, c.dialogue_id, c.turn, c.candidate
