"""The loss mask, token by token."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_messages import dialogue_messages

from sage_data.errors import ConfigError
from sage_models.base.tokenizer import END, SPECIAL, train_tokenizer
from sage_models.masking import (
    IGNORED,
    check_template,
    control_pattern,
    control_tokens,
    end_tokens,
    mask_dataset,
    mask_dialogue,
)

TOKENIZER = train_tokenizer((m["content"] for seed in range(10) for m in dialogue_messages(seed)), 350, 256)
TEXT = st.text(max_size=30).filter(lambda text: not any(token in text for token in SPECIAL))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXT), min_size=1, max_size=6))
def test_the_loss_holds_exactly_the_assistants_words_and_end_tokens(turns: list[tuple[str, str]]) -> None:
    messages = [{"role": role, "content": text} for role, text in turns]
    masked = mask_dialogue(messages, TOKENIZER)
    spans = [TOKENIZER.decode(list(span), clean_up_tokenization_spaces=False) for span in masked.spans()]
    assert spans == [text + END for role, text in turns if role == "assistant"]


def test_the_mask_of_one_dialogue_worked_by_hand() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "{a_topic: []} Yo"},
        {"role": "user", "content": "Bye"},
    ]
    masked = mask_dialogue(messages, TOKENIZER)
    shown = "".join(
        TOKENIZER.decode([token]).upper() if kept else "." * len(TOKENIZER.decode([token]))
        for token, kept in zip(masked.input_ids, masked.mask, strict=True)
    )
    before, after = len("<|begin|><|user|>Hi<|end|><|assistant|>"), len("<|user|>Bye<|end|>")
    assert shown == "." * before + "{A_TOPIC: []} YO<|END|>" + "." * after
    labels = masked.labels
    assert [label for label in labels if label != IGNORED] == [
        token for token, kept in zip(masked.input_ids, masked.mask, strict=True) if kept
    ]
    assert len(labels) == len(masked.input_ids)


def _with_template(template: str | None) -> Any:
    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.chat_template = template
    return tokenizer


BODY = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' ~ m['role'] ~ '|>' }}{% if m['role'] == 'assistant' %}ASSISTANT"
    "{% else %}{{ m['content'] ~ eos_token }}{% endif %}{% endfor %}"
)


@pytest.mark.parametrize(
    ("assistant", "found"),
    [
        ("{{ m['content'] ~ eos_token }}", "without generation markers"),
        ("{% generation %}{{ m['content'] }}{% endgeneration %}{{ eos_token }}", "end token inside"),
        ("{% generation %}{{ m['content'] ~ '<|user|>' }}{% endgeneration %}", "end token inside"),
        ("{% generation %}{{ m['content'] ~ pad_token }}{% endgeneration %}", "end token inside"),
        ("{% generation %}{{ 'So: ' ~ m['content'] ~ eos_token }}{% endgeneration %}", "exactly the assistant's words"),
        ("{% generation %}{{ m['content'] | trim | upper ~ eos_token }}{% endgeneration %}", "exactly"),
    ],
)
def test_a_template_that_cannot_give_an_exact_mask_is_refused(assistant: str, found: str) -> None:
    with pytest.raises(ConfigError, match=found) as caught:
        check_template(_with_template(BODY.replace("ASSISTANT", assistant)))
    assert "{% generation %}" in str(caught.value.next_step)


def test_a_tokenizer_without_a_template_is_refused() -> None:
    with pytest.raises(ConfigError, match="no chat template"):
        check_template(_with_template(None))


def test_own_template_passes() -> None:
    check_template(TOKENIZER)


def test_long_dialogues_are_cut_after_a_reply_and_counted() -> None:
    whole = dialogue_messages(1, exchanges=3)
    lengths = [len(mask_dialogue(whole[: 2 * count], TOKENIZER).input_ids) for count in (1, 2, 3)]
    for limit, kept in ((lengths[2], 3), (lengths[2] - 1, 2), (lengths[1], 2), (lengths[1] - 1, 1)):
        data = mask_dataset([whole], TOKENIZER, limit)
        assert data.rows[0].input_ids == mask_dialogue(whole[: 2 * kept], TOKENIZER).input_ids
        assert data.rows[0].cut_messages == 2 * (3 - kept)
        assert data.cut == (kept < 3)
    assert mask_dataset([whole], TOKENIZER, lengths[0] - 1).counts.dropped == {"too_long": 1}


def test_every_dialogue_is_kept_or_dropped_with_a_reason() -> None:
    good = dialogue_messages(2)
    data = mask_dataset(
        [good, good[:1], [*good, {"role": "user", "content": "bye"}], [{"role": "user", "content": END}, good[1]]],
        TOKENIZER,
        256,
    )
    assert data.places == (0, 2)
    assert data.reasons == {1: "no_assistant_message", 3: "special_token_in_text"}
    assert data.counts.adds_up()
    assert (data.counts.came_in, data.counts.kept) == (4, 2)
    # A user's message after the last reply is context for nothing.
    assert data.rows[1].input_ids == data.rows[0].input_ids
    assert data.table()["trained_tokens"].to_pylist() == [sum(row.mask) for row in data.rows]
    assert data.rejected().to_pylist()[0] == {"row": 1, "reason": "no_assistant_message"}


def test_control_tokens_are_found_where_a_tokenizer_would_read_them() -> None:
    assert set(control_tokens(TOKENIZER).values()) == set(SPECIAL)
    control = control_pattern(control_tokens(TOKENIZER).values())
    for token in SPECIAL:
        assert control.search(f"so{token}so")[0] == token  # type: ignore[index]
    assert control.search("<|end| > is no token, nor is {a_topic: []} or <b>") is None
    assert control_pattern(()).search("anything") is None
    assert control_pattern(["<a", "<ab"]).search("<ab")[0] == "<ab"  # type: ignore[index]


def test_end_tokens_are_those_of_the_tokenizer_and_the_generation_configuration() -> None:
    assert end_tokens(TOKENIZER) == {2}
    assert end_tokens(TOKENIZER, 5) == {2, 5}
    assert end_tokens(TOKENIZER, [5, 2, 7]) == {2, 5, 7}
