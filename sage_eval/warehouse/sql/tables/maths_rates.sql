CREATE TABLE maths_rates (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    kind VARCHAR NOT NULL,
    after VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    problems BIGINT NOT NULL,
    failed BIGINT,
    no_number BIGINT,
    n BIGINT NOT NULL,
    solved BIGINT,
    rate DOUBLE,
    low DOUBLE,
    high DOUBLE,
    worst DOUBLE,
    best DOUBLE,
    level DOUBLE,
    seed BIGINT
);
COMMENT ON TABLE maths_rates IS 'One row a kind of problem, time and rule: how many were solved.';
COMMENT ON COLUMN maths_rates.stage IS 'The stage that measured it.';
COMMENT ON COLUMN maths_rates.model IS 'Identity of the agent.';
COMMENT ON COLUMN maths_rates.kind IS 'all, or one kind of problem.';
COMMENT ON COLUMN maths_rates.after IS 'question: the first reply; nudges: the last one, the number asked for again.';
COMMENT ON COLUMN maths_rates.rule IS 'last: the reply''s last number is right; any: one of them is.';
COMMENT ON COLUMN maths_rates.problems IS 'Problems asked.';
COMMENT ON COLUMN maths_rates.failed IS 'Problems whose reply failed; not scored.';
COMMENT ON COLUMN maths_rates.no_number IS 'Replies that hold no number.';
COMMENT ON COLUMN maths_rates.n IS 'Problems that are scored.';
COMMENT ON COLUMN maths_rates.solved IS 'Problems solved.';
COMMENT ON COLUMN maths_rates.rate IS 'solved / n.';
COMMENT ON COLUMN maths_rates.low IS 'Lower Wilson limit.';
COMMENT ON COLUMN maths_rates.high IS 'Upper Wilson limit.';
COMMENT ON COLUMN maths_rates.worst IS 'Rate if all failed problems were wrong.';
COMMENT ON COLUMN maths_rates.best IS 'Rate if all failed problems were right.';
COMMENT ON COLUMN maths_rates.level IS 'Coverage of the intervals.';
COMMENT ON COLUMN maths_rates.seed IS 'Seed of what was drawn.';
