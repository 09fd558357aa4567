SELECT * EXCLUDE (id), id AS dialogue_id FROM source
