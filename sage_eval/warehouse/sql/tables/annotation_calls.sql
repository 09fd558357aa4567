CREATE TABLE annotation_calls (
    stage VARCHAR NOT NULL,
    dialogue_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    failures VARCHAR[],
    calls INTEGER,
    repairs INTEGER,
    rounds INTEGER,
    mended BOOLEAN,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    utterances INTEGER,
    rewritten INTEGER,
    bridges INTEGER,
    similarity DOUBLE,
    annotated INTEGER
);
COMMENT ON TABLE annotation_calls IS 'One row a dialogue that came to an annotating model: what became of it and what it cost.';
COMMENT ON COLUMN annotation_calls.stage IS 'The annotation stage.';
COMMENT ON COLUMN annotation_calls.dialogue_id IS 'The dialogue.';
COMMENT ON COLUMN annotation_calls.outcome IS 'annotated, passed (it had its states already) or failed.';
COMMENT ON COLUMN annotation_calls.failures IS 'Why each call but a good last one could not be used, in order.';
COMMENT ON COLUMN annotation_calls.calls IS 'Calls made; 0 where the same words had been asked about before.';
COMMENT ON COLUMN annotation_calls.repairs IS 'Calls that showed the model its bad reply.';
COMMENT ON COLUMN annotation_calls.rounds IS 'Calls that began anew, the first included.';
COMMENT ON COLUMN annotation_calls.mended IS 'True when a repair gave the reply that was used.';
COMMENT ON COLUMN annotation_calls.prompt_tokens IS 'Tokens sent.';
COMMENT ON COLUMN annotation_calls.completion_tokens IS 'Tokens received.';
COMMENT ON COLUMN annotation_calls.utterances IS 'Utterances of the dialogue.';
COMMENT ON COLUMN annotation_calls.rewritten IS 'Those whose own words changed.';
COMMENT ON COLUMN annotation_calls.bridges IS 'Those that got a question.';
COMMENT ON COLUMN annotation_calls.similarity IS 'Mean closeness of new words to the original, 0 to 1; NULL where nothing was annotated.';
COMMENT ON COLUMN annotation_calls.annotated IS 'Utterances that got a state.';
