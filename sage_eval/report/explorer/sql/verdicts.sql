-- Every verdict with the number of its judging: a judge of a stage, and which of its repeated answers it is.
CREATE TEMP TABLE shown_verdicts AS
WITH numbered AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY stage, judge, model_a, model_b, scenario_id, stage_a, dialogue_a, stage_b, dialogue_b
            ORDER BY replicate NULLS FIRST, spec_hash, verdict, raw_ab, raw_ba
        ) AS repeat
    FROM read_pair_verdicts
)
SELECT *, dense_rank() OVER (ORDER BY judge, stage, repeat) - 1 AS judging
FROM numbered
