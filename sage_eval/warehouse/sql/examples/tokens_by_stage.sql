-- What each stage cost in tokens read and written by models.
WITH spent AS (
    SELECT stage, sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens FROM judge_calls GROUP BY stage
    UNION ALL
    SELECT stage, sum(prompt_tokens), sum(completion_tokens) FROM rollout_outcomes GROUP BY stage
)
SELECT stage, sum(prompt_tokens)::BIGINT AS prompt_tokens, sum(completion_tokens)::BIGINT AS completion_tokens
FROM spent
JOIN runs USING (stage)
GROUP BY position, stage
ORDER BY position
