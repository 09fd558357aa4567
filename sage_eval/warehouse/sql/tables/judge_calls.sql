CREATE TABLE judge_calls (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    provider_version VARCHAR,
    spec_hash VARCHAR NOT NULL,
    prompt_hash VARCHAR NOT NULL,
    plan_hash VARCHAR,
    scenario_id VARCHAR NOT NULL,
    sample BIGINT,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    "order" VARCHAR NOT NULL,
    replicate BIGINT,
    raw VARCHAR NOT NULL,
    choice VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    cost_usd DOUBLE,
    error VARCHAR
);
COMMENT ON TABLE judge_calls IS 'One row a call to a judge: every pair is judged in both orders, some more than once.';
COMMENT ON COLUMN judge_calls.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_calls.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_calls.judge_model IS 'Identity of the model or rubric that was asked.';
COMMENT ON COLUMN judge_calls.provider_version IS 'Who answered, as they call themselves: a server''s model and version.';
COMMENT ON COLUMN judge_calls.spec_hash IS 'Hash of everything but the dialogues that the answer depends on.';
COMMENT ON COLUMN judge_calls.prompt_hash IS 'Hash of what the judge was shown.';
COMMENT ON COLUMN judge_calls.plan_hash IS 'Hash of the analysis plan written before the first call; NULL without one.';
COMMENT ON COLUMN judge_calls.scenario_id IS 'Scenario of both dialogues.';
COMMENT ON COLUMN judge_calls.sample IS 'Which rollout of the scenario, from 0; NULL in older tables, where there was one.';
COMMENT ON COLUMN judge_calls.model_a IS 'Name of model A.';
COMMENT ON COLUMN judge_calls.model_b IS 'Name of model B.';
COMMENT ON COLUMN judge_calls."order" IS 'ab: A sat in the first seat; ba: B did.';
COMMENT ON COLUMN judge_calls.replicate IS 'How often the same was asked before: 0 counts, others are for test-retest agreement.';
COMMENT ON COLUMN judge_calls.raw IS 'The answer as it came.';
COMMENT ON COLUMN judge_calls.choice IS 'By seat: first, second, tie, malformed or error.';
COMMENT ON COLUMN judge_calls.verdict IS 'The same by model: A, B, tie, malformed or error.';
COMMENT ON COLUMN judge_calls.status IS 'What became of the request: ok, api_error, refused, empty or truncated.';
COMMENT ON COLUMN judge_calls.prompt_tokens IS 'Tokens sent.';
COMMENT ON COLUMN judge_calls.completion_tokens IS 'Tokens received.';
COMMENT ON COLUMN judge_calls.cost_usd IS 'US dollars, from the prices given; NULL without. The same words twice are paid once.';
COMMENT ON COLUMN judge_calls.error IS 'What the backend said when it failed.';
