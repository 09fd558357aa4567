CREATE TABLE pair_verdicts (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    spec_hash VARCHAR NOT NULL,
    plan_hash VARCHAR,
    scenario_id VARCHAR NOT NULL,
    sample BIGINT,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    stage_a VARCHAR,
    stage_b VARCHAR,
    dialogue_a VARCHAR NOT NULL,
    dialogue_b VARCHAR NOT NULL,
    replicate BIGINT,
    verdict VARCHAR NOT NULL,
    self_test VARCHAR,
    choice_ab VARCHAR,
    choice_ba VARCHAR,
    raw_ab VARCHAR,
    raw_ba VARCHAR,
    abstained BIGINT,
    words_a DOUBLE,
    words_b DOUBLE
);
COMMENT ON TABLE pair_verdicts IS 'One row a scenario, sample, pair of models and judge: both orders together.';
COMMENT ON COLUMN pair_verdicts.stage IS 'The judging stage.';
COMMENT ON COLUMN pair_verdicts.judge IS 'Short name of the judge; panel for the majority of all judges.';
COMMENT ON COLUMN pair_verdicts.judge_model IS 'Identity of the model or rubric that judged.';
COMMENT ON COLUMN pair_verdicts.spec_hash IS 'Hash of everything but the dialogues that the judges answers depend on.';
COMMENT ON COLUMN pair_verdicts.plan_hash IS 'Hash of the analysis plan written before the first call; NULL without one.';
COMMENT ON COLUMN pair_verdicts.scenario_id IS 'Scenario of both dialogues.';
COMMENT ON COLUMN pair_verdicts.sample IS 'Which rollout of the scenario, from 0; NULL in older tables, where there was one.';
COMMENT ON COLUMN pair_verdicts.model_a IS 'Name of model A.';
COMMENT ON COLUMN pair_verdicts.model_b IS 'Name of model B.';
COMMENT ON COLUMN pair_verdicts.stage_a IS 'Stage whose dialogues A stands for; with dialogue_a it leads to turns.';
COMMENT ON COLUMN pair_verdicts.stage_b IS 'Stage whose dialogues B stands for; with dialogue_b it leads to turns.';
COMMENT ON COLUMN pair_verdicts.dialogue_a IS 'A''s dialogue.';
COMMENT ON COLUMN pair_verdicts.dialogue_b IS 'B''s dialogue.';
COMMENT ON COLUMN pair_verdicts.replicate IS 'How often the same was asked before: 0 counts, others are for test-retest agreement.';
COMMENT ON COLUMN pair_verdicts.verdict IS 'A, B, tie, inconsistent (the orders disagree), malformed or error.';
COMMENT ON COLUMN pair_verdicts.self_test IS 'How the judge did on questions with known answers; if it failed, do not count on it.';
COMMENT ON COLUMN pair_verdicts.choice_ab IS 'Choice of seat when A sat first; NULL for the panel.';
COMMENT ON COLUMN pair_verdicts.choice_ba IS 'Choice of seat when B sat first; NULL for the panel.';
COMMENT ON COLUMN pair_verdicts.raw_ab IS 'Answer when A sat first; NULL for the panel.';
COMMENT ON COLUMN pair_verdicts.raw_ba IS 'Answer when B sat first; NULL for the panel.';
COMMENT ON COLUMN pair_verdicts.abstained IS 'Judges of the panel whose verdict cannot be read; NULL for a single judge.';
COMMENT ON COLUMN pair_verdicts.words_a IS 'Mean words of A''s utterances.';
COMMENT ON COLUMN pair_verdicts.words_b IS 'Mean words of B''s utterances.';
