-- Motivation of one assistant reply and of the next, in dialogues that won and in dialogues that lost.
WITH judged AS (
    SELECT stage_a AS stage, dialogue_a AS dialogue_id, verdict = 'A' AS won FROM pair_verdicts WHERE verdict IN ('A', 'B') AND coalesce(replicate, 0) = 0
    UNION ALL
    SELECT stage_b, dialogue_b, verdict = 'B' FROM pair_verdicts WHERE verdict IN ('A', 'B') AND coalesce(replicate, 0) = 0
)
SELECT
    motivation,
    next_motivation,
    count(*) FILTER (won) AS in_won,
    count(*) FILTER (NOT won) AS in_lost,
    avg(won::INTEGER) AS share_won
FROM judged
JOIN turns USING (stage, dialogue_id)
WHERE role = 'assistant' AND motivation IS NOT NULL AND next_motivation IS NOT NULL
GROUP BY motivation, next_motivation
ORDER BY in_won + in_lost DESC, motivation, next_motivation
