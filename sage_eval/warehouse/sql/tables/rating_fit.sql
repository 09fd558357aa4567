CREATE TABLE rating_fit (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    component BIGINT,
    models VARCHAR,
    scenarios BIGINT NOT NULL,
    n BIGINT NOT NULL,
    tie_parameter DOUBLE,
    deviance DOUBLE,
    pearson DOUBLE,
    df BIGINT,
    p DOUBLE,
    p_chi_square DOUBLE,
    smallest_expected DOUBLE,
    strong_components VARCHAR,
    cycles VARCHAR,
    warnings VARCHAR,
    ties_rule VARCHAR NOT NULL,
    prior DOUBLE NOT NULL,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    resamples BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    plan_hash VARCHAR
);
COMMENT ON TABLE rating_fit IS 'One row a judge and group of models that verdicts connect: does one strength a model explain the verdicts?';
COMMENT ON COLUMN rating_fit.stage IS 'The rating stage.';
COMMENT ON COLUMN rating_fit.judge IS 'Short name of the judge; panel is the majority of several, pooled all judges together.';
COMMENT ON COLUMN rating_fit.component IS 'Number of the group, from 1; NULL when the judge gave no verdict that counts.';
COMMENT ON COLUMN rating_fit.models IS 'Its models.';
COMMENT ON COLUMN rating_fit.scenarios IS 'Scenarios with a verdict that counts.';
COMMENT ON COLUMN rating_fit.n IS 'Verdicts that count.';
COMMENT ON COLUMN rating_fit.tie_parameter IS 'Davidson''s v: at equal strength a tie is v times as likely as a win of either.';
COMMENT ON COLUMN rating_fit.deviance IS 'Twice the log-likelihood that free shares of each pair would gain.';
COMMENT ON COLUMN rating_fit.pearson IS 'Pearson''s statistic of observed against expected outcomes.';
COMMENT ON COLUMN rating_fit.df IS 'Free shares minus parameters; 0 when nothing is left to test.';
COMMENT ON COLUMN rating_fit.p IS 'p of Pearson''s statistic by bootstrap over scenarios; small means that the model does not fit.';
COMMENT ON COLUMN rating_fit.p_chi_square IS 'p of the deviance as if all verdicts were independent, which holds only with one verdict a scenario.';
COMMENT ON COLUMN rating_fit.smallest_expected IS 'Smallest expected count of an outcome; below 5 p_chi_square is a poor guide.';
COMMENT ON COLUMN rating_fit.strong_components IS 'Models between which wins and ties lead there and back, sets divided by a bar; between sets only the prior keeps distances finite.';
COMMENT ON COLUMN rating_fit.cycles IS 'Models of which each beats the next and the last the first, with the test of each edge.';
COMMENT ON COLUMN rating_fit.warnings IS 'What a reader must know before leaning on the figures.';
COMMENT ON COLUMN rating_fit.ties_rule IS 'Verdicts that count as ties: tie, or tie+inconsistent.';
COMMENT ON COLUMN rating_fit.prior IS 'Wins added to either side for each strength to estimate, spread over the compared pairs.';
COMMENT ON COLUMN rating_fit.alpha IS 'Chance of any false claim over the pairs of one judge.';
COMMENT ON COLUMN rating_fit.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN rating_fit.resamples IS 'Resamples of the scenarios.';
COMMENT ON COLUMN rating_fit.seed IS 'Seed of the resampling.';
COMMENT ON COLUMN rating_fit.plan_hash IS 'Hash of the analysis plan written before judging; NULL without one.';
