-- What was fixed before a claim was made: the plan's hash, the error rate, the family and the rules of each test.
SELECT DISTINCT position, stage, plan_hash, family_size, alpha, correction, tie_rule, stopping, level
FROM significance
JOIN runs USING (stage)
ORDER BY ALL
