CREATE TABLE maths_answers (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    problem_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    question VARCHAR,
    answer VARCHAR NOT NULL,
    answer_in_question BOOLEAN,
    attempt BIGINT NOT NULL,
    asked VARCHAR,
    outcome VARCHAR NOT NULL,
    reply VARCHAR NOT NULL,
    numbers VARCHAR[],
    last_right BOOLEAN,
    any_right BOOLEAN,
    u_motivation VARCHAR,
    u_emotion VARCHAR,
    a_motivation VARCHAR,
    a_emotion VARCHAR,
    tags VARCHAR,
    status VARCHAR,
    error VARCHAR,
    prompt_tokens BIGINT,
    completion_tokens BIGINT
);
COMMENT ON TABLE maths_answers IS 'One row a reply to a word problem asked inside a chat.';
COMMENT ON COLUMN maths_answers.stage IS 'The stage that measured it.';
COMMENT ON COLUMN maths_answers.model IS 'Identity of the agent.';
COMMENT ON COLUMN maths_answers.problem_id IS 'The problem.';
COMMENT ON COLUMN maths_answers.kind IS 'Name of its template, or gsm8k.';
COMMENT ON COLUMN maths_answers.question IS 'The problem''s words.';
COMMENT ON COLUMN maths_answers.answer IS 'The right number.';
COMMENT ON COLUMN maths_answers.answer_in_question IS 'True when that number stands in the question.';
COMMENT ON COLUMN maths_answers.attempt IS '0 for the question, 1 and on for the nudges.';
COMMENT ON COLUMN maths_answers.asked IS 'opening (the small talk failed), question or nudge.';
COMMENT ON COLUMN maths_answers.outcome IS 'answered, no_number or failed.';
COMMENT ON COLUMN maths_answers.reply IS 'The words of the reply.';
COMMENT ON COLUMN maths_answers.numbers IS 'Numbers it holds, in order.';
COMMENT ON COLUMN maths_answers.last_right IS 'True when the last is right; NULL when failed.';
COMMENT ON COLUMN maths_answers.any_right IS 'True when any is; NULL when failed.';
COMMENT ON COLUMN maths_answers.u_motivation IS 'Motivation the model read in the user.';
COMMENT ON COLUMN maths_answers.u_emotion IS 'Emotion the model read in the user.';
COMMENT ON COLUMN maths_answers.a_motivation IS 'Motivation of the reply''s action.';
COMMENT ON COLUMN maths_answers.a_emotion IS 'Emotion of the reply''s action.';
COMMENT ON COLUMN maths_answers.tags IS 'How the tags came out.';
COMMENT ON COLUMN maths_answers.status IS 'What became of the request.';
COMMENT ON COLUMN maths_answers.error IS 'What the backend said when it failed.';
COMMENT ON COLUMN maths_answers.prompt_tokens IS 'Tokens read.';
COMMENT ON COLUMN maths_answers.completion_tokens IS 'Tokens written.';
