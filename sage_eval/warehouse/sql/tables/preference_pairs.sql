CREATE TABLE preference_pairs (
    stage VARCHAR NOT NULL,
    search_stage VARCHAR,
    dialogue_id VARCHAR NOT NULL,
    turn BIGINT NOT NULL,
    reply BIGINT NOT NULL,
    chosen_candidate BIGINT NOT NULL,
    rejected_candidate BIGINT NOT NULL,
    others BIGINT
);
COMMENT ON TABLE preference_pairs IS 'One row a pair that DPO learns from: the selected candidate against another.';
COMMENT ON COLUMN preference_pairs.stage IS 'The training stage.';
COMMENT ON COLUMN preference_pairs.search_stage IS 'Stage that made the candidates; with dialogue_id, turn and candidate it leads to candidates.';
COMMENT ON COLUMN preference_pairs.dialogue_id IS 'The trajectory.';
COMMENT ON COLUMN preference_pairs.turn IS 'Place of the reply among the turns of the dialogue, from 0.';
COMMENT ON COLUMN preference_pairs.reply IS 'Number of the reply among the assistant''s, from 0.';
COMMENT ON COLUMN preference_pairs.chosen_candidate IS 'Number of the chosen candidate.';
COMMENT ON COLUMN preference_pairs.rejected_candidate IS 'Number of the rejected candidate.';
COMMENT ON COLUMN preference_pairs.others IS 'Distinct candidates that the rejected one was drawn from.';
