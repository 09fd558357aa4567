SELECT stage, id AS scenario_id, situation, emotion, split FROM source
