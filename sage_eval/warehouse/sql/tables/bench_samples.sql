CREATE TABLE bench_samples (
    stage VARCHAR NOT NULL,
    model VARCHAR,
    task VARCHAR NOT NULL,
    filter VARCHAR NOT NULL,
    doc_id BIGINT NOT NULL,
    doc_hash VARCHAR NOT NULL,
    prompt_hash VARCHAR NOT NULL,
    target_hash VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE,
    detail VARCHAR,
    response VARCHAR,
    target VARCHAR,
    loglikelihoods DOUBLE[]
);
COMMENT ON TABLE bench_samples IS 'One row a document, filter and metric of a benchmark.';
COMMENT ON COLUMN bench_samples.stage IS 'The benchmarking stage.';
COMMENT ON COLUMN bench_samples.model IS 'The stage whose checkpoint was tested, with its adapter after a plus sign; else the model''s name.';
COMMENT ON COLUMN bench_samples.task IS 'Task by its lm-eval name.';
COMMENT ON COLUMN bench_samples.filter IS 'How the answer was read off the output.';
COMMENT ON COLUMN bench_samples.doc_id IS 'Number of the document within the task.';
COMMENT ON COLUMN bench_samples.doc_hash IS 'Hash of the document.';
COMMENT ON COLUMN bench_samples.prompt_hash IS 'Hash of the prompt.';
COMMENT ON COLUMN bench_samples.target_hash IS 'Hash of the right answer.';
COMMENT ON COLUMN bench_samples.metric IS 'Metric, for example acc.';
COMMENT ON COLUMN bench_samples.value IS 'The document''s score; NULL when it is no single number.';
COMMENT ON COLUMN bench_samples.detail IS 'The score as JSON when it is no single number.';
COMMENT ON COLUMN bench_samples.response IS 'What was generated, after the filter; NULL where options were scored.';
COMMENT ON COLUMN bench_samples.target IS 'The right answer; of options, its number from 0. NULL where it is long.';
COMMENT ON COLUMN bench_samples.loglikelihoods IS 'Log-likelihood of each option in nats; NULL where text was generated.';
