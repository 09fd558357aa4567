CREATE TABLE steering (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    boost DOUBLE NOT NULL,
    scenario_id VARCHAR NOT NULL,
    sample BIGINT NOT NULL,
    seed BIGINT,
    situation VARCHAR,
    content VARCHAR,
    text VARCHAR,
    u_motivation VARCHAR,
    u_emotion VARCHAR,
    a_motivation VARCHAR,
    a_emotion VARCHAR,
    a_topics VARCHAR[],
    hit BOOLEAN,
    tags VARCHAR,
    logprob DOUBLE,
    status VARCHAR
);
COMMENT ON TABLE steering IS 'One row a reply to a scenario at one amount of boost; equal seeds make twins.';
COMMENT ON COLUMN steering.stage IS 'The steering stage.';
COMMENT ON COLUMN steering.model IS 'Identity of the agent.';
COMMENT ON COLUMN steering.boost IS 'Amount of boost; 0 is unsteered.';
COMMENT ON COLUMN steering.scenario_id IS 'The scenario.';
COMMENT ON COLUMN steering.sample IS 'Number of the reply to this scenario, from 0.';
COMMENT ON COLUMN steering.seed IS 'Seed of its draws; equal for twins.';
COMMENT ON COLUMN steering.situation IS 'What the user said.';
COMMENT ON COLUMN steering.content IS 'The reply as generated, tags included.';
COMMENT ON COLUMN steering.text IS 'The words of the reply.';
COMMENT ON COLUMN steering.u_motivation IS 'Motivation the model read in the user.';
COMMENT ON COLUMN steering.u_emotion IS 'Emotion the model read in the user.';
COMMENT ON COLUMN steering.a_motivation IS 'Motivation of the reply''s action.';
COMMENT ON COLUMN steering.a_emotion IS 'Emotion of the reply''s action.';
COMMENT ON COLUMN steering.a_topics IS 'Topics of the reply''s action.';
COMMENT ON COLUMN steering.hit IS 'True when a boosted word stands in its slot; NULL without a reply.';
COMMENT ON COLUMN steering.tags IS 'How the tags came out: well_formed, untagged or malformed.';
COMMENT ON COLUMN steering.logprob IS 'Log-probability under the unmodified model, natural log.';
COMMENT ON COLUMN steering.status IS 'What became of the request.';
