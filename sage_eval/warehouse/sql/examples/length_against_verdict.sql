-- How often the side with so many times the other's words wins, by judge: longer, about as long, or shorter.
SELECT
    stage,
    judge,
    CASE
        WHEN words >= 2 * opponent_words THEN '1. at least twice as long'
        WHEN words > opponent_words THEN '2. longer'
        WHEN words = opponent_words THEN '3. as long'
        WHEN 2 * words > opponent_words THEN '4. shorter'
        ELSE '5. at most half as long'
    END AS length,
    count(*) AS sides,
    count(*) FILTER (outcome = 'won') AS won,
    count(*) FILTER (outcome = 'lost') AS lost,
    count(*) FILTER (outcome = 'won') / nullif(count(*) FILTER (outcome IN ('won', 'lost')), 0) AS share_won
FROM verdict_sides
WHERE words IS NOT NULL AND opponent_words IS NOT NULL
GROUP BY stage, judge, length
ORDER BY stage, judge, length
