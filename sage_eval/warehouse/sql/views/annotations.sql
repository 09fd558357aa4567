CREATE VIEW annotations AS
WITH annotators AS (
    SELECT stage, any_value(model) AS annotator FROM run_models WHERE role = 'annotator' GROUP BY stage
)
SELECT
    t.stage,
    a.annotator,
    t.dialogue_id,
    t.turn,
    t.role,
    t.motivation,
    t.emotion,
    t.topics,
    t.text,
    w.original,
    w.bridge,
    w.similarity
FROM turns AS t
JOIN runs AS r ON r.stage = t.stage AND r.uses = 'sage_data.annotation'
LEFT JOIN annotators AS a ON a.stage = t.stage
LEFT JOIN rewrites AS w ON w.stage = t.stage AND w.dialogue_id = t.dialogue_id AND w.turn = t.turn
WHERE t.motivation IS NOT NULL OR t.emotion IS NOT NULL OR t.topics IS NOT NULL;
COMMENT ON VIEW annotations IS 'One row an utterance of an annotation stage that has a state; those that failed are in rejected, their calls in annotation_calls.';
COMMENT ON COLUMN annotations.stage IS 'The annotation stage.';
COMMENT ON COLUMN annotations.annotator IS 'Identity of the model or lexicon that annotated.';
COMMENT ON COLUMN annotations.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN annotations.turn IS 'Place in the dialogue, from 0.';
COMMENT ON COLUMN annotations.role IS 'user or assistant.';
COMMENT ON COLUMN annotations.motivation IS 'Annotated motivation; NULL: none.';
COMMENT ON COLUMN annotations.emotion IS 'Annotated emotion; NULL: none.';
COMMENT ON COLUMN annotations.topics IS 'Annotated topics, most important first.';
COMMENT ON COLUMN annotations.text IS 'The words as they are now.';
COMMENT ON COLUMN annotations.original IS 'The words as they came; NULL when they were not rewritten.';
COMMENT ON COLUMN annotations.bridge IS 'Question that was added; NULL: none.';
COMMENT ON COLUMN annotations.similarity IS 'How close the new words are to the original, 0 to 1; NULL when they were not rewritten.';
