-- Who wins, by judge and pair: the paper's Table 1 with exact p, Holm, e-values and failures.
SELECT judge, model_a, model_b, wins_a, ties, wins_b, inconsistent, malformed + error AS failed, n,
    net_win, net_win_low, net_win_high, share_b, share_b_low, share_b_high, half_tie_score, half_tie_low, half_tie_high,
    p, log_p, p_holm, p_bh, log_e, log_e_max, stars, conclusion, holds, alpha, level, family_size, correction, tie_rule, stopping,
    net_win_interval_low, net_win_interval_high, largest_p, e_threshold, stopped_after, method, planned
FROM significance
JOIN runs USING (stage)
ORDER BY position, comparison
