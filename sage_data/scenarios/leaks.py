"""Situations that stand in more than one split, and what to drop so that none does.

Two situations are the same when their words are: neither case, white space, punctuation nor the width or composition
of characters is heeded. A situation without any word, such as "?!", is compared as it stands. Of the 19,533 training
and 2,770 validation situations of EmpatheticDialogues, 3 are in both: "My cat died." and "1" to the letter, "My friend
won the lottery" but for its spelling. They stand for 11 conversations of train and 3 of validation.

    leaks = find_leaks({"train": train, "test": test})
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from sage_data.dialogue import Scenario, Split
from sage_data.scenarios.lines import ScenarioFile

SPLITS: tuple[Split, ...] = get_args(Split)
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`")


@dataclass(frozen=True, slots=True)
class Leak:
    """A situation that stands in more than one split."""

    situation: str
    """As it stands in the first split that has it."""
    ids: dict[Split, tuple[str, ...]]
    """Split -> ids of the scenarios that have it."""


def find_leaks(files: Mapping[Split, ScenarioFile]) -> tuple[Leak, ...]:
    """Situations that stand in more than one split, sorted by their words."""
    groups: dict[str, list[Scenario]] = {}
    for split in SPLITS:
        for scenario in files[split].scenarios if split in files else ():
            groups.setdefault(normal(scenario.situation), []).append(scenario)
    return tuple(
        Leak(same[0].situation, {split: ids for split in SPLITS if (ids := _ids(same, split))})
        for _, same in sorted(groups.items())
        if len({one.split for one in same}) > 1
    )


def _ids(scenarios: Iterable[Scenario], split: Split) -> tuple[str, ...]:
    return tuple(one.id for one in scenarios if one.split == split)


def distinct(files: Mapping[Split, ScenarioFile]) -> tuple[dict[Split, ScenarioFile], int]:
    """(the same with every id once, how many got a `#2` since an earlier split has theirs)."""
    seen: set[str] = set()
    repeated, found = 0, {}
    for split in (one for one in SPLITS if one in files):
        scenarios = []
        for scenario in files[split].scenarios:
            given, number = scenario.id, 1
            while given in seen:
                number += 1
                given = f"{scenario.id}#{number}"
            seen.add(given)
            repeated += number > 1
            scenarios.append(replace(scenario, id=given))
        found[split] = replace(files[split], scenarios=tuple(scenarios))
    return found, repeated


def normal(situation: str) -> str:
    """The words of a situation in one spelling."""
    folded = unicodedata.normalize("NFKC", situation).casefold()
    return " ".join(_WORD.findall(folded.translate(_APOSTROPHES))) or " ".join(folded.split())


def leaked_ids(leaks: Iterable[Leak]) -> set[tuple[Split, str]]:
    """What to drop so that no situation stands in two splits: all but those of the last split that has it."""
    return {(split, one) for leak in leaks for split, ids in list(leak.ids.items())[:-1] for one in ids}
