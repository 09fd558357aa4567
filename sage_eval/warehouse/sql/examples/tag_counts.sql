-- The most frequent motivations, emotions and topics of every stage, by speaker, with their share of all stated.
WITH stated AS (
    SELECT stage, role, 'motivation' AS slot, motivation AS value FROM turns WHERE motivation IS NOT NULL
    UNION ALL
    SELECT stage, role, 'emotion', emotion FROM turns WHERE emotion IS NOT NULL
    UNION ALL
    SELECT stage, role, 'topic', unnest(topics) FROM turns
), counted AS (
    SELECT
        stage,
        role,
        slot,
        value,
        count(*) AS n,
        sum(count(*)) OVER (PARTITION BY stage, role, slot)::BIGINT AS stated,
        count(*) OVER (PARTITION BY stage, role, slot) AS different
    FROM stated
    GROUP BY stage, role, slot, value
)
SELECT stage, agent.model, role, slot, value, n, stated, different, n / stated AS share
FROM counted
JOIN runs USING (stage)
LEFT JOIN (SELECT stage, any_value(model) AS model FROM run_models WHERE role = 'agent' GROUP BY stage) AS agent USING (stage)
QUALIFY row_number() OVER (PARTITION BY stage, role, slot ORDER BY n DESC, value) <= 12
ORDER BY position, role DESC, CASE slot WHEN 'motivation' THEN 1 WHEN 'emotion' THEN 2 ELSE 3 END, n DESC, value
