SELECT
    s.stage,
    i.label AS search_stage,
    s.dialogue_id,
    2 * s.turn + 1 AS turn,
    s.turn AS reply,
    s.chosen_candidate,
    s.rejected_candidate,
    s.others
FROM source AS s
LEFT JOIN run_inputs AS i ON i.stage = s.stage AND i.input = 'trajectories'
