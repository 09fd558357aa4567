SELECT * EXCLUDE (dialogue, index), dialogue AS dialogue_id, index AS turn FROM source
