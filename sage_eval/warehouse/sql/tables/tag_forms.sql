CREATE TABLE tag_forms (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    form VARCHAR NOT NULL,
    count BIGINT NOT NULL,
    share DOUBLE,
    n BIGINT NOT NULL,
    low DOUBLE,
    high DOUBLE,
    clusters BIGINT,
    level DOUBLE
);
COMMENT ON TABLE tag_forms IS 'One row a model and form: how the tags of its replies came out.';
COMMENT ON COLUMN tag_forms.stage IS 'The stage that measured it.';
COMMENT ON COLUMN tag_forms.model IS 'Name of the model.';
COMMENT ON COLUMN tag_forms.source IS 'dialogues or outcomes.';
COMMENT ON COLUMN tag_forms.form IS 'whole, partly, absent (dialogues); well_formed, malformed, untagged (outcomes).';
COMMENT ON COLUMN tag_forms.count IS 'Replies of this form.';
COMMENT ON COLUMN tag_forms.share IS 'count / n.';
COMMENT ON COLUMN tag_forms.n IS 'Replies.';
COMMENT ON COLUMN tag_forms.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN tag_forms.high IS 'Upper limit.';
COMMENT ON COLUMN tag_forms.clusters IS 'Scenarios (or dialogues without one) that they come from.';
COMMENT ON COLUMN tag_forms.level IS 'Coverage of the intervals.';
