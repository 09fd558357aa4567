-- How often each model reads the user's emotion as the scenario's author named it, in the user's first utterance.
SELECT
    stage,
    a.model,
    a.readings,
    a.coverage AS mapped_share,
    a.accuracy AS right_of_mapped,
    a.low,
    a.high,
    a.strict AS right_of_all,
    a.kappa,
    (
        SELECT string_agg(format('{} as {} {}', c.label, c.mapped, c.count), ', ' ORDER BY c.count DESC, c.label, c.mapped)
        FROM (
            SELECT *
            FROM emotion_confusions AS all_pairs
            WHERE all_pairs.stage = a.stage AND all_pairs.model = a.model AND all_pairs.kind = a.kind
                AND all_pairs.mapped <> all_pairs.label
            ORDER BY all_pairs.count DESC, all_pairs.label, all_pairs.mapped
            LIMIT 3
        ) AS c
    ) AS most_often_wrong
FROM emotion_accuracy AS a
JOIN runs USING (stage)
WHERE a.kind = 'perceived' AND a.scope = 'first'
ORDER BY position, a.model
