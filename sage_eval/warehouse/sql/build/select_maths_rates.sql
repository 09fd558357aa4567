SELECT s.*, m.model
FROM source AS s
LEFT JOIN run_models AS m ON m.stage = s.stage AND m.role = 'agent'
