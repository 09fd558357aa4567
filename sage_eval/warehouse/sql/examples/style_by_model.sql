-- How each model's replies are said: length, questions, variety and repetition, with intervals over scenarios.
SELECT stage, s.model, s.measure, s.unit, s.value, s.low, s.high, s.n, s.level
FROM style_measures AS s
JOIN runs USING (stage)
ORDER BY position
