-- What is shown: every judged dialogue, and of those that no judge saw some of each stage, taken by hash.
CREATE TEMP TABLE found_dialogues AS
WITH judged AS (
    SELECT stage_a AS stage, dialogue_a AS dialogue_id, scenario_id FROM shown_verdicts
    UNION
    SELECT stage_b, dialogue_b, scenario_id FROM shown_verdicts
), known AS (
    SELECT stage, dialogue_id, min(scenario_id) AS scenario_id FROM judged GROUP BY stage, dialogue_id
), alone AS (
    SELECT stage, dialogue_id, scenario_id
    FROM dialogues ANTI JOIN known USING (stage, dialogue_id)
    WHERE model IS NOT NULL OR stage IN (SELECT stage FROM candidates)
    QUALIFY row_number() OVER (PARTITION BY stage ORDER BY md5(dialogue_id), dialogue_id) <= $most
)
SELECT stage, dialogue_id, known.scenario_id, true AS judged
FROM known SEMI JOIN dialogues USING (stage, dialogue_id)
UNION ALL
SELECT stage, dialogue_id, scenario_id, false FROM alone
