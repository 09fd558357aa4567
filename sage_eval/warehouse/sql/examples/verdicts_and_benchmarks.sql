-- Does the model that wins talks also pass tests? Wins of every model beside the benchmark items of its checkpoint.
WITH talks AS (
    SELECT
        checkpoint,
        model,
        count(*) FILTER (outcome = 'won') AS won,
        count(*) FILTER (outcome = 'lost') AS lost
    FROM verdict_sides
    GROUP BY checkpoint, model
), items AS (
    SELECT model AS checkpoint, task, metric, count(*) AS items, avg(value) AS mean
    FROM bench_samples
    GROUP BY model, task, filter, metric
)
SELECT talks.model, won, lost, task, metric, items, mean
FROM talks
LEFT JOIN items USING (checkpoint)
ORDER BY won - lost DESC, talks.model, task, metric
