-- Which emotions each model's replies show, and which it reads in the user, as shares of its replies.
WITH shown AS (
    SELECT model, 'shown' AS kind, emotion FROM turns WHERE role = 'assistant' AND model IS NOT NULL
    UNION ALL
    SELECT model, 'read in the user', perceived_emotion FROM turns WHERE role = 'assistant' AND model IS NOT NULL
)
SELECT
    model,
    kind,
    emotion,
    count(*) AS replies,
    count(*) / sum(count(*)) OVER (PARTITION BY model, kind) AS share
FROM shown
GROUP BY model, kind, emotion
ORDER BY model, kind DESC, replies DESC, emotion NULLS LAST
