SELECT s.* EXCLUDE (context) REPLACE (2 * turn + 1 AS turn), s.turn AS reply, m.model
FROM source AS s
LEFT JOIN run_models AS m ON m.stage = s.stage AND m.role = 'agent'
