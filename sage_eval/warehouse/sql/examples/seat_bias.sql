-- How often each judge takes the dialogue shown first, and whether its two orders agree.
SELECT
    judge,
    model_a,
    model_b,
    count(*) AS calls,
    count(*) FILTER (choice IN ('first', 'second')) AS decided,
    count(*) FILTER (choice = 'first') / nullif(count(*) FILTER (choice IN ('first', 'second')), 0) AS first_seat,
    (
        SELECT avg((v.verdict = 'inconsistent')::INTEGER)
        FROM pair_verdicts AS v
        WHERE (v.judge, v.model_a, v.model_b) = (c.judge, c.model_a, c.model_b)
            AND v.verdict NOT IN ('malformed', 'error')
    ) AS inconsistent_share,
    sum(prompt_tokens + completion_tokens) AS tokens
FROM judge_calls AS c
GROUP BY judge, model_a, model_b
ORDER BY judge, model_a, model_b
