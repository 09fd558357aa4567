-- How each judge did on questions with known answers, before its verdicts counted.
SELECT stage, judge, check_name, required, outcome, reason, n, passes, rate, low, high, threshold,
    original_wins, copy_wins, ties, inconsistent, malformed + errors AS failed
FROM judge_self_tests
JOIN runs USING (stage)
ORDER BY position, NOT required, check_name, judge
