-- A few dialogues that each dropping stage kept, taken by hash: nobody picked them.
WITH chosen AS (
    SELECT stage, position, dialogue_id
    FROM dialogues
    JOIN runs USING (stage)
    WHERE stage IN (SELECT stage FROM funnel WHERE outcome = 'dropped' AND n > 0)
    QUALIFY row_number() OVER (PARTITION BY stage ORDER BY md5(dialogue_id), dialogue_id) <= 5
)
SELECT stage, dialogue_id, turn, role, text, motivation, emotion, topics
FROM chosen
JOIN turns USING (stage, dialogue_id)
ORDER BY position, md5(dialogue_id), dialogue_id, turn
