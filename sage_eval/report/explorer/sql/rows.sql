-- One row a pair of dialogues that was judged, and one a dialogue that was not; numbered by scenario and pair.
CREATE TEMP TABLE shown_rows AS
WITH pairs AS (
    SELECT DISTINCT scenario_id, model_a, model_b, stage_a, dialogue_a, stage_b, dialogue_b FROM shown_verdicts
), entries AS (
    SELECT
        s.scenario, p.model_a, p.model_b, p.stage_a, p.dialogue_a, p.stage_b, p.dialogue_b,
        a.dialogue AS a, b.dialogue AS b
    FROM pairs AS p
    JOIN shown_scenarios AS s ON s.scenario_id = p.scenario_id
    LEFT JOIN shown_dialogues AS a ON a.stage = p.stage_a AND a.dialogue_id = p.dialogue_a
    LEFT JOIN shown_dialogues AS b ON b.stage = p.stage_b AND b.dialogue_id = p.dialogue_b
    UNION ALL
    SELECT scenario, stage, NULL, stage, dialogue_id, NULL, NULL, dialogue, NULL
    FROM shown_dialogues
    WHERE NOT judged
)
SELECT
    row_number() OVER (
        ORDER BY scenario, model_b IS NULL, model_a, model_b, a, b, stage_a, dialogue_a, stage_b, dialogue_b
    ) - 1 AS row,
    row_number() OVER (
        PARTITION BY scenario, model_a, model_b ORDER BY a, b, stage_a, dialogue_a, stage_b, dialogue_b
    ) - 1 AS sample,
    dense_rank() OVER (ORDER BY model_b IS NULL, model_a, model_b) - 1 AS pair,
    *
FROM entries
