-- What the judges said of their pairs.
SELECT * FROM shown_answers WHERE scenario BETWEEN $first AND $last ORDER BY row, judging
