-- How far two judges, all of them, or one judge asked again, say the same of the same pairs.
SELECT stage, kind, judge, other, raters, units, scenarios, opposed, percent, percent_low, percent_high, kappa, kappa_low,
    kappa_high, alpha, alpha_low, alpha_high, ac1, ac1_low, ac1_high, level,
    coalesce(note, percent_note, kappa_note, alpha_note, ac1_note) AS note
FROM judge_agreement
JOIN runs USING (stage)
ORDER BY position, kind = 'retest', kind = 'panel', judge, other
