"""Stage: gates (paper section 3.1, or a preset's). Dialogues come in; they are kept, or rejected with a reason.

    sage data gate dialogues/ --out kept/
    sage data gate dialogues/ --out kept/ --preset dialogpt-release --set max_words=40 --set max_turns=null

Each shard of dialogues becomes one shard of those kept; the others stand in `rejected/` with a column `reason`.
`funnel.json`, `funnel.svg` and `summary.txt` count them, gate by gate; `funnel.json` also holds every threshold and,
for each reason, the ids of the first dialogues that were dropped for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from sage_data.funnel import steps_of, svg
from sage_data.gates.blocked import read_phrases
from sage_data.gates.checks import Compound, Identify
from sage_data.gates.columns import checked
from sage_data.gates.judging import KEPT, REASONS, Judge, Verdicts
from sage_data.gates.language import load_identifier
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256, load_lexicon
from sage_data.gates.order import Tools
from sage_data.gates.sentiment import CompoundScorer
from sage_data.gates.thresholds import Thresholds
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.shards import REJECTED, read_shards, shard_name, shard_paths

VERSION = 2
INPUTS = (
    Need("dialogues", "folder of dialogues"),
    Need("blocked_words", "block list: a text file, one phrase a line", optional=True),
)
EXAMPLES = 2
"""Ids of rejected dialogues that the funnel names for each reason."""


class Config(Thresholds, StageConfig):
    """Settings of the stage."""

    lexicon_sha256: str = Field(
        default=NLTK_LEXICON_SHA256,
        description="Hash of the sentiment lexicon that must be used; the default is NLTK's.",
    )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Judge every dialogue, shard by shard and in order: what is a duplicate depends on what was kept before.

    Raises:
        InputError: there are no dialogues, they are damaged, or the sentiment lexicon found is not the expected one.
        ConfigError: the language is not known.
        MissingDependencyError: a gate that is on needs a lexicon or package that is not on this machine.
    """
    folder = inputs.one("dialogues").path
    judge = Judge(config, _tools(config, inputs))
    with context.progress("gating", len(shard_paths(folder, "dialogues")), "shards") as bar:
        for index, table in enumerate(read_shards(folder, "dialogues")):
            if out.has_shard("dialogues", index):
                judge.remember(pq.read_table(out.path / shard_name("dialogues", index), columns=["utterances"]))
            else:
                _gate_shard(checked(table, f"dialogues shard {index}"), judge, index, out)
            bar.advance()
    _write_funnel(config, judge, out)


def _tools(config: Config, inputs: Inputs) -> Tools:
    phrases = inputs.optional("blocked_words")
    return Tools(_compound(config), _identify(config), None if phrases is None else read_phrases(phrases.path))


def _compound(config: Config) -> Compound | None:
    if config.min_compound_exclusive is None:
        return None
    return CompoundScorer(load_lexicon(config.lexicon_sha256).valences).compound


def _identify(config: Config) -> Identify | None:
    return None if config.language is None else load_identifier(config.language)


def _gate_shard(table: pa.Table, judge: Judge, index: int, out: Output) -> None:
    verdicts = judge.verdicts(table)
    kept = table.filter(pa.array(verdicts == KEPT))
    rejected = _with_reasons(table, verdicts)
    numbers = np.bincount(verdicts[verdicts != KEPT], minlength=len(REASONS)).tolist()
    dropped = {str(reason): number for reason, number in zip(REASONS, numbers, strict=True) if number}
    counts = Counts(
        unit="dialogues", came_in=len(table), kept=len(kept), dropped=dict(sorted(dropped.items())), quarantined=0
    )
    out.write_shard("dialogues", index, kept, counts=counts, rejected=rejected)


def _with_reasons(table: pa.Table, verdicts: Verdicts) -> pa.Table:
    """The rejected rows with a column `reason`."""
    gone = verdicts != KEPT
    reasons = pa.array([str(reason) for reason in REASONS], pa.string()).take(pa.array(verdicts[gone]))
    return table.filter(pa.array(gone)).append_column("reason", reasons)


def _write_funnel(config: Config, judge: Judge, out: Output) -> None:
    (counts,) = out.counts()
    funnel: dict[str, Any] = counts.model_dump(mode="json")
    funnel["dropped"] = {str(reason): counts.dropped.get(reason, 0) for reason in judge.reasons}
    funnel["order"] = [str(reason) for reason in judge.reasons]
    funnel["settings"] = config.model_dump(mode="json")
    funnel["examples"] = _examples(counts, out)
    out.write_json("funnel.json", funnel)
    out.write_text("funnel.svg", svg(steps_of(funnel), "From dialogues to kept ones"))
    out.write_text("summary.txt", _summary(funnel))


def _examples(counts: Counts, out: Output) -> dict[str, list[str]]:
    """Reason -> ids of the first dialogues dropped for it, read back so that a resumed run names the same ones."""
    found: dict[str, list[str]] = {reason: [] for reason in counts.dropped}
    wanting = set(found)
    shards = read_shards(out.path / REJECTED, "dialogues", ["id", "reason"]) if wanting else iter(())
    for shard in shards:
        for reason in sorted(wanting):
            mask = pa.compute.equal(shard["reason"], reason)
            ids = shard.filter(mask)["id"][: EXAMPLES - len(found[reason])]
            found[reason] += ids.to_pylist()
        wanting = {reason for reason in wanting if len(found[reason]) < min(EXAMPLES, counts.dropped[reason])}
        if not wanting:
            break
    return found


def _summary(funnel: dict[str, Any]) -> str:
    """One line a gate: how many it dropped, and how many were left after it."""
    left = funnel["came_in"]
    lines = [f"{'gate':<28}{'dropped':>12}{'left':>12}", f"{'dialogues in':<28}{'':>12}{left:>12,}"]
    for reason in funnel["order"]:
        left -= funnel["dropped"][reason]
        lines.append(f"{reason:<28}{funnel['dropped'][reason]:>12,}{left:>12,}")
    lines.append(f"{'kept':<28}{'':>12}{funnel['kept']:>12,}")
    return "\n".join(lines) + "\n"
