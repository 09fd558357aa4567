-- Benchmark scores before and after, document by document, with interval, p and verdict: the paper's Table 2.
SELECT base_stage, new_stage, task, metric, filter, n, base, new, difference, low, high, better, worse,
    method, p, p_holm, verdict, margin, level, family_size,
    gain_low, coalesce(member, true) AS member, higher_is_better, clusters
FROM regressions
JOIN runs USING (stage)
ORDER BY position, task, filter, metric
