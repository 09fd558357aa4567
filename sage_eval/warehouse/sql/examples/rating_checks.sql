-- Whether one strength a model explains each judge's verdicts: fit, cycles, and what a reader must know.
SELECT f.stage, f.judge, f.component, f.models, f.n, f.scenarios, f.df, f.p, f.cycles, f.warnings
FROM rating_fit AS f
JOIN runs USING (stage)
ORDER BY position, f.judge, f.component
