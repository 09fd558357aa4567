WITH counted AS (
    SELECT
        *,
        list_transform(utterances, lambda u: len(regexp_extract_all(u.text, '\S+'))) AS lengths
    FROM source
)
SELECT
    stage,
    id AS dialogue_id,
    model,
    scenario_id,
    sample,
    source.corpus AS corpus,
    source.thread AS thread,
    source.place AS place,
    source.created_utc AS created_utc,
    len(utterances) AS turns,
    coalesce(list_sum(lengths), 0) AS words,
    list_avg(
        list_transform(
            list_filter(list_zip(utterances, lengths), lambda pair: pair[1].role = 'assistant'),
            lambda pair: pair[2]
        )
    ) AS assistant_words
FROM counted
