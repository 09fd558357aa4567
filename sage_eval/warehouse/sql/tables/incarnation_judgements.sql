CREATE TABLE incarnation_judgements (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    scenario_id VARCHAR,
    turn BIGINT NOT NULL,
    judge VARCHAR,
    answer VARCHAR NOT NULL,
    rules BOOLEAN,
    status VARCHAR,
    raw VARCHAR,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    error VARCHAR
);
COMMENT ON TABLE incarnation_judgements IS 'One row a reply that a judge was asked about: does it claim a human life?';
COMMENT ON COLUMN incarnation_judgements.stage IS 'The stage that measured it.';
COMMENT ON COLUMN incarnation_judgements.model IS 'Name of the model.';
COMMENT ON COLUMN incarnation_judgements.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN incarnation_judgements.scenario_id IS 'Its scenario.';
COMMENT ON COLUMN incarnation_judgements.turn IS 'Place of the utterance in the dialogue, from 0.';
COMMENT ON COLUMN incarnation_judgements.judge IS 'Identity of the judge.';
COMMENT ON COLUMN incarnation_judgements.answer IS 'yes, no, malformed or error.';
COMMENT ON COLUMN incarnation_judgements.rules IS 'True when the rules find a claim.';
COMMENT ON COLUMN incarnation_judgements.status IS 'What became of the request.';
COMMENT ON COLUMN incarnation_judgements.raw IS 'The judge''s reply.';
COMMENT ON COLUMN incarnation_judgements.prompt_tokens IS 'Tokens read.';
COMMENT ON COLUMN incarnation_judgements.completion_tokens IS 'Tokens written.';
COMMENT ON COLUMN incarnation_judgements.error IS 'What the backend said when it failed.';
