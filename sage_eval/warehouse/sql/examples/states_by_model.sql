-- Which motivations and emotions each stage's assistant shows, with their share of its annotated replies.
SELECT
    stage,
    motivation,
    emotion,
    count(*) AS replies,
    count(*) / sum(count(*)) OVER (PARTITION BY stage) AS share
FROM turns
WHERE role = 'assistant' AND (motivation IS NOT NULL OR emotion IS NOT NULL)
GROUP BY stage, motivation, emotion
ORDER BY stage, replies DESC, motivation, emotion
