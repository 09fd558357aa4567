CREATE TABLE judge_self_tests (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    judge_model VARCHAR NOT NULL,
    spec_hash VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    required BOOLEAN NOT NULL,
    outcome VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    n BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    rate DOUBLE,
    low DOUBLE,
    high DOUBLE,
    threshold DOUBLE NOT NULL,
    original_wins BIGINT NOT NULL,
    copy_wins BIGINT NOT NULL,
    ties BIGINT NOT NULL,
    inconsistent BIGINT NOT NULL,
    malformed BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    without_difference BIGINT NOT NULL,
    scenarios BIGINT NOT NULL,
    scenarios_wanted BIGINT NOT NULL,
    unusable BIGINT NOT NULL,
    level DOUBLE NOT NULL,
    seed BIGINT NOT NULL
);
COMMENT ON TABLE judge_self_tests IS 'One row a judge and check of known answers, made before its verdicts count.';
COMMENT ON COLUMN judge_self_tests.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_self_tests.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_self_tests.judge_model IS 'Identity of the model or rubric.';
COMMENT ON COLUMN judge_self_tests.spec_hash IS 'Hash of everything but the dialogues that the judges answers depend on.';
COMMENT ON COLUMN judge_self_tests.check_name IS 'identical, a degradation (shuffled, foreign, repeated, emptied, padded), injected_user, injected_assistant, consistent, renamed or null_model.';
COMMENT ON COLUMN judge_self_tests.required IS 'Whether the judge must pass it: a surface rubric is not held to what takes reading.';
COMMENT ON COLUMN judge_self_tests.outcome IS 'passed, failed, undecided (too few pairs), could not be asked (too many failed calls) or skipped.';
COMMENT ON COLUMN judge_self_tests.reason IS 'Why it came out so.';
COMMENT ON COLUMN judge_self_tests.n IS 'Pairs readable in both orders.';
COMMENT ON COLUMN judge_self_tests.passes IS 'Of these, pairs that came out as they should.';
COMMENT ON COLUMN judge_self_tests.rate IS 'passes / n; NULL when n is 0.';
COMMENT ON COLUMN judge_self_tests.low IS 'Lower exact limit of rate.';
COMMENT ON COLUMN judge_self_tests.high IS 'Upper exact limit of rate.';
COMMENT ON COLUMN judge_self_tests.threshold IS 'Rate that is needed.';
COMMENT ON COLUMN judge_self_tests.original_wins IS 'Pairs won by the original; of consistent and renamed: by the pairs first dialogue.';
COMMENT ON COLUMN judge_self_tests.copy_wins IS 'Pairs won by the copy; of consistent and renamed: by the pairs second dialogue.';
COMMENT ON COLUMN judge_self_tests.ties IS 'Pairs that are a tie.';
COMMENT ON COLUMN judge_self_tests.inconsistent IS 'Pairs whose two orders disagree.';
COMMENT ON COLUMN judge_self_tests.malformed IS 'Pairs with a malformed reply: counted for neither side.';
COMMENT ON COLUMN judge_self_tests.errors IS 'Pairs with an error: counted for neither side.';
COMMENT ON COLUMN judge_self_tests.without_difference IS 'Pairs left out because the copy would have been the original.';
COMMENT ON COLUMN judge_self_tests.scenarios IS 'Scenarios the checks are made of, one pair each.';
COMMENT ON COLUMN judge_self_tests.scenarios_wanted IS 'How many were asked for.';
COMMENT ON COLUMN judge_self_tests.unusable IS 'Pairs passed over because one assistant says nothing.';
COMMENT ON COLUMN judge_self_tests.level IS 'Nominal coverage of the limits.';
COMMENT ON COLUMN judge_self_tests.seed IS 'Seed of the drawing and the spoiling.';
