SELECT s.*, before.label AS base_stage, after.label AS new_stage
FROM source AS s
LEFT JOIN run_inputs AS before ON before.stage = s.stage AND before.input = 'base'
LEFT JOIN run_inputs AS after ON after.stage = s.stage AND after.input = 'new'
