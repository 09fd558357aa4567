-- The dialogues of some scenarios.
SELECT s.scenario, s.dialogue, s.dialogue_id, s.stage, d.model
FROM shown_dialogues AS s JOIN dialogues AS d USING (stage, dialogue_id)
WHERE s.scenario BETWEEN $first AND $last
ORDER BY s.dialogue
