CREATE TABLE rollout_outcomes (
    stage VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    scenario_id VARCHAR,
    sample BIGINT,
    stop_reason VARCHAR NOT NULL,
    stopped_by VARCHAR,
    exchanges BIGINT,
    agent_well_formed BIGINT,
    agent_untagged BIGINT,
    agent_malformed BIGINT,
    problems STRUCT(utterance BIGINT, problem VARCHAR)[],
    forgotten BIGINT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    user_prompt_tokens BIGINT,
    user_completion_tokens BIGINT,
    error VARCHAR
);
COMMENT ON TABLE rollout_outcomes IS 'One row a dialogue that was played, failed ones included: how it went.';
COMMENT ON COLUMN rollout_outcomes.stage IS 'The stage that played it.';
COMMENT ON COLUMN rollout_outcomes.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN rollout_outcomes.scenario_id IS 'Its scenario.';
COMMENT ON COLUMN rollout_outcomes.sample IS 'Which of its scenario''s rollouts it is, from 0.';
COMMENT ON COLUMN rollout_outcomes.stop_reason IS 'Why it ended: exchanges, farewell, loop, empty or failed.';
COMMENT ON COLUMN rollout_outcomes.stopped_by IS 'Who ended it.';
COMMENT ON COLUMN rollout_outcomes.exchanges IS 'Exchanges of a user utterance and a reply.';
COMMENT ON COLUMN rollout_outcomes.agent_well_formed IS 'Replies with both tags in the grammar.';
COMMENT ON COLUMN rollout_outcomes.agent_untagged IS 'Replies without tags.';
COMMENT ON COLUMN rollout_outcomes.agent_malformed IS 'Replies with damaged tags.';
COMMENT ON COLUMN rollout_outcomes.problems IS 'What was wrong with the tags, by utterance.';
COMMENT ON COLUMN rollout_outcomes.forgotten IS 'Older messages left out because the context was full.';
COMMENT ON COLUMN rollout_outcomes.prompt_tokens IS 'Tokens read by both models.';
COMMENT ON COLUMN rollout_outcomes.completion_tokens IS 'Tokens written by both models.';
COMMENT ON COLUMN rollout_outcomes.user_prompt_tokens IS 'Tokens read by the user simulator alone.';
COMMENT ON COLUMN rollout_outcomes.user_completion_tokens IS 'Tokens written by the user simulator alone.';
COMMENT ON COLUMN rollout_outcomes.error IS 'What the backend said when it failed.';
