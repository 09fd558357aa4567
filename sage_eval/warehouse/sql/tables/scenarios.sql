CREATE TABLE scenarios (
    stage VARCHAR NOT NULL,
    scenario_id VARCHAR NOT NULL,
    situation VARCHAR NOT NULL,
    emotion VARCHAR,
    split VARCHAR NOT NULL
);
COMMENT ON TABLE scenarios IS 'Situations to talk about: the user''s opening words in self-play and evaluation.';
COMMENT ON COLUMN scenarios.stage IS 'The stage that wrote it.';
COMMENT ON COLUMN scenarios.scenario_id IS 'Id of the scenario, for example an EmpatheticDialogues conv_id.';
COMMENT ON COLUMN scenarios.situation IS 'The opening words.';
COMMENT ON COLUMN scenarios.emotion IS 'Label given by its author; never shown to a model.';
COMMENT ON COLUMN scenarios.split IS 'train, dev or test.';
