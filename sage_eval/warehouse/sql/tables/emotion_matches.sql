CREATE TABLE emotion_matches (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    scenario_id VARCHAR,
    turn BIGINT NOT NULL,
    reading BIGINT,
    label VARCHAR NOT NULL,
    emotion VARCHAR,
    mapped VARCHAR,
    hit BOOLEAN
);
COMMENT ON TABLE emotion_matches IS 'One row a reading of the user''s emotion, in dialogues whose scenario has a label.';
COMMENT ON COLUMN emotion_matches.stage IS 'The stage that measured it.';
COMMENT ON COLUMN emotion_matches.model IS 'Name of the model.';
COMMENT ON COLUMN emotion_matches.kind IS 'perceived: the assistant''s reading; user: the user''s own state.';
COMMENT ON COLUMN emotion_matches.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN emotion_matches.scenario_id IS 'Its scenario.';
COMMENT ON COLUMN emotion_matches.turn IS 'Place of the utterance in the dialogue, from 0.';
COMMENT ON COLUMN emotion_matches.reading IS 'Number of the user utterance that was read, from 0.';
COMMENT ON COLUMN emotion_matches.label IS 'Emotion that the scenario''s author named.';
COMMENT ON COLUMN emotion_matches.emotion IS 'Emotion as read; NULL when read as none.';
COMMENT ON COLUMN emotion_matches.mapped IS 'Its label among the 32; NULL when unmapped.';
COMMENT ON COLUMN emotion_matches.hit IS 'mapped = label; NULL when unmapped.';
