-- Seat and length over all pairs of models: how often each judge takes the first seat, and the longer dialogue.
SELECT stage, judge, pairs, scenarios, first_seat_share, first_seat_low, first_seat_high, first_seat_pairs, second_seat_pairs,
    position_p, shorter_wins, longer_wins, longer_share, longer_low, longer_high, length_p, level
FROM judge_bias_totals
JOIN runs USING (stage)
ORDER BY position, judge
