CREATE VIEW verdict_sides AS
WITH checkpoints AS (
    SELECT stage, any_value(label) AS checkpoint FROM run_inputs WHERE input = 'agent' GROUP BY stage
), sides AS (
    SELECT stage, judge, scenario_id, coalesce(sample, 0) AS sample, model_a, model_b, 'A' AS side, model_a AS model, model_b AS opponent, verdict,
        stage_a AS dialogue_stage, dialogue_a AS dialogue_id, words_a AS words, words_b AS opponent_words
    FROM pair_verdicts
    WHERE coalesce(replicate, 0) = 0
    UNION ALL
    SELECT stage, judge, scenario_id, coalesce(sample, 0), model_a, model_b, 'B', model_b, model_a, verdict,
        stage_b, dialogue_b, words_b, words_a
    FROM pair_verdicts
    WHERE coalesce(replicate, 0) = 0
)
SELECT
    s.*,
    CASE WHEN s.verdict IN ('A', 'B') THEN if(s.verdict = s.side, 'won', 'lost') ELSE s.verdict END AS outcome,
    c.checkpoint
FROM sides AS s
LEFT JOIN checkpoints AS c ON c.stage = s.dialogue_stage;
COMMENT ON VIEW verdict_sides IS 'Two rows a pair verdict (repeats for test-retest left out), one for each model: its dialogue, whether it won, and the checkpoint that spoke.';
COMMENT ON COLUMN verdict_sides.stage IS 'The judging stage.';
COMMENT ON COLUMN verdict_sides.judge IS 'Short name of the judge.';
COMMENT ON COLUMN verdict_sides.scenario_id IS 'Scenario of both dialogues.';
COMMENT ON COLUMN verdict_sides.sample IS 'Which of the scenario''s rollouts, from 0.';
COMMENT ON COLUMN verdict_sides.model_a IS 'Name of model A of the pair.';
COMMENT ON COLUMN verdict_sides.model_b IS 'Name of model B of the pair.';
COMMENT ON COLUMN verdict_sides.side IS 'Which of the two this row is about: A or B.';
COMMENT ON COLUMN verdict_sides.model IS 'Name of this side''s model.';
COMMENT ON COLUMN verdict_sides.opponent IS 'Name of the other side''s model.';
COMMENT ON COLUMN verdict_sides.verdict IS 'A, B, tie, inconsistent, malformed or error, as in pair_verdicts.';
COMMENT ON COLUMN verdict_sides.dialogue_stage IS 'Stage that holds this side''s dialogue: the stage of its turns and candidates.';
COMMENT ON COLUMN verdict_sides.dialogue_id IS 'This side''s dialogue: the dialogue_id of its turns and candidates.';
COMMENT ON COLUMN verdict_sides.words IS 'Mean words of this side''s utterances.';
COMMENT ON COLUMN verdict_sides.opponent_words IS 'Mean words of the other side''s.';
COMMENT ON COLUMN verdict_sides.outcome IS 'won or lost; else the verdict.';
COMMENT ON COLUMN verdict_sides.checkpoint IS 'Stage that made the model that spoke: the model of its bench_samples and the stage of its training_curves.';
