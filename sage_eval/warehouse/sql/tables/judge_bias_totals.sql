CREATE TABLE judge_bias_totals (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    pairs BIGINT NOT NULL,
    scenarios BIGINT NOT NULL,
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
    level DOUBLE
);
COMMENT ON TABLE judge_bias_totals IS 'One row a judge: seat and length over all its pairs of models.';
COMMENT ON COLUMN judge_bias_totals.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_bias_totals.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_bias_totals.pairs IS 'Pairs of dialogues judged, readable or not; second askings not counted.';
COMMENT ON COLUMN judge_bias_totals.scenarios IS 'Scenarios they belong to; pairs of one scenario count as one cluster.';
COMMENT ON COLUMN judge_bias_totals.first_seat_calls IS 'Calls that chose the dialogue shown first.';
COMMENT ON COLUMN judge_bias_totals.second_seat_calls IS 'Calls that chose the dialogue shown second.';
COMMENT ON COLUMN judge_bias_totals.first_seat_share IS 'Share of the first seat among both; NULL when no call chose a seat.';
COMMENT ON COLUMN judge_bias_totals.first_seat_low IS 'Lower limit of first_seat_share, over scenarios.';
COMMENT ON COLUMN judge_bias_totals.first_seat_high IS 'Upper limit of first_seat_share, over scenarios.';
COMMENT ON COLUMN judge_bias_totals.first_seat_pairs IS 'Pairs in which both orders chose the first seat.';
COMMENT ON COLUMN judge_bias_totals.second_seat_pairs IS 'Pairs in which both orders chose the second seat.';
COMMENT ON COLUMN judge_bias_totals.position_p IS 'Two-sided test of these two against each other: exact sign test, each scenario counted once; NULL when undecidable.';
COMMENT ON COLUMN judge_bias_totals.shorter_wins IS 'Decisive pairs won by the dialogue with the shorter replies.';
COMMENT ON COLUMN judge_bias_totals.longer_wins IS 'Decisive pairs won by the dialogue with the longer replies.';
COMMENT ON COLUMN judge_bias_totals.longer_share IS 'Share of the longer among both; NULL when both are 0.';
COMMENT ON COLUMN judge_bias_totals.longer_low IS 'Lower limit of longer_share, over scenarios.';
COMMENT ON COLUMN judge_bias_totals.longer_high IS 'Upper limit of longer_share, over scenarios.';
COMMENT ON COLUMN judge_bias_totals.length_p IS 'Two-sided test of these two against each other: exact sign test, each scenario counted once; NULL when undecidable.';
COMMENT ON COLUMN judge_bias_totals.level IS 'Nominal coverage of the intervals.';
