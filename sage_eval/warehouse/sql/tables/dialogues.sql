CREATE TABLE dialogues (
    stage VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    model VARCHAR,
    scenario_id VARCHAR,
    sample BIGINT,
    corpus VARCHAR NOT NULL,
    thread VARCHAR,
    place VARCHAR,
    created_utc BIGINT,
    turns INTEGER NOT NULL,
    words INTEGER NOT NULL,
    assistant_words DOUBLE
);
COMMENT ON TABLE dialogues IS 'One row a dialogue and stage: the same dialogue appears once for each stage that kept or made it.';
COMMENT ON COLUMN dialogues.stage IS 'The stage that wrote it.';
COMMENT ON COLUMN dialogues.dialogue_id IS 'Id, unique within its stage.';
COMMENT ON COLUMN dialogues.model IS 'Identity of the agent that spoke as the assistant; NULL for found dialogues.';
COMMENT ON COLUMN dialogues.scenario_id IS 'Scenario it was rolled out from; NULL for found dialogues.';
COMMENT ON COLUMN dialogues.sample IS 'Which of its scenario''s rollouts it is, from 0; NULL where there is one only, or none.';
COMMENT ON COLUMN dialogues.corpus IS 'Short name of where it comes from, for example reddit or self-play.';
COMMENT ON COLUMN dialogues.thread IS 'Thread or conversation id in that corpus.';
COMMENT ON COLUMN dialogues.place IS 'Community, for example a subreddit''s name.';
COMMENT ON COLUMN dialogues.created_utc IS 'Time of the first utterance, seconds since 1970-01-01 UTC.';
COMMENT ON COLUMN dialogues.turns IS 'Number of utterances.';
COMMENT ON COLUMN dialogues.words IS 'Words of all utterances, split at white space.';
COMMENT ON COLUMN dialogues.assistant_words IS 'Mean words of an assistant utterance; NULL without one.';
