-- What came into each stage, what it kept, and why it dropped the rest.
SELECT position, stage, unit, outcome, reason, n
FROM funnel
ORDER BY position, max(n) OVER (PARTITION BY position, unit) DESC, unit, outcome, n DESC, reason
