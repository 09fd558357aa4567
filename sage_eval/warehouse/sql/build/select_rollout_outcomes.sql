SELECT * REPLACE (coalesce(sample, 0) AS sample)
FROM source
