WITH judging AS (
    SELECT stage, coalesce(config ->> '$.strip_prefix', '') AS prefix FROM runs
), transcripts AS (
    SELECT
        stage,
        label,
        CASE WHEN starts_with(label, prefix) THEN substr(label, len(prefix) + 1) ELSE label END AS model
    FROM run_inputs
    JOIN judging USING (stage)
    WHERE input = 'transcripts'
)
SELECT s.*, a.label AS stage_a, b.label AS stage_b
FROM source AS s
LEFT JOIN transcripts AS a ON a.stage = s.stage AND a.model = s.model_a
LEFT JOIN transcripts AS b ON b.stage = s.stage AND b.model = s.model_b
