WITH flat AS (
    SELECT
        stage,
        model,
        scenario_id,
        CASE WHEN scenario_id IS NOT NULL THEN coalesce(sample, 0) END AS sample,
        id AS dialogue_id,
        generate_subscripts(utterances, 1) - 1 AS turn,
        -- An older stage's utterances may lack a field, which the cast makes NULL.
        unnest(
            utterances::STRUCT(
                role VARCHAR,
                text VARCHAR,
                state STRUCT(motivation VARCHAR, emotion VARCHAR, topics VARCHAR[]),
                perceived STRUCT(motivation VARCHAR, emotion VARCHAR, topics VARCHAR[]),
                source_id VARCHAR
            )[],
            max_depth := 2
        )
    FROM source
), neighbours AS (
    SELECT
        *,
        lag(CASE WHEN role = 'user' THEN {motivation: state.motivation, emotion: state.emotion} END IGNORE NULLS)
            OVER (PARTITION BY dialogue_id ORDER BY turn) AS previous_user,
        lead(state) OVER (PARTITION BY dialogue_id, role ORDER BY turn) AS next
    FROM flat
)
SELECT
    stage,
    model,
    scenario_id,
    sample,
    dialogue_id,
    turn,
    role,
    text,
    len(regexp_extract_all(text, '\S+')) AS words,
    rtrim(text) LIKE '%?' AS asks,
    state.motivation AS motivation,
    state.emotion AS emotion,
    state.topics AS topics,
    perceived.motivation AS perceived_motivation,
    perceived.emotion AS perceived_emotion,
    perceived.topics AS perceived_topics,
    previous_user.motivation AS previous_user_motivation,
    previous_user.emotion AS previous_user_emotion,
    next.motivation AS next_motivation,
    next.emotion AS next_emotion,
    source_id
FROM neighbours
