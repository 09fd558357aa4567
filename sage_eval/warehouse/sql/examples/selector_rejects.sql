-- What the selector takes and what it leaves: candidates, words, questions and scores.
SELECT
    stage,
    selected,
    count(*) AS candidates,
    avg(len(regexp_extract_all(text, '\S+'))) AS words,
    avg((rtrim(text) LIKE '%?')::INTEGER) AS asks,
    avg(score) AS score,
    avg(acceptable::INTEGER) AS acceptable
FROM candidates
WHERE merged_into IS NULL
GROUP BY stage, selected
ORDER BY stage, selected DESC
