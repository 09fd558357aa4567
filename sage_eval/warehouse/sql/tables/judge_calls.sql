CREATE TABLE judge_calls (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    spec_hash VARCHAR NOT NULL,
    prompt_hash VARCHAR NOT NULL,
    scenario_id VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    "order" VARCHAR NOT NULL,
    raw VARCHAR NOT NULL,
    choice VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    error VARCHAR
);
COMMENT ON TABLE judge_calls IS 'One row a call to a judge: every pair is judged in both orders.';
COMMENT ON COLUMN judge_calls.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_calls.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_calls.judge_model IS 'Identity of the model or rubric that answered.';
COMMENT ON COLUMN judge_calls.spec_hash IS 'Hash of everything but the dialogues that the answer depends on.';
COMMENT ON COLUMN judge_calls.prompt_hash IS 'Hash of what the judge was shown.';
COMMENT ON COLUMN judge_calls.scenario_id IS 'Scenario of both dialogues.';
COMMENT ON COLUMN judge_calls.model_a IS 'Name of model A.';
COMMENT ON COLUMN judge_calls.model_b IS 'Name of model B.';
COMMENT ON COLUMN judge_calls."order" IS 'ab: A sat in the first seat; ba: B did.';
COMMENT ON COLUMN judge_calls.raw IS 'The answer as it came.';
COMMENT ON COLUMN judge_calls.choice IS 'By seat: first, second, tie, malformed or error.';
COMMENT ON COLUMN judge_calls.verdict IS 'The same by model: A, B, tie, malformed or error.';
COMMENT ON COLUMN judge_calls.status IS 'What became of the request: ok, api_error, refused, empty or truncated.';
COMMENT ON COLUMN judge_calls.prompt_tokens IS 'Tokens sent.';
COMMENT ON COLUMN judge_calls.completion_tokens IS 'Tokens received.';
COMMENT ON COLUMN judge_calls.error IS 'What the backend said when it failed.';
