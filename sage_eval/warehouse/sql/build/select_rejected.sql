SELECT
    * EXCLUDE (utterances, source),
    source.thread AS thread,
    source.place AS place,
    source.created_utc AS created_utc,
    array_to_string(list_transform(utterances, lambda u: u.role || ': ' || u.text), E'\n') AS text
FROM source
