CREATE TABLE emotion_confusions (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    mapped VARCHAR,
    count BIGINT NOT NULL,
    label_count BIGINT
);
COMMENT ON TABLE emotion_confusions IS 'One row a model, label and mapped first reading.';
COMMENT ON COLUMN emotion_confusions.stage IS 'The stage that measured it.';
COMMENT ON COLUMN emotion_confusions.model IS 'Name of the model.';
COMMENT ON COLUMN emotion_confusions.kind IS 'perceived or user.';
COMMENT ON COLUMN emotion_confusions.label IS 'The scenario''s label.';
COMMENT ON COLUMN emotion_confusions.mapped IS 'The first reading''s label; NULL when unmapped.';
COMMENT ON COLUMN emotion_confusions.count IS 'Dialogues with this pair.';
COMMENT ON COLUMN emotion_confusions.label_count IS 'Dialogues with this label.';
