-- How often each model's replies claim a human life, by what is claimed, with one such reply; rules miss about a third.
SELECT stage, r.model, r.kind, r.count AS replies, r.share, r.low, r.high, example.reply AS for_example
FROM incarnation_rates AS r
JOIN runs USING (stage)
LEFT JOIN (
    SELECT stage, model, kind, arg_min(reply, (length(reply), dialogue_id, turn)) AS reply
    FROM incarnation
    WHERE excluded IS NULL
    GROUP BY stage, model, kind
) AS example USING (stage, model, kind)
WHERE r.unit = 'replies'
ORDER BY position, r.model, r.kind <> 'any', r.count DESC, r.kind
