CREATE TABLE judge_bias (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    pairs BIGINT NOT NULL,
    scenarios BIGINT,
    first_seat_calls BIGINT NOT NULL,
    second_seat_calls BIGINT NOT NULL,
    first_seat_share DOUBLE,
    first_seat_low DOUBLE,
    first_seat_high DOUBLE,
    first_seat_pairs BIGINT NOT NULL,
    second_seat_pairs BIGINT NOT NULL,
    position_p DOUBLE,
    shorter_wins BIGINT NOT NULL,
    longer_wins BIGINT NOT NULL,
    longer_share DOUBLE,
    longer_low DOUBLE,
    longer_high DOUBLE,
    length_p DOUBLE,
    level DOUBLE,
    words_a DOUBLE,
    words_b DOUBLE,
    words_difference DOUBLE,
    adjusted_pairs BIGINT,
    share_b DOUBLE,
    adjusted_share_b DOUBLE,
    adjusted_low DOUBLE,
    adjusted_high DOUBLE,
    adjusted_p DOUBLE,
    length_coefficient DOUBLE,
    length_coefficient_p DOUBLE,
    adjusted_note VARCHAR
);
COMMENT ON TABLE judge_bias IS 'One row a judge and pair of models: whether seat or length went with the verdicts.';
COMMENT ON COLUMN judge_bias.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_bias.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_bias.model_a IS 'Name of model A.';
COMMENT ON COLUMN judge_bias.model_b IS 'Name of model B.';
COMMENT ON COLUMN judge_bias.pairs IS 'Pairs of dialogues judged, readable or not; second askings not counted.';
COMMENT ON COLUMN judge_bias.scenarios IS 'Scenarios they belong to; pairs of one scenario count as one cluster.';
COMMENT ON COLUMN judge_bias.first_seat_calls IS 'Calls that chose the dialogue shown first.';
COMMENT ON COLUMN judge_bias.second_seat_calls IS 'Calls that chose the dialogue shown second.';
COMMENT ON COLUMN judge_bias.first_seat_share IS 'Share of the first seat among both; NULL when no call chose a seat.';
COMMENT ON COLUMN judge_bias.first_seat_low IS 'Lower limit of first_seat_share, over scenarios.';
COMMENT ON COLUMN judge_bias.first_seat_high IS 'Upper limit of first_seat_share, over scenarios.';
COMMENT ON COLUMN judge_bias.first_seat_pairs IS 'Pairs in which both orders chose the first seat.';
COMMENT ON COLUMN judge_bias.second_seat_pairs IS 'Pairs in which both orders chose the second seat.';
COMMENT ON COLUMN judge_bias.position_p IS 'Two-sided test of these two against each other: exact sign test, each scenario counted once; NULL when undecidable.';
COMMENT ON COLUMN judge_bias.shorter_wins IS 'Decisive pairs won by the dialogue with the shorter replies.';
COMMENT ON COLUMN judge_bias.longer_wins IS 'Decisive pairs won by the dialogue with the longer replies.';
COMMENT ON COLUMN judge_bias.longer_share IS 'Share of the longer among both; NULL when both are 0.';
COMMENT ON COLUMN judge_bias.longer_low IS 'Lower limit of longer_share, over scenarios.';
COMMENT ON COLUMN judge_bias.longer_high IS 'Upper limit of longer_share, over scenarios.';
COMMENT ON COLUMN judge_bias.length_p IS 'Two-sided test of these two against each other: exact sign test, each scenario counted once; NULL when undecidable.';
COMMENT ON COLUMN judge_bias.level IS 'Nominal coverage of the intervals.';
COMMENT ON COLUMN judge_bias.words_a IS 'Mean words of A''s replies, averaged over dialogues.';
COMMENT ON COLUMN judge_bias.words_b IS 'Mean words of B''s replies, averaged over dialogues.';
COMMENT ON COLUMN judge_bias.words_difference IS 'Mean of words_b - words_a over pairs that have both.';
COMMENT ON COLUMN judge_bias.adjusted_pairs IS 'Decisive pairs that the result at equal length rests on.';
COMMENT ON COLUMN judge_bias.share_b IS 'B''s share of these pairs as it is.';
COMMENT ON COLUMN judge_bias.adjusted_share_b IS 'B''s share at equal length, by logistic regression; NULL when it cannot be estimated.';
COMMENT ON COLUMN judge_bias.adjusted_low IS 'Lower limit of adjusted_share_b.';
COMMENT ON COLUMN judge_bias.adjusted_high IS 'Upper limit of adjusted_share_b.';
COMMENT ON COLUMN judge_bias.adjusted_p IS 'Two-sided, of: at equal length both win equally often.';
COMMENT ON COLUMN judge_bias.length_coefficient IS 'Change of the log-odds that B wins per unit of the scaled length difference; above 0 the longer wins more.';
COMMENT ON COLUMN judge_bias.length_coefficient_p IS 'Two-sided, of: length makes no difference.';
COMMENT ON COLUMN judge_bias.adjusted_note IS 'Why there is no result at equal length.';
