CREATE TABLE turns (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    scenario_id VARCHAR,
    sample BIGINT,
    dialogue_id VARCHAR NOT NULL,
    turn INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    words INTEGER NOT NULL,
    asks BOOLEAN NOT NULL,
    motivation VARCHAR,
    emotion VARCHAR,
    topics VARCHAR[],
    perceived_motivation VARCHAR,
    perceived_emotion VARCHAR,
    perceived_topics VARCHAR[],
    previous_user_motivation VARCHAR,
    previous_user_emotion VARCHAR,
    next_motivation VARCHAR,
    next_emotion VARCHAR,
    source_id VARCHAR
);
COMMENT ON TABLE turns IS 'One row an utterance, sorted by model, stage, dialogue and turn.';
COMMENT ON COLUMN turns.stage IS 'The stage that wrote the dialogue.';
COMMENT ON COLUMN turns.model IS 'Identity of the agent that spoke as the assistant; NULL for found dialogues.';
COMMENT ON COLUMN turns.scenario_id IS 'Scenario of the dialogue; NULL for found dialogues.';
COMMENT ON COLUMN turns.sample IS 'Which of its scenario''s rollouts it is, from 0; NULL for found dialogues.';
COMMENT ON COLUMN turns.dialogue_id IS 'The dialogue; with stage and turn it identifies the row.';
COMMENT ON COLUMN turns.turn IS 'Place in the dialogue, from 0.';
COMMENT ON COLUMN turns.role IS 'user or assistant.';
COMMENT ON COLUMN turns.text IS 'The words, without any tag.';
COMMENT ON COLUMN turns.words IS 'Number of words, split at white space.';
COMMENT ON COLUMN turns.asks IS 'True when the text ends in a question mark.';
COMMENT ON COLUMN turns.motivation IS 'The speaker''s own motivation, annotated or declared by the model; NULL: none.';
COMMENT ON COLUMN turns.emotion IS 'The speaker''s own emotion; NULL: none.';
COMMENT ON COLUMN turns.topics IS 'The speaker''s own topics, most important first; NULL when not annotated.';
COMMENT ON COLUMN turns.perceived_motivation IS 'Motivation the speaking model read in the utterance before.';
COMMENT ON COLUMN turns.perceived_emotion IS 'Emotion the speaking model read in the utterance before.';
COMMENT ON COLUMN turns.perceived_topics IS 'Topics the speaking model read in the utterance before.';
COMMENT ON COLUMN turns.previous_user_motivation IS 'Own motivation of the last user utterance before this one.';
COMMENT ON COLUMN turns.previous_user_emotion IS 'Own emotion of the last user utterance before this one.';
COMMENT ON COLUMN turns.next_motivation IS 'Own motivation of the same speaker''s next utterance in this dialogue.';
COMMENT ON COLUMN turns.next_emotion IS 'Own emotion of the same speaker''s next utterance in this dialogue.';
COMMENT ON COLUMN turns.source_id IS 'Id of the comment or record the text came from.';
