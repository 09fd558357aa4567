CREATE VIEW judge_specs AS
SELECT
    c.stage,
    c.judge,
    c.spec_hash,
    c.judge_model,
    r.version AS stage_version,
    count(DISTINCT (c.model_a, c.model_b)) AS pairs,
    count(DISTINCT c.scenario_id) AS scenarios,
    count(*) AS calls,
    count(*) FILTER (c.choice IN ('malformed', 'error')) AS failed_calls,
    sum(c.prompt_tokens)::BIGINT AS prompt_tokens,
    sum(c.completion_tokens)::BIGINT AS completion_tokens
FROM judge_calls AS c
LEFT JOIN runs AS r USING (stage)
GROUP BY c.stage, c.judge, c.spec_hash, c.judge_model, r.version;
COMMENT ON VIEW judge_specs IS 'One row a judge as it was asked: its model and settings by hash, and what it was asked for.';
COMMENT ON COLUMN judge_specs.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_specs.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_specs.spec_hash IS 'Hash of everything but the dialogues that the answers depend on; two under one name were two judges.';
COMMENT ON COLUMN judge_specs.judge_model IS 'Identity of the model or rubric that answered.';
COMMENT ON COLUMN judge_specs.stage_version IS 'Version of the judging module.';
COMMENT ON COLUMN judge_specs.pairs IS 'Pairs of models it was asked about.';
COMMENT ON COLUMN judge_specs.scenarios IS 'Scenarios it was asked about.';
COMMENT ON COLUMN judge_specs.calls IS 'Calls, two a pair of dialogues.';
COMMENT ON COLUMN judge_specs.failed_calls IS 'Calls that gave no readable choice.';
COMMENT ON COLUMN judge_specs.prompt_tokens IS 'Tokens sent; NULL when no call counted them.';
COMMENT ON COLUMN judge_specs.completion_tokens IS 'Tokens received; NULL when no call counted them.';
