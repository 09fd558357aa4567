CREATE TABLE significance (
    stage VARCHAR NOT NULL,
    comparison INTEGER NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    wins_a BIGINT NOT NULL,
    ties BIGINT NOT NULL,
    wins_b BIGINT NOT NULL,
    inconsistent BIGINT NOT NULL,
    malformed BIGINT NOT NULL,
    error BIGINT NOT NULL,
    n BIGINT NOT NULL,
    p DOUBLE,
    log_p DOUBLE,
    p_holm DOUBLE,
    share_b DOUBLE,
    share_b_low DOUBLE,
    share_b_high DOUBLE,
    share_b_exact_low DOUBLE,
    share_b_exact_high DOUBLE,
    net_win DOUBLE,
    net_win_low DOUBLE,
    net_win_high DOUBLE,
    half_tie_score DOUBLE,
    conclusion VARCHAR NOT NULL,
    stars VARCHAR,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    family_size BIGINT NOT NULL
);
COMMENT ON TABLE significance IS 'One row a judge and pair of models: the exact sign test over scenarios.';
COMMENT ON COLUMN significance.stage IS 'The testing stage.';
COMMENT ON COLUMN significance.comparison IS 'Place in the family, from 1, in the order of the judging stage.';
COMMENT ON COLUMN significance.judge IS 'Short name of the judge.';
COMMENT ON COLUMN significance.model_a IS 'Name of model A.';
COMMENT ON COLUMN significance.model_b IS 'Name of model B.';
COMMENT ON COLUMN significance.wins_a IS 'Scenarios that A won in both orders.';
COMMENT ON COLUMN significance.ties IS 'Scenarios called equal in both orders.';
COMMENT ON COLUMN significance.wins_b IS 'Scenarios that B won in both orders.';
COMMENT ON COLUMN significance.inconsistent IS 'Scenarios where the two orders disagree.';
COMMENT ON COLUMN significance.malformed IS 'Scenarios with an unreadable answer; excluded.';
COMMENT ON COLUMN significance.error IS 'Scenarios without an answer; excluded.';
COMMENT ON COLUMN significance.n IS 'Scenarios with a readable verdict.';
COMMENT ON COLUMN significance.p IS 'Exact two-sided p of the sign test on decisive scenarios; NULL without any.';
COMMENT ON COLUMN significance.log_p IS 'Natural logarithm of p, finite where p underflows.';
COMMENT ON COLUMN significance.p_holm IS 'p adjusted by Holm over the whole family.';
COMMENT ON COLUMN significance.share_b IS 'B''s share of the decisive scenarios.';
COMMENT ON COLUMN significance.share_b_low IS 'Lower Wilson limit of share_b.';
COMMENT ON COLUMN significance.share_b_high IS 'Upper Wilson limit of share_b.';
COMMENT ON COLUMN significance.share_b_exact_low IS 'Lower Clopper-Pearson limit of share_b.';
COMMENT ON COLUMN significance.share_b_exact_high IS 'Upper Clopper-Pearson limit of share_b.';
COMMENT ON COLUMN significance.net_win IS '(wins_b - wins_a) / n, from -1 to 1.';
COMMENT ON COLUMN significance.net_win_low IS 'Net win if every failed scenario had gone to A.';
COMMENT ON COLUMN significance.net_win_high IS 'Net win if every failed scenario had gone to B.';
COMMENT ON COLUMN significance.half_tie_score IS 'B''s wins plus half of what neither won, as a share of n.';
COMMENT ON COLUMN significance.conclusion IS 'A better, B better, not shown or undecidable, at alpha after Holm.';
COMMENT ON COLUMN significance.stars IS 'Marks of p_holm: *** below .001, ** below .01, * below .05.';
COMMENT ON COLUMN significance.alpha IS 'Chance of any false claim in the family.';
COMMENT ON COLUMN significance.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN significance.family_size IS 'Number of comparisons adjusted for.';
