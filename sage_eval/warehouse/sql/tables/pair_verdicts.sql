CREATE TABLE pair_verdicts (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    spec_hash VARCHAR NOT NULL,
    scenario_id VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    stage_a VARCHAR,
    stage_b VARCHAR,
    dialogue_a VARCHAR NOT NULL,
    dialogue_b VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    choice_ab VARCHAR NOT NULL,
    choice_ba VARCHAR NOT NULL,
    raw_ab VARCHAR NOT NULL,
    raw_ba VARCHAR NOT NULL,
    words_a DOUBLE,
    words_b DOUBLE
);
COMMENT ON TABLE pair_verdicts IS 'One row a scenario, pair of models and judge: both orders together.';
COMMENT ON COLUMN pair_verdicts.stage IS 'The judging stage.';
COMMENT ON COLUMN pair_verdicts.judge IS 'Short name of the judge.';
COMMENT ON COLUMN pair_verdicts.judge_model IS 'Identity of the model or rubric that judged.';
COMMENT ON COLUMN pair_verdicts.spec_hash IS 'Hash of everything but the dialogues that the judges answers depend on.';
COMMENT ON COLUMN pair_verdicts.scenario_id IS 'Scenario of both dialogues.';
COMMENT ON COLUMN pair_verdicts.model_a IS 'Name of model A.';
COMMENT ON COLUMN pair_verdicts.model_b IS 'Name of model B.';
COMMENT ON COLUMN pair_verdicts.stage_a IS 'Stage whose dialogues A stands for; with dialogue_a it leads to turns.';
COMMENT ON COLUMN pair_verdicts.stage_b IS 'Stage whose dialogues B stands for; with dialogue_b it leads to turns.';
COMMENT ON COLUMN pair_verdicts.dialogue_a IS 'A''s dialogue.';
COMMENT ON COLUMN pair_verdicts.dialogue_b IS 'B''s dialogue.';
COMMENT ON COLUMN pair_verdicts.verdict IS 'A, B, tie, inconsistent (the orders disagree), malformed or error.';
COMMENT ON COLUMN pair_verdicts.choice_ab IS 'Choice of seat when A sat first.';
COMMENT ON COLUMN pair_verdicts.choice_ba IS 'Choice of seat when B sat first.';
COMMENT ON COLUMN pair_verdicts.raw_ab IS 'Answer when A sat first.';
COMMENT ON COLUMN pair_verdicts.raw_ba IS 'Answer when B sat first.';
COMMENT ON COLUMN pair_verdicts.words_a IS 'Mean words of A''s utterances.';
COMMENT ON COLUMN pair_verdicts.words_b IS 'Mean words of B''s utterances.';
