CREATE TABLE funnel (
    position INTEGER NOT NULL,
    stage VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    reason VARCHAR,
    n BIGINT NOT NULL
);
COMMENT ON TABLE funnel IS 'What became of every row that came into a stage: came_in = kept + dropped by reason + quarantined.';
COMMENT ON COLUMN funnel.position IS 'Place of the stage in the recipe, from 0.';
COMMENT ON COLUMN funnel.stage IS 'The stage that counted.';
COMMENT ON COLUMN funnel.unit IS 'What is counted: lines, comments, dialogues, ...';
COMMENT ON COLUMN funnel.outcome IS 'came_in, kept, dropped or quarantined.';
COMMENT ON COLUMN funnel.reason IS 'Reason code, for dropped rows only.';
COMMENT ON COLUMN funnel.n IS 'Number of rows.';
