CREATE TABLE judge_agreement (
    stage VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    judge VARCHAR,
    other VARCHAR,
    raters BIGINT NOT NULL,
    units BIGINT NOT NULL,
    single BIGINT NOT NULL,
    missing BIGINT NOT NULL,
    scenarios BIGINT NOT NULL,
    opposed BIGINT NOT NULL,
    percent DOUBLE,
    percent_low DOUBLE,
    percent_high DOUBLE,
    percent_note VARCHAR,
    kappa DOUBLE,
    kappa_low DOUBLE,
    kappa_high DOUBLE,
    kappa_note VARCHAR,
    alpha DOUBLE,
    alpha_low DOUBLE,
    alpha_high DOUBLE,
    alpha_note VARCHAR,
    ac1 DOUBLE,
    ac1_low DOUBLE,
    ac1_high DOUBLE,
    ac1_note VARCHAR,
    note VARCHAR,
    level DOUBLE,
    resamples BIGINT,
    seed BIGINT
);
COMMENT ON TABLE judge_agreement IS 'One row a comparison of judges, or of a judge with itself asked again, on the same pairs.';
COMMENT ON COLUMN judge_agreement.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_agreement.kind IS 'judges: two of them; panel: all, where there are three or more; retest: one judge asked again.';
COMMENT ON COLUMN judge_agreement.judge IS 'The judge, or the first of two; NULL for a panel.';
COMMENT ON COLUMN judge_agreement.other IS 'The second of two judges.';
COMMENT ON COLUMN judge_agreement.raters IS 'Judges, or askings, compared.';
COMMENT ON COLUMN judge_agreement.units IS 'Pairs of dialogues with two or more readable verdicts.';
COMMENT ON COLUMN judge_agreement.single IS 'Pairs with one readable verdict.';
COMMENT ON COLUMN judge_agreement.missing IS 'Verdicts that failed or were not asked for.';
COMMENT ON COLUMN judge_agreement.scenarios IS 'Scenarios of the units.';
COMMENT ON COLUMN judge_agreement.opposed IS 'Pairs of which one says A and another B.';
COMMENT ON COLUMN judge_agreement.percent IS 'Share of pairs of raters with the same verdict, over A, B, tie, inconsistent.';
COMMENT ON COLUMN judge_agreement.percent_low IS 'Lower limit of percent, over scenarios.';
COMMENT ON COLUMN judge_agreement.percent_high IS 'Upper limit of percent, over scenarios.';
COMMENT ON COLUMN judge_agreement.percent_note IS 'Why there is no percent or no interval, or how it was made.';
COMMENT ON COLUMN judge_agreement.kappa IS 'Cohen''s kappa, over A, B, tie, inconsistent.';
COMMENT ON COLUMN judge_agreement.kappa_low IS 'Lower limit of kappa, over scenarios.';
COMMENT ON COLUMN judge_agreement.kappa_high IS 'Upper limit of kappa, over scenarios.';
COMMENT ON COLUMN judge_agreement.kappa_note IS 'Why there is no kappa or no interval, or how it was made.';
COMMENT ON COLUMN judge_agreement.alpha IS 'Krippendorff''s alpha, over A, B, tie, inconsistent.';
COMMENT ON COLUMN judge_agreement.alpha_low IS 'Lower limit of alpha, over scenarios.';
COMMENT ON COLUMN judge_agreement.alpha_high IS 'Upper limit of alpha, over scenarios.';
COMMENT ON COLUMN judge_agreement.alpha_note IS 'Why there is no alpha or no interval, or how it was made.';
COMMENT ON COLUMN judge_agreement.ac1 IS 'Gwet''s AC1, over A, B, tie, inconsistent.';
COMMENT ON COLUMN judge_agreement.ac1_low IS 'Lower limit of ac1, over scenarios.';
COMMENT ON COLUMN judge_agreement.ac1_high IS 'Upper limit of ac1, over scenarios.';
COMMENT ON COLUMN judge_agreement.ac1_note IS 'Why there is no ac1 or no interval, or how it was made.';
COMMENT ON COLUMN judge_agreement.note IS 'Why there is nothing to compare.';
COMMENT ON COLUMN judge_agreement.level IS 'Nominal coverage of the intervals.';
COMMENT ON COLUMN judge_agreement.resamples IS 'Bootstrap resamples of scenarios.';
COMMENT ON COLUMN judge_agreement.seed IS 'Seed of the bootstrap.';
