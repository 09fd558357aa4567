-- How each rolled-out model talks: replies, mean words, share that end in a question, most frequent action.
SELECT stage, count(*) AS replies, avg(words) AS words, avg(asks::INTEGER) AS asks, mode(motivation) AS action
FROM turns
WHERE role = 'assistant' AND stage LIKE 'rollout%'
GROUP BY stage
ORDER BY stage
