"""How replies are said: length, questions, variety, repetition; each measure with its interval over scenarios.

Words are what `sage_data.gates.measures` takes for words. The paper gives mean lengths of 86.2 for SAGE_0 and 21.8 for
SAGE_DPO without a unit; here they are words, tags off. With a tokenizer, `reply_tokens` are the same replies' tokens.
`tokens` are those that the rollout counted: all utterances that a model wrote, the user simulator's too, tags on, as
the outcomes tell no more.

style_rows(model, level=0.95, budget=2000)
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from sage_data.gates.measures import QUESTION_MARKS, ends_with_question, words
from sage_eval.states.counting import ESTIMATE_FIELDS, limits
from sage_eval.states.estimates import Estimate, Sums, average, proportion
from sage_eval.states.material import Model, Talk
from sage_eval.states.tokens import TokenCount
from sage_eval.states.variety import NGRAMS, variety_rows

TABLE, FREQUENT = "style_measures", "frequent_replies"
REPEAT_GRAM = 3
"""Words of the runs that count as repeated inside a reply or a dialogue."""
MOST_FREQUENT = 20
SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("measure", pa.string()),
        ("unit", pa.string()),
        ("value", pa.float64()),
        *ESTIMATE_FIELDS,
        ("method", pa.string()),
    ]
)
FREQUENT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("rank", pa.int64()),
        ("reply", pa.string()),
        ("count", pa.int64()),
        ("dialogues", pa.int64()),
        ("share", pa.float64()),
    ]
)
Measure = Callable[[str], float | None]


def plain(text: str) -> str:
    """A reply as it is compared with others: case folded, white space collapsed."""
    return " ".join(text.casefold().split())


def grams(text: str, size: int) -> list[tuple[str, ...]]:
    """Runs of `size` words, case folded."""
    listed = text.casefold().split()
    return list(zip(*(listed[start:] for start in range(size)), strict=False))


def repeated_inside(text: str) -> float | None:
    """Share of a reply's runs of three words that stood in it before; None when it has fewer than three words."""
    found = grams(text, REPEAT_GRAM)
    return 1.0 - len(set(found)) / len(found) if found else None


def asks(text: str) -> float:
    """1 when there is a question mark anywhere."""
    return float(not QUESTION_MARKS.isdisjoint(text))


OF_REPLIES: Mapping[str, tuple[str, Measure, bool]] = {
    "words": ("words a reply", lambda text: float(words(text)), False),
    "ends_with_question": ("share of replies", lambda text: float(ends_with_question(text)), True),
    "has_question": ("share of replies", asks, True),
    "repeated_in_reply": ("share of 3-word runs, mean over replies", repeated_inside, False),
}
"""Measure -> (unit, function of a reply's text, lies between 0 and 1 for each reply as yes or no)."""
BOUNDED = frozenset({"ends_with_question", "has_question", "repeated_in_reply", "repeats_reply", "repeats_in_dialogue"})
"""Measures that lie between 0 and 1."""


def reply_sums(model: Model, measure: Measure) -> Sums:
    """One measure of every reply for which it is defined."""
    sums = Sums()
    for talk, _, one in model.replies:
        value = measure(one.text)
        if value is not None:
            sums.add(talk.cluster, value)
    return sums


def repeats_reply(talk: Talk) -> Iterator[float]:
    """For each reply but the first: 1 when it was said before in the dialogue, word for word."""
    said: set[str] = set()
    for number, (_, one) in enumerate(talk.replies):
        if number:
            yield float(plain(one.text) in said)
        said.add(plain(one.text))


def repeats_in_dialogue(talk: Talk) -> Iterator[float]:
    """For each reply but the first: share of its runs of three words that earlier replies of the dialogue hold."""
    said: set[tuple[str, ...]] = set()
    for number, (_, one) in enumerate(talk.replies):
        found = grams(one.text, REPEAT_GRAM)
        if number and found:
            yield sum(one in said for one in found) / len(found)
        said.update(found)


def talk_sums(model: Model, measure: Callable[[Talk], Iterator[float]]) -> Sums:
    """One measure of every reply that has an earlier one."""
    sums = Sums()
    for talk in model.talks:
        for value in measure(talk):
            sums.add(talk.cluster, value)
    return sums


