-- How each model's replies are said: length, questions, variety and repetition, with intervals over scenarios.
SELECT stage, s.model, s.measure, s.unit, s.value, s.low, s.high, s.n, s.level
FROM style_measures AS s
JOIN runs USING (stage)
ORDER BY
    position,
    -- Length first, then questions, variety and repetition; what is new here comes last.
    coalesce(
        list_position(
            ['words', 'words_median', 'reply_tokens', 'tokens', 'has_question', 'ends_with_question', 'distinct_1', 'distinct_2',
                'distinct_3', 'distinct_1_fixed', 'distinct_2_fixed', 'distinct_3_fixed', 'repeated_in_reply', 'repeats_reply',
                'repeats_in_dialogue', 'stock_replies'],
            s.measure
        ),
        99
    ),
    s.measure,
    s.unit,
    s.model
