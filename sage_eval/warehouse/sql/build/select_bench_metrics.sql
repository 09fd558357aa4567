SELECT s.*, i.label AS model
FROM source AS s
LEFT JOIN run_inputs AS i ON i.stage = s.stage AND i.input = 'model'
