CREATE TABLE candidates (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    dialogue_id VARCHAR NOT NULL,
    scenario_id VARCHAR,
    turn BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    candidate BIGINT NOT NULL,
    draw BIGINT,
    merged_into BIGINT,
    selected BOOLEAN NOT NULL,
    chosen_by VARCHAR,
    forgotten BIGINT,
    content VARCHAR,
    text VARCHAR,
    u_motivation VARCHAR,
    u_emotion VARCHAR,
    a_motivation VARCHAR,
    a_emotion VARCHAR,
    u_topics VARCHAR[],
    a_topics VARCHAR[],
    score DOUBLE,
    acceptable BOOLEAN,
    score_relevance DOUBLE,
    score_freshness DOUBLE,
    score_mood DOUBLE,
    score_question DOUBLE,
    score_informativeness DOUBLE,
    score_length DOUBLE,
    score_finished DOUBLE,
    score_tags DOUBLE,
    score_appropriateness DOUBLE,
    score_respect DOUBLE,
    selector_reply VARCHAR,
    logprob DOUBLE,
    completion_tokens BIGINT,
    status VARCHAR,
    problems VARCHAR[]
);
COMMENT ON TABLE candidates IS 'One row a candidate reply of the search, the rejected ones included.';
COMMENT ON COLUMN candidates.stage IS 'The searching stage.';
COMMENT ON COLUMN candidates.model IS 'Identity of the agent that drew it.';
COMMENT ON COLUMN candidates.dialogue_id IS 'The trajectory; with stage and turn it leads to turns.';
COMMENT ON COLUMN candidates.scenario_id IS 'Its scenario.';
COMMENT ON COLUMN candidates.turn IS 'Place of the reply among the turns of the dialogue, from 0.';
COMMENT ON COLUMN candidates.reply IS 'Number of the reply among the assistant''s, from 0.';
COMMENT ON COLUMN candidates.candidate IS 'Number of the candidate, from 0.';
COMMENT ON COLUMN candidates.draw IS '0 for the first draw, 1 for the second.';
COMMENT ON COLUMN candidates.merged_into IS 'Candidate with the very same content that stands for it; NULL if it is itself.';
COMMENT ON COLUMN candidates.selected IS 'True for the one that was said.';
COMMENT ON COLUMN candidates.chosen_by IS 'How the reply was chosen: selector, second_draw, fallback or nothing.';
COMMENT ON COLUMN candidates.forgotten IS 'Older messages left out of the context.';
COMMENT ON COLUMN candidates.content IS 'As generated, tags included.';
COMMENT ON COLUMN candidates.text IS 'The words.';
COMMENT ON COLUMN candidates.u_motivation IS 'Motivation of the user as it was read.';
COMMENT ON COLUMN candidates.u_emotion IS 'Emotion of the user as it was read.';
COMMENT ON COLUMN candidates.a_motivation IS 'Motivation of the reply''s action.';
COMMENT ON COLUMN candidates.a_emotion IS 'Emotion of the reply''s action.';
COMMENT ON COLUMN candidates.u_topics IS 'Topics of the user as it was read.';
COMMENT ON COLUMN candidates.a_topics IS 'Topics of the reply''s action.';
COMMENT ON COLUMN candidates.score IS 'The selector''s score.';
COMMENT ON COLUMN candidates.acceptable IS 'True when the selector finds no fault.';
COMMENT ON COLUMN candidates.score_relevance IS 'Rubric feature relevance, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_freshness IS 'Rubric feature freshness, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_mood IS 'Rubric feature mood, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_question IS 'Rubric feature question, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_informativeness IS 'Rubric feature informativeness, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_length IS 'Rubric feature length, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_finished IS 'Rubric feature finished, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_tags IS 'Rubric feature tags, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_appropriateness IS 'Rubric feature appropriateness, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.score_respect IS 'Rubric feature respect, 0 to 1; NULL with another selector.';
COMMENT ON COLUMN candidates.selector_reply IS 'What a model as selector answered.';
COMMENT ON COLUMN candidates.logprob IS 'Log-probability of the content under the unmodified model, natural log.';
COMMENT ON COLUMN candidates.completion_tokens IS 'Tokens generated.';
COMMENT ON COLUMN candidates.status IS 'What became of the request.';
COMMENT ON COLUMN candidates.problems IS 'What was wrong with its tags.';
