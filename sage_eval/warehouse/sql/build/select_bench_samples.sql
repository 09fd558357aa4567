-- A model of the Hub or behind a server is no input: it goes by its own name.
SELECT s.*, coalesce(i.label, split_part(m.model, '+', 1)) || coalesce('+' || a.label, '') AS model
FROM source AS s
LEFT JOIN run_inputs AS i ON i.stage = s.stage AND i.input = 'model'
LEFT JOIN run_inputs AS a ON a.stage = s.stage AND a.input = 'adapter'
LEFT JOIN run_models AS m ON m.stage = s.stage AND m.role = 'candidate'
