-- Words per reply of the winner and of the loser: do the judges reward length, or brevity?
SELECT
    judge,
    model_a,
    model_b,
    count(*) AS decisive,
    avg(CASE verdict WHEN 'A' THEN words_a ELSE words_b END) AS winner_words,
    avg(CASE verdict WHEN 'A' THEN words_b ELSE words_a END) AS loser_words,
    avg((CASE verdict WHEN 'A' THEN words_a < words_b ELSE words_b < words_a END)::INTEGER) AS shorter_wins
FROM pair_verdicts
WHERE verdict IN ('A', 'B')
GROUP BY judge, model_a, model_b
ORDER BY judge, model_a, model_b
