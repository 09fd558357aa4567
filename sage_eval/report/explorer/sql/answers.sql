-- What every judging said of every pair. A call's error is known by its pair, scenario and order: where several fit, none.
CREATE TEMP TABLE shown_answers AS
WITH failed AS (
    SELECT
        stage, judge, scenario_id, model_a, model_b,
        max(error) FILTER ("order" = 'ab') AS error_ab,
        max(error) FILTER ("order" = 'ba') AS error_ba
    FROM judge_calls
    WHERE error IS NOT NULL
    GROUP BY ALL
    HAVING count(DISTINCT error) FILTER ("order" = 'ab') <= 1 AND count(DISTINCT error) FILTER ("order" = 'ba') <= 1
)
SELECT
    r.row, r.scenario, v.judging, v.verdict, v.choice_ab, v.raw_ab, v.choice_ba, v.raw_ba, v.words_a, v.words_b,
    CASE WHEN v.choice_ab = 'error' THEN f.error_ab END AS error_ab,
    CASE WHEN v.choice_ba = 'error' THEN f.error_ba END AS error_ba
FROM shown_verdicts AS v
JOIN shown_scenarios AS s ON s.scenario_id = v.scenario_id
JOIN shown_rows AS r
    ON r.scenario = s.scenario AND r.model_a = v.model_a AND r.model_b = v.model_b
    AND r.stage_a IS NOT DISTINCT FROM v.stage_a AND r.dialogue_a = v.dialogue_a
    AND r.stage_b IS NOT DISTINCT FROM v.stage_b AND r.dialogue_b = v.dialogue_b
LEFT JOIN failed AS f
    ON f.stage = v.stage AND f.judge = v.judge AND f.scenario_id = v.scenario_id
    AND f.model_a = v.model_a AND f.model_b = v.model_b
