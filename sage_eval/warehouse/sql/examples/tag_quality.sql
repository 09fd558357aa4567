-- How well each played agent writes its tags, and how its dialogues end.
SELECT
    stage,
    count(*) AS dialogues,
    sum(agent_well_formed)::BIGINT AS well_formed,
    sum(agent_untagged)::BIGINT AS untagged,
    sum(agent_malformed)::BIGINT AS malformed,
    avg(exchanges) AS exchanges,
    count(*) FILTER (stop_reason = 'farewell') AS farewell,
    count(*) FILTER (stop_reason = 'loop') AS loop,
    count(*) FILTER (stop_reason IN ('empty', 'failed')) AS failed,
    sum(prompt_tokens + completion_tokens)::BIGINT AS tokens
FROM rollout_outcomes
JOIN runs USING (stage)
GROUP BY position, stage
ORDER BY position
