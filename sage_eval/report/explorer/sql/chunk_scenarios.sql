-- The scenarios; the first words of the first dialogue stand in the list for one that is not in the warehouse.
SELECT s.scenario, s.scenario_id, s.situation, s.emotion, s.split
FROM shown_scenarios AS s
WHERE s.scenario BETWEEN $first AND $last
ORDER BY s.scenario
