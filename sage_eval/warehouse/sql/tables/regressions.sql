CREATE TABLE regressions (
    stage VARCHAR NOT NULL,
    base_stage VARCHAR,
    new_stage VARCHAR,
    task VARCHAR NOT NULL,
    filter VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    n BIGINT,
    clusters BIGINT,
    base DOUBLE NOT NULL,
    new DOUBLE NOT NULL,
    difference DOUBLE NOT NULL,
    relative DOUBLE,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    gain_low DOUBLE,
    better BIGINT,
    worse BIGINT,
    method VARCHAR NOT NULL,
    p DOUBLE NOT NULL,
    p_holm DOUBLE,
    verdict VARCHAR NOT NULL,
    member BOOLEAN,
    higher_is_better BOOLEAN NOT NULL,
    margin DOUBLE NOT NULL,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    family_size BIGINT NOT NULL,
    seed BIGINT,
    resamples BIGINT
);
COMMENT ON TABLE regressions IS 'One row a benchmark task: two models compared, document by document where scores by document were kept.';
COMMENT ON COLUMN regressions.stage IS 'The comparing stage.';
COMMENT ON COLUMN regressions.base_stage IS 'Benchmark stage of the model before, or the name of its lm-eval output.';
COMMENT ON COLUMN regressions.new_stage IS 'Benchmark stage of the model after, or the name of its lm-eval output.';
COMMENT ON COLUMN regressions.task IS 'Task by its lm-eval name; mmlu stands for all its subjects.';
COMMENT ON COLUMN regressions.filter IS 'How the answer was read off the output.';
COMMENT ON COLUMN regressions.metric IS 'Metric that is compared.';
COMMENT ON COLUMN regressions.n IS 'Documents that both models answered; NULL when unpaired and not known.';
COMMENT ON COLUMN regressions.clusters IS 'Subjects that the documents were taken together by; NULL for most tasks.';
COMMENT ON COLUMN regressions.base IS 'Mean score before.';
COMMENT ON COLUMN regressions.new IS 'Mean score after.';
COMMENT ON COLUMN regressions.difference IS 'new - base.';
COMMENT ON COLUMN regressions.relative IS 'Difference as a share of base; NULL when base is 0.';
COMMENT ON COLUMN regressions.low IS 'Lower limit of the difference.';
COMMENT ON COLUMN regressions.high IS 'Upper limit of the difference.';
COMMENT ON COLUMN regressions.gain_low IS 'Lower limit of the gain (positive is better) adjusted for the family: at level 1 - 2 alpha / family_size. Above -margin, a loss is ruled out.';
COMMENT ON COLUMN regressions.better IS 'Documents that the new model does better; NULL when unpaired.';
COMMENT ON COLUMN regressions.worse IS 'Documents that the new model does worse; NULL when unpaired.';
COMMENT ON COLUMN regressions.method IS 'mcnemar (exact), bootstrap, clustered (over subjects), or unpaired (a z-test on standard errors, for want of scores by document).';
COMMENT ON COLUMN regressions.p IS 'Two-sided p of no difference.';
COMMENT ON COLUMN regressions.p_holm IS 'p adjusted by Holm over the family; NULL outside it.';
COMMENT ON COLUMN regressions.verdict IS 'regressed, equivalent, improved or undecided.';
COMMENT ON COLUMN regressions.member IS 'False for what is only shown beside its task: another filter, or a subject. NULL in older runs, where every row belongs to the family.';
COMMENT ON COLUMN regressions.higher_is_better IS 'True when a higher score is better.';
COMMENT ON COLUMN regressions.margin IS 'A loss up to this much is no regression.';
COMMENT ON COLUMN regressions.alpha IS 'Chance of any false claim of a difference over the tasks, and of any false claim that a loss is ruled out.';
COMMENT ON COLUMN regressions.level IS 'Coverage of low to high, for this task alone.';
COMMENT ON COLUMN regressions.family_size IS 'Number of comparisons adjusted for.';
COMMENT ON COLUMN regressions.seed IS 'Seed of the bootstrap.';
COMMENT ON COLUMN regressions.resamples IS 'Resamples of the bootstrap.';
