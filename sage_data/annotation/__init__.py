"""Dialogues -> the same dialogues with a state on each utterance: motivation, emotion and topics (paper section 3.2).

States are columns; nothing is written into the text, which stays as it came. A dialogue that cannot be annotated is
kept apart with its reason. Shards stay one to one, so a killed run goes on at the first unfinished shard.

    sage data annotate kept/ --out annotated/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Literal

import pyarrow as pa
from pydantic import Field

from sage_data.annotation.agreement import Comparison, compare, read_gold
from sage_data.annotation.annotator import AnnotationFailure, Annotator
from sage_data.annotation.cues import CUE_FILE
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.annotation.topics import WORD_FILE
from sage_data.dialogue import Dialogue, Role, State
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256, load_lexicon
from sage_data.gates.sentiment import CompoundScorer
from sage_data.sac import SLOTS
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.dialogues import from_table, read_dialogues, to_table
from sage_data.store.shards import read_shards

VERSION = 1
INPUTS = (
    Need("dialogues", "folder of dialogues, as `sage_data.reddit` or `sage_data.gates` writes them"),
    Need("gold", "true states to compare with: a Parquet file, or a folder with states.parquet", optional=True),
)
RESOURCES = (CUE_FILE, WORD_FILE)
SHOWN_TAGS = 5
ROLES: tuple[Role, ...] = ("user", "assistant")


class Config(StageConfig):
    """How to annotate."""

    annotator: Literal["lexicon"] = Field(
        default="lexicon", description="Who annotates: the offline lexicon annotator, a measured baseline."
    )
    max_topics: int = Field(default=3, ge=0, le=10, description="At most this many topics an utterance.")
    existing: Literal["keep", "replace"] = Field(
        default="keep",
        description="What to do with an utterance that has a state already: keep it, or annotate it anew.",
    )
    lexicon_sha256: str = Field(
        default=NLTK_LEXICON_SHA256, description="Hash the parsed VADER lexicon must have; the default is NLTK's."
    )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Annotate shard by shard; then write `tags.json` (how often each tag occurs, by role) and a summary.

    With the input `gold`, `agreement.json` says how well the states agree with it.
    """
    annotator = _open(config)
    out.add_model("annotator", annotator.identity)
    with context.progress("annotation", None, "dialogues") as bar:
        for index, table in enumerate(read_shards(inputs.one("dialogues").path, "dialogues")):
            if not out.has_shard("dialogues", index):
                _annotate_shard(out, index, from_table(table), annotator, config)
            bar.advance(table.num_rows)
    tags = count_tags(read_dialogues(out.path))
    out.write_json("tags.json", tags)
    gold = inputs.optional("gold")
    compared = compare(read_dialogues(out.path), read_gold(gold.path)) if gold is not None else None
    if compared is not None:
        out.write_json("agreement.json", asdict(compared))
    out.write_text("summary.txt", _summary(tags) + (_agreement_summary(compared) if compared else ""))


def _open(config: Config) -> Annotator:
    lexicon = load_lexicon(config.lexicon_sha256)
    return LexiconAnnotator(CompoundScorer(lexicon.valences).compound, config.max_topics)


def _annotate_shard(
    out: Output, index: int, dialogues: Sequence[Dialogue], annotator: Annotator, config: Config
) -> None:
    annotated: list[Dialogue] = []
    failures: list[AnnotationFailure] = []
    for before, result in zip(dialogues, annotator.annotate(dialogues), strict=True):
        if isinstance(result, AnnotationFailure):
            failures.append(result)
        else:
            annotated.append(keep_existing(before, result) if config.existing == "keep" else result)
    counts = [
        _counts("dialogues", len(dialogues), len(annotated), len(failures)),
        _counts("utterances", _utterances(dialogues), _utterances(annotated), None),
    ]
    out.write_shard("dialogues", index, to_table(annotated), counts=counts, rejected=_failure_table(failures))


def _counts(unit: str, came_in: int, kept: int, quarantined: int | None) -> Counts:
    lost = came_in - kept if quarantined is None else quarantined
    return Counts(unit=unit, came_in=came_in, kept=kept, dropped={}, quarantined=lost)


def _utterances(dialogues: Iterable[Dialogue]) -> int:
    return sum(len(dialogue.utterances) for dialogue in dialogues)


def _failure_table(failures: Sequence[AnnotationFailure]) -> pa.Table:
    """The failed dialogues as they came in, with two columns more: `reason` and `detail`."""
    table = to_table(failure.dialogue for failure in failures)
    reasons = pa.array([failure.kind.value for failure in failures], pa.string())
    details = pa.array([failure.detail for failure in failures], pa.string())
    return table.append_column("reason", reasons).append_column("detail", details)


def keep_existing(before: Dialogue, after: Dialogue) -> Dialogue:
    """`after`, but with the states that `before` already had."""
    pairs = zip(before.utterances, after.utterances, strict=True)
    return replace(after, utterances=tuple(old if old.state is not None else new for old, new in pairs))


def count_tags(dialogues: Iterable[Dialogue]) -> dict[str, dict[str, dict[str, int]]]:
    """Role -> slot -> tag -> number of utterances that have it, most frequent first; a null tag counts as "null"."""
    counters = {role: {slot: Counter[str]() for slot in SLOTS} for role in ROLES}
    for utterance in (one for dialogue in dialogues for one in dialogue.utterances):
        for slot, tags in _tags(utterance.state).items():
            counters[utterance.role][slot].update(tags)
    return {role: {slot: _sorted(counter) for slot, counter in slots.items()} for role, slots in counters.items()}


def _tags(state: State | None) -> dict[str, set[str]]:
    if state is None:
        return {}
    motivation, emotion = state.motivation or "null", state.emotion or "null"
    return dict(zip(SLOTS, ({motivation}, {emotion}, set(state.topics) or {"null"}), strict=True))


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _summary(tags: dict[str, dict[str, dict[str, int]]]) -> str:
    lines = []
    for role, slots in tags.items():
        for slot, counted in slots.items():
            shown = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_TAGS]
            lines.append(f"{role:9} {slot:10} " + ", ".join(f"{tag} {count:,}" for tag, count in shown))
    return "\n".join(lines) + "\n"


def _agreement_summary(compared: Comparison) -> str:
    lines = [f"{'agreement with gold':20} {'n':>7} {'accuracy':>8} {'majority':>8} {'macro-F1':>8} {'kappa':>6}"]
    for role, slots in compared.labels.items():
        for slot, one in slots.items():
            figures = f"{one.accuracy:8.3f} {one.majority_accuracy:8.3f} {one.macro_f1:8.3f} {one.kappa:6.3f}"
            lines.append(f"{role + ' ' + slot:20} {one.n:7,} {figures}")
    lines.append(f"topics: precision {compared.topic_precision:.3f}, recall {compared.topic_recall:.3f}")
    return "\n".join(lines) + "\n"
