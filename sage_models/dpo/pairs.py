"""Preference pairs from the candidates of a search: chosen = selected, rejected = a random other one (section 3.5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Any

import pyarrow as pa

from sage_data.stage import Counts, derive_seed
from sage_models.masking import CONTROL_TEXT, control_pattern

COLUMNS = ["dialogue_id", "turn", "candidate", "selected", "context", "content", "text", "status"]
"""What is read of the table `candidates`."""
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
PAIR_SCHEMA = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("turn", pa.int64()),
        ("chosen_candidate", pa.int64()),
        ("rejected_candidate", pa.int64()),
        ("others", pa.int64()),
        ("prompt", MESSAGES),
        ("chosen", MESSAGES),
        ("rejected", MESSAGES),
    ]
)
"""One row a pair. `others`: distinct candidates that the rejected one was drawn from."""

Candidate = Mapping[str, Any]
Fits = Callable[[Candidate, Candidate], bool]
_NO_CONTROL = control_pattern(())


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs, the replies that gave none, and the counts of replies and of candidates."""

    table: pa.Table
    """`PAIR_SCHEMA`."""
    rejected: pa.Table
    """One row a reply without a pair: dialogue_id, turn, reason."""
    counts: tuple[Counts, Counts]
    """Of replies (each gives one pair or has a reason), and of candidates."""


def make_pairs(rows: Iterable[Candidate], seed: int, fits: Fits, control: re.Pattern[str] = _NO_CONTROL) -> Pairs:
    """Make one pair for each reply.

    A reply gives no pair when no usable candidate is selected (`no_selected`), when it or what came before it would be
    read as control tokens, see `control` (`special_token_in_text`), when no other one says anything else
    (`no_other_candidate`), or when `fits(chosen, rejected)` is false (`too_long`). The draw depends on the seed, the
    dialogue and the turn alone.
    """
    ordered = sorted(rows, key=lambda row: (row["dialogue_id"], row["turn"], row["candidate"]))
    pairs: list[dict[str, Any]] = []
    without: list[dict[str, Any]] = []
    fates: Counter[str] = Counter()
    for (dialogue, turn), group in groupby(ordered, key=lambda row: (row["dialogue_id"], row["turn"])):
        candidates = list(group)
        others, fate = _others(candidates, control)
        fates.update(fate)
        chosen = _chosen(candidates, control)
        draw = Random(derive_seed(seed, dialogue, turn))
        outcome = chosen if isinstance(chosen, str) else _pair(chosen, others, draw, fits)
        if isinstance(outcome, str):
            without.append({"dialogue_id": dialogue, "turn": turn, "reason": outcome})
        else:
            pairs.append(outcome)
    return Pairs(
        pa.Table.from_pylist(pairs, PAIR_SCHEMA),
        pa.Table.from_pylist(
            without, pa.schema([("dialogue_id", pa.string()), ("turn", pa.int64()), ("reason", pa.string())])
        ),
        (_reply_counts(len(pairs), without), _candidate_counts(fates)),
    )


def _others(candidates: Sequence[Candidate], control: re.Pattern[str]) -> tuple[list[Candidate], Counter[str]]:
    """Distinct usable candidates that say something else than the selected one, and what became of every candidate."""
    others: list[Candidate] = []
    fate: Counter[str] = Counter()
    chosen_texts = {row["text"] for row in candidates if row["selected"]}
    seen: set[str] = set()
    for row in candidates:
        if row["selected"]:
            fate["kept"] += 1
        elif row["status"] != "ok":
            fate["not_usable"] += 1
        elif control.search(row["content"]):
            fate[CONTROL_TEXT] += 1
        elif row["text"] in chosen_texts:
            fate["text_of_the_chosen"] += 1
        elif row["content"] in seen:
            fate["duplicate"] += 1
        else:
            seen.add(row["content"])
            others.append(row)
            fate["kept"] += 1
    return others, fate


def _chosen(candidates: Sequence[Candidate], control: re.Pattern[str]) -> Candidate | str:
    chosen = next((row for row in candidates if row["selected"] and row["status"] == "ok"), None)
    if chosen is None:
        return "no_selected"
    said = [*(message["content"] for message in chosen["context"]), chosen["content"]]
    return CONTROL_TEXT if any(map(control.search, said)) else chosen


def _pair(chosen: Candidate, others: Sequence[Candidate], draw: Random, fits: Fits) -> dict[str, Any] | str:
    if not others:
        return "no_other_candidate"
    rejected = draw.choice(others)
    if not fits(chosen, rejected):
        return "too_long"
    return {
        "dialogue_id": chosen["dialogue_id"],
        "turn": chosen["turn"],
        "chosen_candidate": chosen["candidate"],
        "rejected_candidate": rejected["candidate"],
        "others": len(others),
        "prompt": chosen["context"],
        "chosen": [{"role": "assistant", "content": chosen["content"]}],
        "rejected": [{"role": "assistant", "content": rejected["content"]}],
    }


def _reply_counts(pairs: int, without: Sequence[Mapping[str, Any]]) -> Counts:
    reasons = Counter(str(row["reason"]) for row in without)
    return Counts(unit="replies", came_in=pairs + len(without), kept=pairs, dropped=dict(sorted(reasons.items())))


def _candidate_counts(fates: Counter[str]) -> Counts:
    dropped = {reason: count for reason, count in sorted(fates.items()) if reason != "kept"}
    return Counts(unit="candidates", came_in=fates.total(), kept=fates["kept"], dropped=dropped)