def sums_of(model: Model, count: TokenCount | None = None) -> dict[str, Sums]:
    """Every measure that is a mean over replies, as sums by cluster; tokens of replies where they can be counted."""
    found = {name: reply_sums(model, measure) for name, (_, measure, _) in OF_REPLIES.items()}
    if count is not None:
        found["reply_tokens"] = reply_sums(model, lambda text: float(count(text)))
    return found | {
        "repeats_reply": talk_sums(model, repeats_reply),
        "repeats_in_dialogue": talk_sums(model, repeats_in_dialogue),
    }


def style_rows(model: Model, level: float, budget: int, count: TokenCount | None = None) -> Iterator[dict[str, Any]]:
    """One row a measure."""
    units = {name: unit for name, (unit, _, _) in OF_REPLIES.items()} | {
        "reply_tokens": "tokens a reply, tags off, by the tokenizer given",
        "repeats_reply": "share of later replies",
        "repeats_in_dialogue": "share of 3-word runs, mean over later replies",
    }
    shares = {"ends_with_question", "has_question", "repeats_reply"}
    for name, sums in sums_of(model, count).items():
        found = proportion(sums, level) if name in shares else _within(average(sums, level), name)
        method = "Wilson, clustered" if name in shares else "t, clustered"
        yield _row(model, name, units[name], found, method)
    yield _median(model, level)
    yield from _tokens(model, level)
    yield _stock(model, level)
    listed = [(talk.cluster, grams(one.text, 1)) for talk, _, one in model.replies]
    for size in NGRAMS:
        for row in variety_rows(listed, size, budget, level):
            yield {"model": model.name, **row}


def _within(found: Estimate, name: str) -> Estimate:
    """The same with its limits cut at 0 and 1 where the measure cannot go beyond."""
    if name not in BOUNDED or found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _row(model: Model, measure: str, unit: str, found: Estimate, method: str) -> dict[str, Any]:
    named = {"model": model.name, "measure": measure, "unit": unit, "value": found.value, "method": method}
    return {**named, **limits(found)}


def _alone(value: float | None, n: int, clusters: int, level: float) -> Estimate:
    return Estimate(value, None, None, n, clusters, level)


def _median(model: Model, level: float) -> dict[str, Any]:
    lengths = [words(one.text) for _, _, one in model.replies]
    clusters = len({talk.cluster for talk in model.talks})
    found = _alone(float(statistics.median(lengths)) if lengths else None, len(lengths), clusters, level)
    return _row(model, "words_median", "words a reply", found, "none")


def _tokens(model: Model, level: float) -> Iterator[dict[str, Any]]:
    """Tokens a generated utterance, where the outcomes count them."""
    sums = Sums()
    replies = {talk.id: len(talk.dialogue.utterances) - 1 for talk in model.talks}
    for row in model.outcomes:
        written = replies.get(row["dialogue_id"], 0)
        if written and row.get("completion_tokens"):
            sums.add(str(row["scenario_id"] or row["dialogue_id"]), float(row["completion_tokens"]), float(written))
    if sums.below:
        unit = "tokens a generated utterance, both speakers, tags included"
        yield _row(model, "tokens", unit, average(sums, level), "t, clustered")


def _stock(model: Model, level: float) -> dict[str, Any]:
    """Replies that another scenario's dialogues hold too, word for word; grows with the number of dialogues."""
    places = _places(model)
    stock = sum(len(found) for found in places.values() if len({cluster for cluster, _ in found}) > 1)
    n = sum(map(len, places.values()))
    clusters = len({talk.cluster for talk in model.talks})
    found = _alone(stock / n if n else None, n, clusters, level)
    return _row(model, "stock_replies", "share of replies also said in another scenario", found, "none")


def _places(model: Model) -> dict[str, list[tuple[str, str]]]:
    """Reply -> (cluster, dialogue) of each time it is said."""
    places: dict[str, list[tuple[str, str]]] = {}
    for talk, _, one in model.replies:
        places.setdefault(plain(one.text), []).append((talk.cluster, talk.id))
    return places


def frequent_rows(model: Model) -> Iterator[dict[str, Any]]:
    """The replies that are said most often, if more than once; case folded, white space collapsed."""
    places = _places(model)
    total = sum(map(len, places.values()))
    most: Sequence[tuple[str, int]] = sorted(
        Counter({reply: len(found) for reply, found in places.items() if len(found) > 1}).items(),
        key=lambda one: (-one[1], one[0]),
    )
    for rank, (reply, count) in enumerate(most[:MOST_FREQUENT], 1):
        yield {
            "model": model.name,
            "rank": rank,
            "reply": reply,
            "count": count,
            "dialogues": len({dialogue for _, dialogue in places[reply]}),
            "share": count / total,
        }
