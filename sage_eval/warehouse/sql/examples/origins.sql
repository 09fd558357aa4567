-- What the data derives from: every source with its licence, and the stages whose rows go back to it.
SELECT name, license, any_value(url) AS url, any_value(note) AS note, bool_or(withhold_text) AS withhold_text,
    bool_or(synthetic) AS synthetic, count(*) AS stages, list(stage ORDER BY position) AS in_stages
FROM run_origins
JOIN runs USING (stage)
GROUP BY name, license
ORDER BY min(position), name, license
