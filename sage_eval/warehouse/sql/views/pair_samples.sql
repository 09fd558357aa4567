CREATE VIEW pair_samples AS
WITH first_judge AS (
    SELECT *
    FROM pair_verdicts
    WHERE coalesce(replicate, 0) = 0 AND choice_ab IS NOT NULL
    QUALIFY dense_rank() OVER (PARTITION BY stage ORDER BY judge) = 1
)
SELECT stage, place, model_a, model_b, scenario_id, stage_a, dialogue_a, stage_b, dialogue_b
FROM first_judge
LEFT JOIN (
    SELECT judge, model_a, model_b, min(comparison) AS place FROM significance GROUP BY judge, model_a, model_b
) AS tested USING (judge, model_a, model_b)
QUALIFY row_number() OVER (PARTITION BY stage, model_a, model_b, verdict ORDER BY md5(scenario_id), scenario_id, dialogue_a) = 1;
COMMENT ON VIEW pair_samples IS 'One scenario of each verdict of the first judge, for every pair; taken by hash, so that nobody picks them.';
COMMENT ON COLUMN pair_samples.stage IS 'The judging stage.';
COMMENT ON COLUMN pair_samples.place IS 'Place of the comparison in its family, from 1; NULL when it was not tested.';
COMMENT ON COLUMN pair_samples.model_a IS 'Name of model A.';
COMMENT ON COLUMN pair_samples.model_b IS 'Name of model B.';
COMMENT ON COLUMN pair_samples.scenario_id IS 'The scenario.';
COMMENT ON COLUMN pair_samples.stage_a IS 'Stage that holds A''s dialogue.';
COMMENT ON COLUMN pair_samples.dialogue_a IS 'A''s dialogue.';
COMMENT ON COLUMN pair_samples.stage_b IS 'Stage that holds B''s dialogue.';
COMMENT ON COLUMN pair_samples.dialogue_b IS 'B''s dialogue.';
