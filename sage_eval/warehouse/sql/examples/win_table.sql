-- Who wins, by judge and pair: the paper's Table 1 with exact p, Holm and failures.
SELECT judge, model_a, model_b, wins_a, ties, wins_b, inconsistent, malformed + error AS failed, n,
    net_win, net_win_low, net_win_high, share_b, share_b_low, share_b_high, p, log_p, p_holm, stars, conclusion,
    alpha, level, family_size
FROM significance
JOIN runs USING (stage)
ORDER BY position, comparison
