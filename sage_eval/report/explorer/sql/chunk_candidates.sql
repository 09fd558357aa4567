-- Every candidate of their replies; those with the same content stand together as one with a number of copies.
SELECT
    s.dialogue, c.turn, c.candidate, c.selected, c.text, c.content, c.score, c.acceptable, c.status, c.problems,
    c.a_motivation, c.a_emotion, c.a_topics, c.u_motivation, c.u_emotion, c.u_topics,
    c.score_relevance, c.score_freshness, c.score_mood, c.score_question, c.score_informativeness, c.score_length,
    c.score_finished, c.score_tags, c.score_appropriateness, c.score_respect,
    1 + coalesce(m.merged, 0) AS copies
FROM shown_dialogues AS s
JOIN candidates AS c USING (stage, dialogue_id)
LEFT JOIN (
    SELECT stage, dialogue_id, turn, merged_into, count(*) AS merged
    FROM candidates
    WHERE merged_into IS NOT NULL
    GROUP BY ALL
) AS m
    ON m.stage = c.stage AND m.dialogue_id = c.dialogue_id AND m.turn = c.turn AND m.merged_into = c.candidate
WHERE s.scenario BETWEEN $first AND $last AND c.merged_into IS NULL
ORDER BY s.dialogue, c.turn, c.score DESC NULLS LAST, c.candidate
