CREATE VIEW verdict_turns AS
WITH left_out AS (
    SELECT
        stage,
        dialogue_id,
        turn,
        list({candidate: candidate, text: text, score: score, motivation: a_motivation, emotion: a_emotion}
            ORDER BY candidate) AS rejected
    FROM candidates
    WHERE NOT selected AND merged_into IS NULL
    GROUP BY stage, dialogue_id, turn
)
SELECT
    v.stage,
    v.judge,
    v.scenario_id,
    v.model_a,
    v.model_b,
    v.side,
    v.model,
    v.opponent,
    v.verdict,
    v.outcome,
    v.checkpoint,
    v.dialogue_stage,
    v.dialogue_id,
    t.turn,
    t.role,
    t.text,
    t.words,
    t.asks,
    t.motivation,
    t.emotion,
    t.topics,
    t.perceived_motivation,
    t.perceived_emotion,
    t.perceived_topics,
    t.previous_user_motivation,
    t.previous_user_emotion,
    t.next_motivation,
    t.next_emotion,
    t.source_id,
    l.rejected,
    coalesce(len(l.rejected), 0) AS rejected_count
FROM verdict_sides AS v
JOIN turns AS t ON t.stage = v.dialogue_stage AND t.dialogue_id = v.dialogue_id
LEFT JOIN left_out AS l ON l.stage = t.stage AND l.dialogue_id = t.dialogue_id AND l.turn = t.turn;
COMMENT ON VIEW verdict_turns IS 'One row an utterance of every judged dialogue and verdict, with its tags and rejected candidates; joined with bench_samples ON bench_samples.model = verdict_turns.checkpoint it reaches the model''s benchmark items.';
COMMENT ON COLUMN verdict_turns.stage IS 'The judging stage.';
COMMENT ON COLUMN verdict_turns.judge IS 'Short name of the judge.';
COMMENT ON COLUMN verdict_turns.scenario_id IS 'The scenario.';
COMMENT ON COLUMN verdict_turns.model_a IS 'Name of model A of the pair.';
COMMENT ON COLUMN verdict_turns.model_b IS 'Name of model B of the pair.';
COMMENT ON COLUMN verdict_turns.side IS 'Whose dialogue this is: A or B.';
COMMENT ON COLUMN verdict_turns.model IS 'Name of this side''s model.';
COMMENT ON COLUMN verdict_turns.opponent IS 'Name of the other side''s model.';
COMMENT ON COLUMN verdict_turns.verdict IS 'A, B, tie, inconsistent, malformed or error.';
COMMENT ON COLUMN verdict_turns.outcome IS 'won or lost; else the verdict.';
COMMENT ON COLUMN verdict_turns.checkpoint IS 'Stage that made the model that spoke: the model of its bench_samples.';
COMMENT ON COLUMN verdict_turns.dialogue_stage IS 'Stage that holds the dialogue.';
COMMENT ON COLUMN verdict_turns.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN verdict_turns.turn IS 'Place in the dialogue, from 0.';
COMMENT ON COLUMN verdict_turns.role IS 'user or assistant.';
COMMENT ON COLUMN verdict_turns.text IS 'The words, without any tag.';
COMMENT ON COLUMN verdict_turns.words IS 'Number of words, split at white space.';
COMMENT ON COLUMN verdict_turns.asks IS 'True when the text ends in a question mark.';
COMMENT ON COLUMN verdict_turns.motivation IS 'The speaker''s own motivation; NULL: none.';
COMMENT ON COLUMN verdict_turns.emotion IS 'The speaker''s own emotion; NULL: none.';
COMMENT ON COLUMN verdict_turns.topics IS 'The speaker''s own topics, most important first.';
COMMENT ON COLUMN verdict_turns.perceived_motivation IS 'Motivation the speaking model read in the utterance before.';
COMMENT ON COLUMN verdict_turns.perceived_emotion IS 'Emotion the speaking model read in the utterance before.';
COMMENT ON COLUMN verdict_turns.perceived_topics IS 'Topics the speaking model read in the utterance before.';
COMMENT ON COLUMN verdict_turns.previous_user_motivation IS 'Own motivation of the last user utterance before this one.';
COMMENT ON COLUMN verdict_turns.previous_user_emotion IS 'Own emotion of the last user utterance before this one.';
COMMENT ON COLUMN verdict_turns.next_motivation IS 'Own motivation of the same speaker''s next utterance.';
COMMENT ON COLUMN verdict_turns.next_emotion IS 'Own emotion of the same speaker''s next utterance.';
COMMENT ON COLUMN verdict_turns.source_id IS 'Id of the comment or record the text came from.';
COMMENT ON COLUMN verdict_turns.rejected IS 'Candidates that were drawn for this utterance and not said; NULL when there are none.';
COMMENT ON COLUMN verdict_turns.rejected_count IS 'Number of them.';
