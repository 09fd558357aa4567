"""The whole stage once more, slowly: one dialogue after another, rule by rule, gives the same verdicts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.dialogue import Dialogue, Utterance
from sage_data.gates.blocked import BlockedPhrases
from sage_data.gates.columns import checked
from sage_data.gates.judging import KEPT, REASONS, Judge
from sage_data.gates.order import Tools
from sage_data.gates.thresholds import Thresholds
from sage_data.store.dialogues import to_table


def dialogue(id: str, *texts: str) -> Dialogue:
    return Dialogue(id, tuple(Utterance("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)))


TOOLS = Tools(
    compound=lambda text: 0.5 if "good" in text else 0.1,
    identify=lambda text: ("de" if "Haus" in text else "en", 0.9),
    blocked=BlockedPhrases(["darn it"]),
)


def slow_by_itself(texts: Sequence[str], limits: Thresholds) -> str | None:
    tokens = [text.split() for text in texts]
    lengths = [len(some) for some in tokens]
    every = [token for some in tokens for token in some]
    runs = [some[i : i + limits.repeated_words] for some in tokens for i in range(len(some)) if limits.repeated_words]
    asks = any(text.strip().endswith("?") for text in texts)
    rules: list[tuple[str, Any]] = [
        ("too_few_turns", limits.min_turns_exclusive is not None and len(texts) <= limits.min_turns_exclusive),
        ("too_many_turns", limits.max_turns is not None and len(texts) > limits.max_turns),
        (
            "too_short_utterances",
            limits.min_mean_words_exclusive is not None
            and sum(lengths) <= limits.min_mean_words_exclusive * len(lengths),
        ),
        ("long_utterance", limits.max_words is not None and any(length > limits.max_words for length in lengths)),
        ("short_utterance", limits.min_words is not None and any(length < limits.min_words for length in lengths)),
        ("too_many_words", limits.max_total_words is not None and sum(lengths) > limits.max_total_words),
        ("no_question", limits.need_question and not asks),
        ("quote", limits.drop_quotes and any(text.startswith(">") for text in texts)),
        ("url", limits.drop_urls and any("http://" in text for text in texts)),
        ("brackets", limits.bracket_characters and any(set(limits.bracket_characters) & set(text) for text in texts)),
        ("long_word", limits.max_word_characters and any(len(one) > limits.max_word_characters for one in every)),
        ("repeated_words", any(len(run) == limits.repeated_words and len(set(run)) == 1 for run in runs)),
        ("capitals", limits.capitals_in_row and any("A" * limits.capitals_in_row in text for text in texts)),
        ("no_common_word", limits.need_common_word and not all({"the", "it"} & set(some) for some in tokens[1:])),
        ("blocked_words", any("darn it" in " ".join(some) for some in tokens)),
        ("low_sentiment", limits.min_compound_exclusive is not None and not all("good" in text for text in texts)),
        ("other_language", limits.language is not None and any("Haus" in text for text in texts)),
    ]
    return next((reason for reason, fails in rules if fails), None)


def slow(dialogues: Sequence[Dialogue], limits: Thresholds) -> list[str | None]:
    """Reason of each dialogue, or None; each is compared with every one kept before."""
    reasons: list[str | None] = []
    kept: list[list[list[str]]] = []
    for one in dialogues:
        texts = [utterance.text for utterance in one.utterances]
        flat = [text.lower().split() for text in texts]
        reason = slow_by_itself(texts, limits)
        if reason is None and limits.drop_duplicates and flat in kept:
            reason = "duplicate"
        threshold = limits.near_duplicate_jaccard
        if reason is None and threshold and any(slow_jaccard(flat, other) >= threshold for other in kept):
            reason = "near_duplicate"
        if reason is None:
            kept.append(flat)
        reasons.append(reason)
    return reasons


def slow_jaccard(one: list[list[str]], other: list[list[str]]) -> float:
    first, second = (
        {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
        for words in ([word for text in texts for word in text] for texts in (one, other))
    )
    return len(first & second) / len(first | second)


VOCABULARY = "the the good Good table x (y) AAA AAAAA http://q.z darn it Haus abcdefgh no? why?".split()  # noqa: SIM905
OFF: dict[str, Any] = {
    "min_turns_exclusive": None,
    "min_mean_words_exclusive": None,
    "need_question": False,
    "min_compound_exclusive": None,
}
SWITCHES: list[dict[str, Any]] = [
    {"min_turns_exclusive": 1},
    {"max_turns": 3},
    {"min_mean_words_exclusive": 1.5},
    {"max_words": 5},
    {"min_words": 1},
    {"max_total_words": 10},
    {"need_question": True},
    {"max_word_characters": 7},
    {"repeated_words": 2},
    {"capitals_in_row": 5},
    {"drop_quotes": True},
    {"bracket_characters": ")>"},
    {"drop_urls": True},
    {"need_common_word": True},
    {"min_compound_exclusive": 0.4},
    {"language": "en"},
    {"drop_duplicates": True},
    {"near_duplicate_jaccard": 0.5},
    {"near_duplicate_jaccard": 1.0},
]


def some_text(draw: random.Random) -> str:
    return draw.choice(["", "", "", "> "]) + " ".join(draw.choices(VOCABULARY, k=draw.choice([1, 2, 3, 4, 6])))


def some_dialogues(draw: random.Random) -> list[Dialogue]:
    """Half of them new, half equal or nearly equal to one before."""
    found = [[some_text(draw) for _ in range(draw.randint(0, 4))]]
    for _ in range(draw.randint(0, 20)):
        old = draw.choice(found)
        copies = [[text + " \n" for text in old], [*old, "x"], [*old[:-1], some_text(draw)]]
        new = [some_text(draw) for _ in range(draw.randint(0, 4))]
        found.append(draw.choice([*copies, new, new, new]))
    return [dialogue(str(number), *texts) for number, texts in enumerate(found)]


def some_limits(draw: random.Random) -> Thresholds:
    given = dict(OFF)
    for switch in draw.sample(SWITCHES, draw.randint(0, 3)):
        given |= switch
    return Thresholds.model_validate(given)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_fast_equals_slow(seed: int) -> None:
    draw = random.Random(seed)
    dialogues, limits = some_dialogues(draw), some_limits(draw)
    cut, shard = draw.randint(0, len(dialogues)), draw.randint(0, len(dialogues))
    table = to_table(dialogues)
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])  # two chunks, the second with an offset
    judge = Judge(limits, TOOLS)
    parts = (table.slice(0, shard), table.slice(shard))
    found = [code for part in parts for code in judge.verdicts(checked(part, "a test"))]
    assert [None if code == KEPT else str(REASONS[code]) for code in found] == slow(dialogues, limits)
