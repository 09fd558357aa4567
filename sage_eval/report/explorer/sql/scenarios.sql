-- Scenarios by id, numbered; a dialogue without one stands for itself.
CREATE TEMP TABLE shown_scenarios AS
WITH keys AS (
    SELECT scenario_id, NULL AS stage, NULL AS dialogue_id FROM shown_verdicts
    UNION
    SELECT
        scenario_id,
        CASE WHEN scenario_id IS NULL THEN stage END,
        CASE WHEN scenario_id IS NULL THEN dialogue_id END
    FROM found_dialogues
), stated AS (
    SELECT
        scenario_id,
        min_by(situation, stage) AS situation,
        min_by(emotion, stage) AS emotion,
        min_by(split, stage) AS split
    FROM scenarios
    GROUP BY scenario_id
)
SELECT
    row_number() OVER (ORDER BY k.scenario_id NULLS LAST, k.stage, k.dialogue_id) - 1 AS scenario,
    k.scenario_id,
    k.stage,
    k.dialogue_id,
    situation,
    emotion,
    split
FROM keys AS k LEFT JOIN stated AS s ON s.scenario_id = k.scenario_id
