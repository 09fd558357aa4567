CREATE TABLE behaviour_differences (
    stage VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    value VARCHAR,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    mean_a DOUBLE,
    mean_b DOUBLE,
    difference DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p DOUBLE,
    p_holm DOUBLE,
    p_bh DOUBLE,
    family_size BIGINT,
    scenarios BIGINT,
    n BIGINT NOT NULL,
    level DOUBLE,
    seed BIGINT
);
COMMENT ON TABLE behaviour_differences IS 'One row a pair of models and measure: difference over the scenarios both have.';
COMMENT ON COLUMN behaviour_differences.stage IS 'The stage that measured it.';
COMMENT ON COLUMN behaviour_differences.family IS 'What is adjusted together: a kind and slot of states, style, or incarnation.';
COMMENT ON COLUMN behaviour_differences.value IS 'The state''s value or the measure; NULL for a state stated as none.';
COMMENT ON COLUMN behaviour_differences.model_a IS 'Model A.';
COMMENT ON COLUMN behaviour_differences.model_b IS 'Model B.';
COMMENT ON COLUMN behaviour_differences.mean_a IS 'Mean of A''s scenario means.';
COMMENT ON COLUMN behaviour_differences.mean_b IS 'Mean of B''s.';
COMMENT ON COLUMN behaviour_differences.difference IS 'mean_b - mean_a, with low and high.';
COMMENT ON COLUMN behaviour_differences.low IS 'Lower limit; NULL where no interval is offered.';
COMMENT ON COLUMN behaviour_differences.high IS 'Upper limit.';
COMMENT ON COLUMN behaviour_differences.p IS 'Two-sided p of the sign-flip test over scenarios; NULL when undecidable.';
COMMENT ON COLUMN behaviour_differences.p_holm IS 'p adjusted by Holm over the family.';
COMMENT ON COLUMN behaviour_differences.p_bh IS 'p adjusted by Benjamini and Hochberg.';
COMMENT ON COLUMN behaviour_differences.family_size IS 'Comparisons in the family.';
COMMENT ON COLUMN behaviour_differences.scenarios IS 'Scenarios that both models have.';
COMMENT ON COLUMN behaviour_differences.n IS 'Observations of both in them.';
COMMENT ON COLUMN behaviour_differences.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN behaviour_differences.seed IS 'Seed of what was drawn.';
