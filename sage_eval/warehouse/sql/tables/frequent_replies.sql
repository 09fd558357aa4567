CREATE TABLE frequent_replies (
    stage VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    rank BIGINT NOT NULL,
    reply VARCHAR NOT NULL,
    count BIGINT NOT NULL,
    dialogues BIGINT,
    share DOUBLE
);
COMMENT ON TABLE frequent_replies IS 'One row a reply that a model says more than once; the most frequent ones.';
COMMENT ON COLUMN frequent_replies.stage IS 'The stage that measured it.';
COMMENT ON COLUMN frequent_replies.model IS 'Name of the model.';
COMMENT ON COLUMN frequent_replies.rank IS 'Place by frequency, from 1.';
COMMENT ON COLUMN frequent_replies.reply IS 'The reply, case folded, white space collapsed.';
COMMENT ON COLUMN frequent_replies.count IS 'Times it is said.';
COMMENT ON COLUMN frequent_replies.dialogues IS 'Dialogues it is said in.';
COMMENT ON COLUMN frequent_replies.share IS 'count over all replies of the model.';
