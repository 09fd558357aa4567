-- How many word problems each model solves inside a chat, by kind: by its first reply, and once asked for the number.
SELECT
    stage,
    m.model,
    m.kind,
    max(m.n) AS scored,
    max(m.failed) AS failed,
    max(m.solved) FILTER (m.after = 'question') AS solved_at_once,
    max(m.solved) FILTER (m.after = 'nudges') AS solved_in_the_end,
    max(m.rate) FILTER (m.after = 'nudges') AS rate,
    max(m.low) FILTER (m.after = 'nudges') AS low,
    max(m.high) FILTER (m.after = 'nudges') AS high
FROM maths_rates AS m
JOIN runs USING (stage)
WHERE m.rule = 'last'
GROUP BY stage, position, m.model, m.kind
ORDER BY position, m.kind <> 'all', m.kind
