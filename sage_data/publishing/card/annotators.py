"""How the states of a dataset came about: who annotated, how often that failed, and how far it can be trusted.

annotated_by(stages, configs)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sage_data.errors import InputError
from sage_data.publishing.card.facts import ranked, share
from sage_data.publishing.card.metadata import ANNOTATION, STATES, states_of
from sage_data.publishing.card.story import HASH_SHOWN
from sage_data.publishing.layout import DatasetConfig
from sage_data.publishing.places import public
from sage_data.store.manifest import Ancestor, Counts
from sage_data.store.shards import read_table

LEXICON = "lexicon"
AGREEMENT, ASKED, FAILED = "agreement.json", "asked", "failed"
MEASURED = "Measured "
"""First word of the paragraph in the lexicon annotator's docstring that holds its figures."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation stage, as a card tells of it."""

    stage: str
    annotator: str
    """Identity of the method or model."""
    lexicon: bool
    """The lexicon annotator gave states."""
    states: tuple[str, str, str] | None
    """(came with a state, utterances, given one here), when some came with one."""
    gave: bool
    """It gave states, or that was not counted."""
    prompts: tuple[tuple[str, str], ...]
    """(file, start of its hash) of its prompts and word lists."""
    counts: tuple[tuple[str, ...], ...]
    """(unit, came in, annotated, failed, share that failed)."""
    reasons: tuple[tuple[str, str], ...]
    """(why, how many) of the dialogues that could not be annotated, as far as that was kept."""
    agreement: tuple[tuple[str, ...], ...]
    """(role, slot, n, accuracy, of the most frequent label, macro-F1, kappa), when there were true states."""
    rewrites: bool
    """The annotator was asked for a more readable text too."""
    changed: tuple[tuple[str, ...], ...]
    """(what, how many utterances, share) of the texts that it changed, where that was kept."""


def annotated_by(stages: Sequence[Ancestor], configs: Sequence[DatasetConfig]) -> list[Annotation]:
    """Every annotation that the rows went through.

    Raises:
        InputError: a report in an annotation's folder cannot be read.
    """
    folders = {config.manifest.fingerprint: config.folder for config in configs}
    return [_annotation(one, folders.get(one.fingerprint)) for one in stages if one.uses == ANNOTATION]


def lexicon_figures() -> str:
    """What the lexicon annotator's docstring says of its measured agreement; empty without docstrings."""
    from sage_data.annotation import lexicon

    paragraphs = (lexicon.__doc__ or "").split("\n\n")
    starts = [index for index, one in enumerate(paragraphs) if one.startswith(MEASURED)]
    # The last paragraph is the command that runs it.
    return "\n\n".join(paragraphs[starts[0] : -1]) if starts else ""


def _annotation(stage: Ancestor, folder: Path | None) -> Annotation:
    identity = public(stage.models.get("annotator", stage.uses))
    asked = _asked(folder)
    lexicon = stage.config.get("annotator", LEXICON) == LEXICON
    given = states_of(stage)
    gave = given is None or given.kept > 0 or not given.came_in
    return Annotation(
        stage=stage.stage,
        annotator=identity,
        lexicon=lexicon and gave,
        states=_states(given),
        gave=gave,
        prompts=tuple(sorted((public(name), digest[:HASH_SHOWN]) for name, digest in stage.resources.items())),
        counts=tuple(_counts(stage)),
        reasons=tuple(_reasons(stage, asked)),
        agreement=tuple(_agreement(_read(folder, AGREEMENT))),
        rewrites=not lexicon and not stage.config.get("keep_text", False),
        changed=tuple(_changed(asked)),
    )


def _counts(stage: Ancestor) -> list[tuple[str, ...]]:
    return [
        (
            one.unit,
            f"{one.came_in:,}",
            f"{one.kept:,}",
            f"{one.came_in - one.kept:,}",
            share(one.came_in - one.kept, one.came_in),
        )
        for one in stage.counts
        if one.unit != STATES
    ]


def _states(given: Counts | None) -> tuple[str, str, str] | None:
    """What came with a state, all, and what was given one; None where nothing came with one."""
    if given is None or given.came_in == given.kept:
        return None
    return f"{given.came_in - given.kept:,}", f"{given.came_in:,}", f"{given.kept:,}"


def _asked(folder: Path | None) -> pa.Table | None:
    """What became of every dialogue, with what was asked for it; None where the annotator asked nobody."""
    if folder is None or not any(folder.glob(f"{ASKED}-[0-9]*.parquet")):
        return None
    return read_table(folder, ASKED, ["outcome", "failures", "utterances", "rewritten", "bridges"])


def _reasons(stage: Ancestor, asked: pa.Table | None) -> list[tuple[str, str]]:
    """Why dialogues failed: by the last attempt at each where that was kept, else by what the stage counted."""
    if asked is None:
        counted = Counter(
            {why: number for one in stage.counts if one.unit == "dialogues" for why, number in one.dropped.items()}
        )
    else:
        failed = asked.filter(pc.equal(asked["outcome"], FAILED))["failures"].to_pylist()
        counted = Counter(kinds[-1] for kinds in failed if kinds)
    return [(why.replace("_", " "), f"{number:,}") for why, number in ranked(counted)]


def _changed(asked: pa.Table | None) -> list[tuple[str, ...]]:
    if asked is None:
        return []
    total = pc.sum(asked["utterances"]).as_py() or 0
    found = {"own words changed": "rewritten", "question added": "bridges"}
    sums = {what: pc.sum(asked[column]).as_py() or 0 for what, column in found.items()}
    return [(what, f"{number:,}", share(number, total)) for what, number in sums.items()]


def _agreement(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            str(role),
            str(slot),
            f"{one['n']:,}",
            *(f"{one[name]:.3f}" for name in ("accuracy", "majority_accuracy", "macro_f1", "kappa")),
        )
        for role, slots in found.get("labels", {}).items()
        for slot, one in slots.items()
    ]


def _read(folder: Path | None, name: str) -> Mapping[str, Any]:
    if folder is None or not (folder / name).is_file():
        return {}
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / name}: expected JSON: {error}", next_step="run its stage again") from error
    return found if isinstance(found, dict) else {}
