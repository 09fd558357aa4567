CREATE TABLE bench_metrics (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    task VARCHAR NOT NULL,
    filter VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE,
    stderr DOUBLE,
    n BIGINT,
    higher_is_better BOOLEAN,
    num_fewshot BIGINT,
    version VARCHAR,
    is_group BOOLEAN
);
COMMENT ON TABLE bench_metrics IS 'One row a task, filter and metric of a benchmark run.';
COMMENT ON COLUMN bench_metrics.stage IS 'The benchmarking stage.';
COMMENT ON COLUMN bench_metrics.model IS 'The stage whose checkpoint was tested, with its adapter after a plus sign; else the model''s name.';
COMMENT ON COLUMN bench_metrics.task IS 'Task or group by its lm-eval name.';
COMMENT ON COLUMN bench_metrics.filter IS 'How the answer was read off the output.';
COMMENT ON COLUMN bench_metrics.metric IS 'Metric, for example acc.';
COMMENT ON COLUMN bench_metrics.value IS 'Score over all documents.';
COMMENT ON COLUMN bench_metrics.stderr IS 'Standard error of the score.';
COMMENT ON COLUMN bench_metrics.n IS 'Number of documents.';
COMMENT ON COLUMN bench_metrics.higher_is_better IS 'True when a higher score is better.';
COMMENT ON COLUMN bench_metrics.num_fewshot IS 'Examples in the prompt.';
COMMENT ON COLUMN bench_metrics.version IS 'Version of the task.';
COMMENT ON COLUMN bench_metrics.is_group IS 'True for a group of tasks.';
