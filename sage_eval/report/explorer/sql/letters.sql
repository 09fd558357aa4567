-- What one judging said of every row.
SELECT row, verdict FROM shown_answers WHERE judging = $judging ORDER BY row
