-- How much there is of everything.
SELECT
    (SELECT count(*) FROM runs) AS stages,
    (SELECT count(DISTINCT model) FROM dialogues) AS models,
    (SELECT count(DISTINCT scenario_id) FROM pair_verdicts) AS judged_scenarios,
    (SELECT count(DISTINCT judge) FROM judge_calls) AS judges,
    (SELECT count(*) FROM judge_calls) AS judge_calls,
    (SELECT count(*) FROM turns) AS turns
