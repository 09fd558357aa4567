-- A few of what each stage dropped, for every reason, taken by hash: nobody picked them.
SELECT stage, family, reason, id, detail, place, left(text, 1500) AS text, length(text) > 1500 AS cut
FROM rejected
JOIN runs USING (stage)
QUALIFY row_number() OVER (
    PARTITION BY stage, reason ORDER BY md5(coalesce(id, file || line, dialogue_id || turn, row::VARCHAR, text, '')), id, file, line, row
) <= 5
ORDER BY position, reason, md5(coalesce(id, file || line, dialogue_id || turn, row::VARCHAR, text, '')), id, file, line, row
