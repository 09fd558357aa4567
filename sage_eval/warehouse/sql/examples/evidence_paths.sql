-- How the evidence for a difference came in, scenario by scenario: the e-value against the bound that claims; thinned.
WITH numbered AS (
    SELECT
        *,
        max(step) OVER (PARTITION BY stage, judge, model_a, model_b) AS last_step,
        log_e >= bound AND coalesce(
            max(log_e) OVER (
                PARTITION BY stage, judge, model_a, model_b ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) < bound,
            true
        ) AS crosses
    FROM e_paths
)
SELECT stage, judge, model_a, model_b, step, last_step, wins_a, wins_b, log_e / ln(10) AS log10_e, bound / ln(10) AS log10_bound, crosses
FROM numbered
JOIN runs USING (stage)
WHERE step = 1 OR step = last_step OR crosses OR step % greatest(1, last_step // 120) = 0
ORDER BY position, judge = 'panel', judge, model_a, model_b, step
