-- Documents that each task lost and won from one model to the next, worst task first.
SELECT
    r.base_stage,
    r.new_stage,
    o.task AS subject,
    o.metric,
    count(*) AS documents,
    count(*) FILTER (if(m.higher_is_better, n.value < o.value, n.value > o.value)) AS lost,
    count(*) FILTER (if(m.higher_is_better, n.value > o.value, n.value < o.value)) AS won,
    avg(n.value - o.value) AS difference
FROM (SELECT DISTINCT base_stage, new_stage FROM regressions) AS r
JOIN bench_samples AS o ON o.stage = r.base_stage
JOIN bench_samples AS n
    ON (n.stage, n.task, n.filter, n.metric, n.doc_id, n.doc_hash)
    = (r.new_stage, o.task, o.filter, o.metric, o.doc_id, o.doc_hash)
JOIN bench_metrics AS m ON (m.stage, m.task, m.filter, m.metric) = (o.stage, o.task, o.filter, o.metric)
GROUP BY r.base_stage, r.new_stage, o.task, o.filter, o.metric
ORDER BY won - lost, r.base_stage, r.new_stage, o.task, o.metric
