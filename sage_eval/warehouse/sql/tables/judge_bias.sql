CREATE TABLE judge_bias (
    stage VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    pairs BIGINT NOT NULL,
    first_seat_calls BIGINT NOT NULL,
    second_seat_calls BIGINT NOT NULL,
    first_seat_share DOUBLE,
    first_seat_pairs BIGINT NOT NULL,
    second_seat_pairs BIGINT NOT NULL,
    position_p DOUBLE,
    words_a DOUBLE,
    words_b DOUBLE,
    shorter_wins BIGINT NOT NULL,
    longer_wins BIGINT NOT NULL,
    length_p DOUBLE
);
COMMENT ON TABLE judge_bias IS 'One row a judge and pair of models: whether seat or length went with the verdicts.';
COMMENT ON COLUMN judge_bias.stage IS 'The judging stage.';
COMMENT ON COLUMN judge_bias.judge IS 'Short name of the judge.';
COMMENT ON COLUMN judge_bias.model_a IS 'Name of model A.';
COMMENT ON COLUMN judge_bias.model_b IS 'Name of model B.';
COMMENT ON COLUMN judge_bias.pairs IS 'Pairs of dialogues judged, readable or not.';
COMMENT ON COLUMN judge_bias.first_seat_calls IS 'Calls that chose the dialogue shown first.';
COMMENT ON COLUMN judge_bias.second_seat_calls IS 'Calls that chose the dialogue shown second.';
COMMENT ON COLUMN judge_bias.first_seat_share IS 'Share of the first seat among both; NULL when no call chose a seat.';
COMMENT ON COLUMN judge_bias.first_seat_pairs IS 'Pairs in which both orders chose the first seat.';
COMMENT ON COLUMN judge_bias.second_seat_pairs IS 'Pairs in which both orders chose the second seat.';
COMMENT ON COLUMN judge_bias.position_p IS 'Two-sided sign test of these two against each other; NULL when both are 0.';
COMMENT ON COLUMN judge_bias.words_a IS 'Mean words of A''s replies, averaged over dialogues.';
COMMENT ON COLUMN judge_bias.words_b IS 'Mean words of B''s replies, averaged over dialogues.';
COMMENT ON COLUMN judge_bias.shorter_wins IS 'Decisive pairs won by the dialogue with the shorter replies.';
COMMENT ON COLUMN judge_bias.longer_wins IS 'Decisive pairs won by the dialogue with the longer replies.';
COMMENT ON COLUMN judge_bias.length_p IS 'Two-sided sign test of these two against each other; NULL when both are 0.';
