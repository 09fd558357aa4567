-- What each stage spent on models, by who spoke: tokens read and written, and US dollars where a price is known.
WITH spent AS (
    SELECT stage, 'judge ' || judge AS role, count(*) AS calls, sum(prompt_tokens) AS read, sum(completion_tokens) AS written,
        sum(cost_usd) AS stated_usd
    FROM judge_calls
    GROUP BY stage, judge
    UNION ALL
    SELECT stage, 'agent', count(*), sum(prompt_tokens), sum(completion_tokens), NULL
    FROM rollout_outcomes
    GROUP BY stage
    UNION ALL
    SELECT stage, 'user', count(*), sum(user_prompt_tokens), sum(user_completion_tokens), NULL
    FROM rollout_outcomes
    GROUP BY stage
    HAVING sum(user_completion_tokens) IS NOT NULL
    UNION ALL
    SELECT stage, 'annotator', sum(calls), sum(prompt_tokens), sum(completion_tokens), NULL
    FROM annotation_calls
    GROUP BY stage
    UNION ALL
    SELECT stage, 'agent', count(*), sum(prompt_tokens), sum(completion_tokens), NULL
    FROM maths_answers
    GROUP BY stage
    UNION ALL
    SELECT stage, 'judge of claims', count(*), sum(prompt_tokens), sum(completion_tokens), NULL
    FROM incarnation_judgements
    GROUP BY stage
), priced AS (
    SELECT
        stage,
        position,
        -- A price of 0 is one that nobody stated.
        nullif(json_extract(config, if(role = 'user', '$.user_input_price', '$.input_price'))::DOUBLE, 0) AS input_price,
        nullif(json_extract(config, if(role = 'user', '$.user_output_price', '$.output_price'))::DOUBLE, 0) AS output_price,
        role,
        calls,
        read,
        written,
        stated_usd
    FROM spent
    JOIN runs USING (stage)
)
SELECT
    stage,
    role,
    calls::BIGINT AS calls,
    read::BIGINT AS prompt_tokens,
    written::BIGINT AS completion_tokens,
    CASE
        WHEN role LIKE 'judge %' THEN stated_usd
        ELSE (coalesce(read, 0) * input_price + coalesce(written, 0) * output_price) / 1e6
    END AS usd
FROM priced
ORDER BY position, role
