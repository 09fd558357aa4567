-- What became of every pair each judge saw: decided in both orders, tied, decided by the seat, or failed.
SELECT
    stage,
    judge,
    count(*) AS pairs,
    count(*) FILTER (verdict IN ('A', 'B')) AS decisive,
    count(*) FILTER (verdict = 'tie') AS ties,
    count(*) FILTER (verdict = 'inconsistent') AS inconsistent,
    count(*) FILTER (verdict = 'malformed') AS malformed,
    count(*) FILTER (verdict = 'error') AS error,
    count(*) FILTER (verdict IN ('A', 'B', 'tie'))
        / nullif(count(*) FILTER (verdict NOT IN ('malformed', 'error')), 0) AS consistent_share
FROM pair_verdicts
JOIN runs USING (stage)
WHERE coalesce(replicate, 0) = 0
GROUP BY position, stage, judge
ORDER BY position, judge = 'panel', judge
