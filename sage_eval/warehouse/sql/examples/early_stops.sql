-- Where judging stopped because the evidence would do, and what that saved.
SELECT stage, judge, model_a, model_b, planned, judged, stopped_after, log_e / ln(10) AS log10_e, p AS p_anytime,
    calls_made, calls_saved, usd_saved
FROM judge_stops
JOIN runs USING (stage)
ORDER BY position, judge = 'panel', judge, model_a, model_b
