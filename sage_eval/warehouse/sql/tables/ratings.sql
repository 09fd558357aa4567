CREATE TABLE ratings (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    component BIGINT,
    strength DOUBLE,
    low DOUBLE,
    high DOUBLE,
    elo DOUBLE,
    elo_low DOUBLE,
    elo_high DOUBLE,
    rank_low BIGINT,
    rank_high BIGINT,
    letters VARCHAR,
    wins BIGINT NOT NULL,
    ties BIGINT NOT NULL,
    losses BIGINT NOT NULL,
    n BIGINT NOT NULL,
    inconsistent BIGINT NOT NULL,
    malformed BIGINT NOT NULL,
    error BIGINT NOT NULL,
    unrated VARCHAR,
    anchor VARCHAR,
    ties_rule VARCHAR NOT NULL,
    prior DOUBLE NOT NULL,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    resamples BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    plan_hash VARCHAR
);
COMMENT ON TABLE ratings IS 'One row a judge and model: its strength among the models that verdicts connect it with.';
COMMENT ON COLUMN ratings.stage IS 'The rating stage.';
COMMENT ON COLUMN ratings.judge IS 'Short name of the judge; panel is the majority of several, pooled all judges together.';
COMMENT ON COLUMN ratings.model IS 'Name of the model.';
COMMENT ON COLUMN ratings.component IS 'Number of the group of models that verdicts connect; strengths and ranks compare only inside one. NULL if unrated.';
COMMENT ON COLUMN ratings.strength IS 'Log-strength: differences are log-odds of a win against a loss. Zero-sum in its component, or relative to the anchor.';
COMMENT ON COLUMN ratings.low IS 'Lower limit of strength.';
COMMENT ON COLUMN ratings.high IS 'Upper limit of strength.';
COMMENT ON COLUMN ratings.elo IS 'Strength on a display scale: 1000 + 400 log10 of the odds.';
COMMENT ON COLUMN ratings.elo_low IS 'Lower limit of elo.';
COMMENT ON COLUMN ratings.elo_high IS 'Upper limit of elo.';
COMMENT ON COLUMN ratings.rank_low IS 'Best rank the model may have; rank intervals hold at once at alpha.';
COMMENT ON COLUMN ratings.rank_high IS 'Worst rank the model may have.';
COMMENT ON COLUMN ratings.letters IS 'Significance groups: models that share a letter could not be told apart.';
COMMENT ON COLUMN ratings.wins IS 'Verdicts it won.';
COMMENT ON COLUMN ratings.ties IS 'Verdicts that count as ties.';
COMMENT ON COLUMN ratings.losses IS 'Verdicts it lost.';
COMMENT ON COLUMN ratings.n IS 'Verdicts that count.';
COMMENT ON COLUMN ratings.inconsistent IS 'Verdicts where the two orders disagree; excluded unless ties_rule says otherwise.';
COMMENT ON COLUMN ratings.malformed IS 'Verdicts with an unreadable answer; excluded.';
COMMENT ON COLUMN ratings.error IS 'Verdicts without an answer; excluded.';
COMMENT ON COLUMN ratings.unrated IS 'Why the model has no strength; NULL when it has one.';
COMMENT ON COLUMN ratings.anchor IS 'Model whose strength is 0; NULL when strengths add up to 0.';
COMMENT ON COLUMN ratings.ties_rule IS 'Verdicts that count as ties: tie, or tie+inconsistent.';
COMMENT ON COLUMN ratings.prior IS 'Wins added to either side for each strength to estimate, spread over the compared pairs.';
COMMENT ON COLUMN ratings.alpha IS 'Chance of any false claim over the pairs of one judge.';
COMMENT ON COLUMN ratings.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN ratings.resamples IS 'Resamples of the scenarios.';
COMMENT ON COLUMN ratings.seed IS 'Seed of the resampling.';
COMMENT ON COLUMN ratings.plan_hash IS 'Hash of the analysis plan written before judging; NULL without one.';
