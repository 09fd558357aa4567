-- Who judged: every judge with its model, its settings by hash, its calls, failures and tokens.
SELECT stage, judge, judge_model, spec_hash, pairs, scenarios, calls, failed_calls, prompt_tokens, completion_tokens
FROM judge_specs
ORDER BY stage, judge, spec_hash
