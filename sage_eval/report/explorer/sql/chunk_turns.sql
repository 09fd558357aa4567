-- Their turns, with the speaker's own state and how the utterance before was read.
SELECT
    s.dialogue, t.turn, t.role, t.text, t.motivation, t.emotion, t.topics,
    t.perceived_motivation, t.perceived_emotion, t.perceived_topics
FROM shown_dialogues AS s JOIN turns AS t USING (stage, dialogue_id)
WHERE s.scenario BETWEEN $first AND $last
ORDER BY s.dialogue, t.turn
