CREATE TABLE incarnation (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    scenario_id VARCHAR,
    turn BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    span_start BIGINT,
    span_end BIGINT,
    matched VARCHAR,
    excluded VARCHAR,
    reply VARCHAR NOT NULL
);
COMMENT ON TABLE incarnation IS 'One row a place in a reply where a rule for claims to be human matched, cancelled ones included.';
COMMENT ON COLUMN incarnation.stage IS 'The stage that measured it.';
COMMENT ON COLUMN incarnation.model IS 'Name of the model.';
COMMENT ON COLUMN incarnation.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN incarnation.scenario_id IS 'Its scenario.';
COMMENT ON COLUMN incarnation.turn IS 'Place of the utterance in the dialogue, from 0.';
COMMENT ON COLUMN incarnation.kind IS 'human, body, past, family, place or meeting.';
COMMENT ON COLUMN incarnation.rule IS 'Name of the rule.';
COMMENT ON COLUMN incarnation.span_start IS 'Place of the first matched character in the reply, from 0.';
COMMENT ON COLUMN incarnation.span_end IS 'Place after the last.';
COMMENT ON COLUMN incarnation.matched IS 'The matched words.';
COMMENT ON COLUMN incarnation.excluded IS 'Name of the exclusion that cancels the hit; NULL for a claim.';
COMMENT ON COLUMN incarnation.reply IS 'The whole reply.';
