-- Seat bias, order consistency and length against verdict of every judge and pair.
WITH seats AS (
    SELECT
        stage,
        judge,
        model_a,
        model_b,
        count(*) AS calls,
        count(*) FILTER (choice = 'first') / nullif(count(*) FILTER (choice IN ('first', 'second')), 0) AS first_seat,
        sum(prompt_tokens + completion_tokens)::BIGINT AS tokens
    FROM judge_calls
    GROUP BY stage, judge, model_a, model_b
), verdicts AS (
    SELECT
        stage,
        judge,
        model_a,
        model_b,
        avg((verdict = 'inconsistent')::INTEGER) FILTER (verdict NOT IN ('malformed', 'error')) AS inconsistent_share,
        avg(CASE verdict WHEN 'A' THEN words_a WHEN 'B' THEN words_b END) AS winner_words,
        avg(CASE verdict WHEN 'A' THEN words_b WHEN 'B' THEN words_a END) AS loser_words,
        avg(CASE verdict WHEN 'A' THEN (words_a < words_b)::INTEGER WHEN 'B' THEN (words_b < words_a)::INTEGER END)
            AS shorter_wins
    FROM pair_verdicts
    WHERE coalesce(replicate, 0) = 0
    GROUP BY stage, judge, model_a, model_b
)
SELECT seats.*, verdicts.* EXCLUDE (stage, judge, model_a, model_b), position_p, length_p
FROM seats
JOIN verdicts USING (stage, judge, model_a, model_b)
LEFT JOIN judge_bias USING (stage, judge, model_a, model_b)
LEFT JOIN (SELECT judge, model_a, model_b, min(comparison) AS comparison FROM significance GROUP BY ALL) AS tested
    USING (judge, model_a, model_b)
ORDER BY comparison, stage, judge, model_a, model_b
