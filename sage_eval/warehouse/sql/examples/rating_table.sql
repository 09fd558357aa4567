-- Ratings of all models by judge, best first: intervals, ranks they allow, and groups that share a letter when alike.
SELECT
    stage,
    judge,
    model,
    elo,
    elo_low,
    elo_high,
    CASE WHEN rank_low = rank_high THEN rank_low::VARCHAR ELSE format('{} to {}', rank_low, rank_high) END AS ranks,
    letters,
    wins,
    ties,
    losses,
    inconsistent + malformed + error AS not_decided,
    unrated,
    n,
    inconsistent,
    malformed + error AS failed,
    rank_low,
    rank_high,
    alpha,
    level,
    resamples,
    ties_rule
FROM ratings
JOIN runs USING (stage)
ORDER BY position, judge, elo DESC NULLS LAST, model
