-- How often a steered reply shows a boosted word, by amount of boost.
SELECT stage, boost, replies, hits, share, low, high, well_formed
FROM dose_response
JOIN runs USING (stage)
ORDER BY position, boost
