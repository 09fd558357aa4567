CREATE TABLE significance (
    stage VARCHAR NOT NULL,
    comparison INTEGER NOT NULL,
    judge VARCHAR NOT NULL,
    model_a VARCHAR NOT NULL,
    model_b VARCHAR NOT NULL,
    wins_a BIGINT NOT NULL,
    ties BIGINT NOT NULL,
    wins_b BIGINT NOT NULL,
    inconsistent BIGINT NOT NULL,
    malformed BIGINT NOT NULL,
    error BIGINT NOT NULL,
    n BIGINT NOT NULL,
    scenarios BIGINT,
    repeats BIGINT,
    method VARCHAR,
    tested BIGINT,
    p DOUBLE,
    log_p DOUBLE,
    p_holm DOUBLE,
    p_bh DOUBLE,
    share_b DOUBLE,
    share_b_low DOUBLE,
    share_b_high DOUBLE,
    share_b_exact_low DOUBLE,
    share_b_exact_high DOUBLE,
    net_win DOUBLE,
    net_win_low DOUBLE,
    net_win_high DOUBLE,
    net_win_interval_low DOUBLE,
    net_win_interval_high DOUBLE,
    half_tie_score DOUBLE,
    half_tie_low DOUBLE,
    half_tie_high DOUBLE,
    largest_p DOUBLE,
    holds BOOLEAN,
    log_e DOUBLE,
    p_anytime DOUBLE,
    e_threshold DOUBLE,
    stopped_after BIGINT,
    least_share DOUBLE,
    equal_length_share_b DOUBLE,
    equal_length_low DOUBLE,
    equal_length_high DOUBLE,
    equal_length_p DOUBLE,
    length_note VARCHAR,
    conclusion VARCHAR NOT NULL,
    reason VARCHAR,
    stars VARCHAR,
    planned BOOLEAN,
    alpha DOUBLE NOT NULL,
    level DOUBLE NOT NULL,
    correction VARCHAR,
    tie_rule VARCHAR,
    stopping VARCHAR,
    family_size BIGINT NOT NULL,
    plan_hash VARCHAR,
    resamples BIGINT,
    seed BIGINT
);
COMMENT ON TABLE significance IS 'One row a judge and pair of models: tests that count each scenario once.';
COMMENT ON COLUMN significance.stage IS 'The testing stage.';
COMMENT ON COLUMN significance.comparison IS 'Place in the family, from 1, in the order of the plan or of the judging stage.';
COMMENT ON COLUMN significance.judge IS 'Short name of the judge; panel is the majority of several.';
COMMENT ON COLUMN significance.model_a IS 'Name of model A.';
COMMENT ON COLUMN significance.model_b IS 'Name of model B.';
COMMENT ON COLUMN significance.wins_a IS 'Pairs of dialogues that A won in both orders.';
COMMENT ON COLUMN significance.ties IS 'Pairs called equal in both orders.';
COMMENT ON COLUMN significance.wins_b IS 'Pairs that B won in both orders.';
COMMENT ON COLUMN significance.inconsistent IS 'Pairs where the two orders disagree.';
COMMENT ON COLUMN significance.malformed IS 'Pairs with an unreadable answer; excluded.';
COMMENT ON COLUMN significance.error IS 'Pairs without an answer; excluded.';
COMMENT ON COLUMN significance.n IS 'Pairs with a readable verdict.';
COMMENT ON COLUMN significance.scenarios IS 'Scenarios behind all pairs; fewer than pairs where there are several rollouts.';
COMMENT ON COLUMN significance.repeats IS 'Verdicts on pairs that were judged already; no evidence, not counted above.';
COMMENT ON COLUMN significance.method IS 'sign test (one rollout a scenario) or scenario means (several: sign flips of their means).';
COMMENT ON COLUMN significance.tested IS 'What the test rests on: decisive pairs, or scenarios with a score.';
COMMENT ON COLUMN significance.p IS 'Two-sided p of that test; NULL when undecidable. Descriptive only where stopping is e-value.';
COMMENT ON COLUMN significance.log_p IS 'Natural logarithm of p, finite where p underflows.';
COMMENT ON COLUMN significance.p_holm IS 'p adjusted by Holm over the whole family; NULL where stopping is e-value.';
COMMENT ON COLUMN significance.p_bh IS 'p adjusted by Benjamini and Hochberg, to explore; NULL where stopping is e-value.';
COMMENT ON COLUMN significance.share_b IS 'B''s share of the decisive pairs; the mean over scenarios where these have several rollouts.';
COMMENT ON COLUMN significance.share_b_low IS 'Lower limit of share_b: Wilson''s, a confidence sequence''s where stopping is e-value, or from the spread between scenarios.';
COMMENT ON COLUMN significance.share_b_high IS 'Upper limit of the same.';
COMMENT ON COLUMN significance.share_b_exact_low IS 'Lower Clopper-Pearson limit of share_b; NULL with several rollouts a scenario.';
COMMENT ON COLUMN significance.share_b_exact_high IS 'Upper Clopper-Pearson limit of share_b.';
COMMENT ON COLUMN significance.net_win IS '(wins_b - wins_a) / n, from -1 to 1; the mean over scenarios where these have several rollouts.';
COMMENT ON COLUMN significance.net_win_low IS 'Net win if every failed pair had gone to A.';
COMMENT ON COLUMN significance.net_win_high IS 'Net win if every failed pair had gone to B.';
COMMENT ON COLUMN significance.net_win_interval_low IS 'Lower limit of net_win: Tango''s, or from the spread between scenarios.';
COMMENT ON COLUMN significance.net_win_interval_high IS 'Upper limit of the same.';
COMMENT ON COLUMN significance.half_tie_score IS 'B''s wins plus half of what neither won, as a share of n.';
COMMENT ON COLUMN significance.half_tie_low IS 'Lower limit of half_tie_score, from that of net_win.';
COMMENT ON COLUMN significance.half_tie_high IS 'Upper limit of half_tie_score.';
COMMENT ON COLUMN significance.largest_p IS 'Largest p of all ways the failed pairs could have come out; 1 where they could turn the lead.';
COMMENT ON COLUMN significance.holds IS 'Whether the claim would stand however they had come out; NULL where nothing is claimed.';
COMMENT ON COLUMN significance.log_e IS 'Natural logarithm of the e-value over all pairs; may be looked at any time.';
COMMENT ON COLUMN significance.p_anytime IS '1 / the largest e-value on the way; valid after stopping, not adjusted for the family.';
COMMENT ON COLUMN significance.e_threshold IS 'E-value that claims where stopping is e-value: family_size / alpha.';
COMMENT ON COLUMN significance.stopped_after IS 'Pairs (scenarios, where these have several rollouts) until the e-value reached it; NULL if never.';
COMMENT ON COLUMN significance.least_share IS 'Smallest win share that so many decisive pairs show in 80% of cases at alpha / family_size; NULL if none.';
COMMENT ON COLUMN significance.equal_length_share_b IS 'share_b if both were equally long (logistic regression); NULL when not estimable.';
COMMENT ON COLUMN significance.equal_length_low IS 'Lower limit of equal_length_share_b.';
COMMENT ON COLUMN significance.equal_length_high IS 'Upper limit of equal_length_share_b.';
COMMENT ON COLUMN significance.equal_length_p IS 'Two-sided p of "at equal length both win equally often"; not adjusted.';
COMMENT ON COLUMN significance.length_note IS 'Why there is no result at equal length.';
COMMENT ON COLUMN significance.conclusion IS 'A better, B better, not shown or undecidable, at alpha over the family.';
COMMENT ON COLUMN significance.reason IS 'Why it is undecidable.';
COMMENT ON COLUMN significance.stars IS 'Marks of the adjusted p: *** below .001, ** below .01, * below .05.';
COMMENT ON COLUMN significance.planned IS 'Whether the analysis plan names the comparison; NULL without a plan.';
COMMENT ON COLUMN significance.alpha IS 'Chance of any false claim in the family (of bh: expected share of false claims).';
COMMENT ON COLUMN significance.level IS 'Coverage of the intervals, each for itself.';
COMMENT ON COLUMN significance.correction IS 'How p is adjusted for claims: holm or bh.';
COMMENT ON COLUMN significance.tie_rule IS 'What pairs without a winner count as: drop (nothing) or half (half a win for each).';
COMMENT ON COLUMN significance.stopping IS 'When judging ended: fixed (after the last pair) or e-value (it could stop on its results).';
COMMENT ON COLUMN significance.family_size IS 'Number of comparisons adjusted for, those that could not be tested included.';
COMMENT ON COLUMN significance.plan_hash IS 'SHA-256 of the analysis plan; NULL without one.';
COMMENT ON COLUMN significance.resamples IS 'Sign patterns drawn where they are too many to count.';
COMMENT ON COLUMN significance.seed IS 'Of what is drawn.';
