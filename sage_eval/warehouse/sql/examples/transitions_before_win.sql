-- Motivation of one assistant reply and of the next, in dialogues that won and in dialogues that lost.
SELECT
    motivation,
    next_motivation,
    count(*) FILTER (outcome = 'won') AS in_won,
    count(*) FILTER (outcome = 'lost') AS in_lost,
    avg((outcome = 'won')::INTEGER) AS share_won
FROM verdict_turns
WHERE role = 'assistant' AND outcome IN ('won', 'lost') AND motivation IS NOT NULL AND next_motivation IS NOT NULL
GROUP BY motivation, next_motivation
ORDER BY in_won + in_lost DESC, motivation, next_motivation
