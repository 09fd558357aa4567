CREATE TABLE judge_self_test_calls (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    spec_hash VARCHAR NOT NULL,
    prompt_hash VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    pair BIGINT NOT NULL,
    scenario_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    "order" VARCHAR NOT NULL,
    raw VARCHAR NOT NULL,
    choice VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    held BOOLEAN,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    error VARCHAR
);
COMMENT ON TABLE judge_self_test_calls IS 'One row a call of the judge self-test: every pair is asked about in both orders.';
COMMENT ON COLUMN judge_self_test_calls.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_self_test_calls.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_self_test_calls.judge_model IS 'Identity of the model or rubric that answered.';
COMMENT ON COLUMN judge_self_test_calls.spec_hash IS 'Hash of everything but the dialogues that the judges answers depend on.';
COMMENT ON COLUMN judge_self_test_calls.prompt_hash IS 'Hash of what the judge was shown.';
COMMENT ON COLUMN judge_self_test_calls.check_name IS 'identical, a degradation (shuffled, foreign, repeated, emptied, padded), injected_user, injected_assistant, consistent, renamed or null_model.';
COMMENT ON COLUMN judge_self_test_calls.pair IS 'Number of the scenario among those drawn, from 0.';
COMMENT ON COLUMN judge_self_test_calls.scenario_id IS 'Scenario whose dialogues were used.';
COMMENT ON COLUMN judge_self_test_calls.variant IS 'The attack, or what the null model says; else the model, or models, whose dialogues were used.';
COMMENT ON COLUMN judge_self_test_calls."order" IS 'ab: the original, or the pairs first dialogue, sat first; ba: the other did.';
COMMENT ON COLUMN judge_self_test_calls.raw IS 'The answer as it came.';
COMMENT ON COLUMN judge_self_test_calls.choice IS 'By seat: first, second, tie, malformed or error.';
COMMENT ON COLUMN judge_self_test_calls.status IS 'What became of the request: ok, api_error, refused, empty or truncated.';
COMMENT ON COLUMN judge_self_test_calls.verdict IS 'Both orders together: A (the original), B (the copy), tie, inconsistent, malformed or error.';
COMMENT ON COLUMN judge_self_test_calls.held IS 'Whether the pair came out as it should; NULL when a call failed.';
COMMENT ON COLUMN judge_self_test_calls.prompt_tokens IS 'Tokens sent.';
COMMENT ON COLUMN judge_self_test_calls.completion_tokens IS 'Tokens received.';
COMMENT ON COLUMN judge_self_test_calls.error IS 'What the backend said when it failed.';
