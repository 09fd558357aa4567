CREATE TABLE rating_pairs (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    wins_a BIGINT NOT NULL,
    ties BIGINT NOT NULL,
    wins_b BIGINT NOT NULL,
    n BIGINT NOT NULL,
    difference DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p DOUBLE,
    p_holm DOUBLE,
    share_b DOUBLE,
    expected_share_b DOUBLE,
    tie_share DOUBLE,
    expected_tie_share DOUBLE,
    family_size BIGINT NOT NULL,
    ties_rule VARCHAR NOT NULL,
    prior DOUBLE NOT NULL,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    resamples BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    plan_hash VARCHAR
);
COMMENT ON TABLE rating_pairs IS 'One row a judge and pair of models, whether or not they met: the difference of their strengths.';
COMMENT ON COLUMN rating_pairs.stage IS 'The rating stage.';
COMMENT ON COLUMN rating_pairs.judge IS 'Short name of the judge; panel is the majority of several, pooled all judges together.';
COMMENT ON COLUMN rating_pairs.model_a IS 'Name of model A.';
COMMENT ON COLUMN rating_pairs.model_b IS 'Name of model B.';
COMMENT ON COLUMN rating_pairs.wins_a IS 'Verdicts that A won.';
COMMENT ON COLUMN rating_pairs.ties IS 'Verdicts that count as ties.';
COMMENT ON COLUMN rating_pairs.wins_b IS 'Verdicts that B won.';
COMMENT ON COLUMN rating_pairs.n IS 'Verdicts on the two that count; 0 when they never met.';
COMMENT ON COLUMN rating_pairs.difference IS 'Log-strength of B minus that of A; NULL when no verdicts connect them.';
COMMENT ON COLUMN rating_pairs.low IS 'Lower limit of difference.';
COMMENT ON COLUMN rating_pairs.high IS 'Upper limit of difference.';
COMMENT ON COLUMN rating_pairs.p IS 'Two-sided p of equal strength: score test with scenarios as clusters; where they are few no smaller than their sign flips give.';
COMMENT ON COLUMN rating_pairs.p_holm IS 'p adjusted by Holm over all pairs of models of the judge.';
COMMENT ON COLUMN rating_pairs.share_b IS 'B''s share of their decisive verdicts.';
COMMENT ON COLUMN rating_pairs.expected_share_b IS 'The share that the strengths imply.';
COMMENT ON COLUMN rating_pairs.tie_share IS 'Share of ties among their verdicts.';
COMMENT ON COLUMN rating_pairs.expected_tie_share IS 'The share of ties that the model expects.';
COMMENT ON COLUMN rating_pairs.family_size IS 'Number of pairs adjusted for.';
COMMENT ON COLUMN rating_pairs.ties_rule IS 'Verdicts that count as ties: tie, or tie+inconsistent.';
COMMENT ON COLUMN rating_pairs.prior IS 'Wins added to either side for each strength to estimate, spread over the compared pairs.';
COMMENT ON COLUMN rating_pairs.alpha IS 'Chance of any false claim over the pairs of one judge.';
COMMENT ON COLUMN rating_pairs.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN rating_pairs.resamples IS 'Resamples of the scenarios.';
COMMENT ON COLUMN rating_pairs.seed IS 'Seed of the resampling.';
COMMENT ON COLUMN rating_pairs.plan_hash IS 'Hash of the analysis plan written before judging; NULL without one.';
