-- One scenario of each verdict for every pair of models, taken by hash so that nobody picks them.
WITH first_judge AS (
    SELECT v.*, r.position
    FROM pair_verdicts AS v
    JOIN runs AS r USING (stage)
    QUALIFY dense_rank() OVER (PARTITION BY v.stage ORDER BY v.judge) = 1
)
SELECT position, stage, model_a, model_b, scenario_id, verdict, stage_a, stage_b, dialogue_a, dialogue_b
FROM first_judge
QUALIFY row_number() OVER (PARTITION BY stage, model_a, model_b, verdict ORDER BY md5(scenario_id), scenario_id) = 1
ORDER BY position, model_a, model_b, md5(scenario_id), scenario_id
