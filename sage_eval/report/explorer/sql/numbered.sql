-- The dialogues in the order of their scenarios, numbered.
CREATE TEMP TABLE shown_dialogues AS
SELECT
    row_number() OVER (ORDER BY s.scenario, NOT f.judged, f.stage, d.sample NULLS FIRST, f.dialogue_id) - 1 AS dialogue,
    s.scenario,
    f.stage,
    f.dialogue_id,
    f.judged
FROM found_dialogues AS f
JOIN shown_scenarios AS s
    ON (f.scenario_id IS NOT NULL AND s.scenario_id = f.scenario_id)
    OR (f.scenario_id IS NULL AND s.stage = f.stage AND s.dialogue_id = f.dialogue_id)
JOIN read_dialogues AS d ON d.stage = f.stage AND d.dialogue_id = f.dialogue_id
