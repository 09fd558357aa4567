SELECT
    stage,
    id AS dialogue_id,
    variant,
    generate_subscripts(messages, 1) - 1 AS message,
    unnest(messages, max_depth := 2)
FROM source
