-- Scenarios on which a judge follows the seat, most judges first.
SELECT v.scenario_id, count(*) AS inconsistent, list(DISTINCT judge ORDER BY judge) AS judges, any_value(s.situation) AS situation
FROM pair_verdicts AS v
LEFT JOIN (SELECT scenario_id, any_value(situation) AS situation FROM scenarios GROUP BY scenario_id) AS s
    USING (scenario_id)
WHERE verdict = 'inconsistent' AND coalesce(replicate, 0) = 0 AND choice_ab IS NOT NULL
GROUP BY v.scenario_id
ORDER BY inconsistent DESC, v.scenario_id
