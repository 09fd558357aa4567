-- What each stage cost in tokens read and written by models: judging, playing and annotating.
WITH spent AS (
    SELECT stage, sum(prompt_tokens) AS read, sum(completion_tokens) AS written FROM judge_calls GROUP BY stage
    UNION ALL
    SELECT stage, sum(prompt_tokens), sum(completion_tokens) FROM rollout_outcomes GROUP BY stage
    UNION ALL
    SELECT stage, sum(prompt_tokens), sum(completion_tokens) FROM annotation_calls GROUP BY stage
)
SELECT stage, sum(read)::BIGINT AS prompt_tokens, sum(written)::BIGINT AS completion_tokens
FROM spent
JOIN runs USING (stage)
GROUP BY position, stage
ORDER BY position
