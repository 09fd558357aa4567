CREATE TABLE annotation_agreement (
    stage VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    slot VARCHAR NOT NULL,
    n BIGINT NOT NULL,
    accuracy DOUBLE,
    macro_f1 DOUBLE,
    kappa DOUBLE,
    majority_accuracy DOUBLE,
    majority_macro_f1 DOUBLE
);
COMMENT ON TABLE annotation_agreement IS 'One row a role and slot: how well annotated states agree with gold ones, where a stage was given gold.';
COMMENT ON COLUMN annotation_agreement.stage IS 'The annotation stage.';
COMMENT ON COLUMN annotation_agreement.role IS 'user or assistant.';
COMMENT ON COLUMN annotation_agreement.slot IS 'motivation or emotion.';
COMMENT ON COLUMN annotation_agreement.n IS 'Utterances compared.';
COMMENT ON COLUMN annotation_agreement.accuracy IS 'Share of equal labels; none is a label like any other.';
COMMENT ON COLUMN annotation_agreement.macro_f1 IS 'Mean F1 over the labels that occur in gold.';
COMMENT ON COLUMN annotation_agreement.kappa IS 'Cohen''s kappa.';
COMMENT ON COLUMN annotation_agreement.majority_accuracy IS 'Accuracy of always saying gold''s most frequent label.';
COMMENT ON COLUMN annotation_agreement.majority_macro_f1 IS 'Macro-F1 of the same.';
