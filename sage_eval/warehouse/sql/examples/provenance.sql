-- Every stage with its module, seed, hashes, models and warnings.
SELECT r.position, r.stage, r.uses, r.version, r.seed, r.fingerprint, r.content_hash, r.warnings,
    list(m.role || ': ' || m.model ORDER BY m.role) FILTER (m.role IS NOT NULL) AS models
FROM runs AS r
LEFT JOIN run_models AS m USING (stage)
GROUP BY ALL
ORDER BY r.position
