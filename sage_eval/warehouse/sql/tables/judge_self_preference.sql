CREATE TABLE judge_self_preference (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    own_model VARCHAR,
    relation VARCHAR,
    others VARCHAR,
    pairs BIGINT NOT NULL,
    scenarios BIGINT NOT NULL,
    own_score DOUBLE,
    others_score DOUBLE,
    difference DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p DOUBLE,
    note VARCHAR,
    level DOUBLE,
    seed BIGINT
);
COMMENT ON TABLE judge_self_preference IS 'One row a judge and model of its own: does it favour that model more than other judges do?';
COMMENT ON COLUMN judge_self_preference.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_self_preference.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_self_preference.own_model IS 'Candidate that is the judge''s own; NULL when none is, or when it is not known.';
COMMENT ON COLUMN judge_self_preference.relation IS 'same model, or shared lineage.';
COMMENT ON COLUMN judge_self_preference.others IS 'Judges compared with: those without a relation to either model of a pair.';
COMMENT ON COLUMN judge_self_preference.pairs IS 'Pairs of dialogues in which the own model met another.';
COMMENT ON COLUMN judge_self_preference.scenarios IS 'Scenarios they belong to.';
COMMENT ON COLUMN judge_self_preference.own_score IS 'Share of wins and half of ties of the own model under its judge, each scenario counted once.';
COMMENT ON COLUMN judge_self_preference.others_score IS 'The same under the other judges, on the same pairs.';
COMMENT ON COLUMN judge_self_preference.difference IS 'own_score - others_score: above 0 the judge is kinder to its own model.';
COMMENT ON COLUMN judge_self_preference.low IS 'Lower limit of difference.';
COMMENT ON COLUMN judge_self_preference.high IS 'Upper limit of difference.';
COMMENT ON COLUMN judge_self_preference.p IS 'Two-sided sign-flip test over scenarios of: no difference.';
COMMENT ON COLUMN judge_self_preference.note IS 'Why something is not measurable.';
COMMENT ON COLUMN judge_self_preference.level IS 'Nominal coverage of the intervals.';
COMMENT ON COLUMN judge_self_preference.seed IS 'Seed of the test, where it has to draw.';
