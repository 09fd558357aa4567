-- Turns and candidates of every scenario, and one for the scenario itself.
SELECT scenario, 1 + count(held.stage) AS n
FROM shown_scenarios AS s
LEFT JOIN (
    SELECT d.scenario, d.stage FROM turns JOIN shown_dialogues AS d USING (stage, dialogue_id)
    UNION ALL
    SELECT d.scenario, d.stage FROM candidates JOIN shown_dialogues AS d USING (stage, dialogue_id)
) AS held USING (scenario)
GROUP BY scenario
ORDER BY scenario
