-- How far annotated states agree with gold ones, beside always saying gold's most frequent label.
SELECT stage, role, slot, n, accuracy, majority_accuracy, macro_f1, kappa
FROM annotation_agreement
JOIN runs USING (stage)
ORDER BY position, role DESC, slot DESC
