"""Stage: the paper's gates (section 3.1). Dialogues come in; they are kept, or rejected with a reason.

    sage data gate dialogues/ --out kept/

Each shard of dialogues becomes one shard of those kept; the others stand in `rejected/` with a column `reason`.
`funnel.json` and `summary.txt` count them; `funnel.json` names the sentiment lexicon by its hash.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
from pydantic import Field

from sage_data.dialogue import Dialogue
from sage_data.gates.checks import Compound, Gate, Thresholds, paper_gates, reject_reason
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256, load_lexicon
from sage_data.gates.sentiment import CompoundScorer
from sage_data.reddit.reasons import DialogueReason
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.dialogues import from_table, to_table
from sage_data.store.shards import read_shards, shard_paths

VERSION = 1
INPUTS = (Need("dialogues", "folder of dialogues"),)


class Config(Thresholds, StageConfig):
    """Settings of the stage."""

    lexicon_sha256: str = Field(
        default=NLTK_LEXICON_SHA256,
        description="Hash of the sentiment lexicon that must be used; the default is NLTK's.",
    )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Judge every dialogue, shard by shard.

    Raises:
        InputError: there are no dialogues, or the sentiment lexicon found is not the expected one.
        MissingDependencyError: the sentiment gate is on and there is no lexicon on this machine.
    """
    folder = inputs.one("dialogues").path
    gates = paper_gates(config, _compound(config))
    with context.progress("gating", len(shard_paths(folder, "dialogues")), "shards") as bar:
        for index, table in enumerate(read_shards(folder, "dialogues")):
            if not out.has_shard("dialogues", index):
                _gate_shard(from_table(table), gates, index, out)
            bar.advance()
    _write_funnel(config, out)


def _compound(config: Config) -> Compound:
    if config.min_compound_exclusive is None:
        return lambda _: 0.0  # never asked: the gate is off
    return CompoundScorer(load_lexicon(config.lexicon_sha256).valences).compound


def _gate_shard(dialogues: list[Dialogue], gates: list[Gate], index: int, out: Output) -> None:
    judged = [(dialogue, reject_reason(dialogue, gates)) for dialogue in dialogues]
    kept = [dialogue for dialogue, reason in judged if reason is None]
    rejected = [(dialogue, reason) for dialogue, reason in judged if reason is not None]
    reasons = Counter(str(reason) for _, reason in rejected)
    counts = Counts(
        unit="dialogues", came_in=len(judged), kept=len(kept), dropped=dict(sorted(reasons.items())), quarantined=0
    )
    out.write_shard("dialogues", index, to_table(kept), counts=counts, rejected=_with_reasons(rejected))


def _with_reasons(rejected: list[tuple[Dialogue, DialogueReason]]) -> pa.Table:
    table = to_table(dialogue for dialogue, _ in rejected)
    return table.append_column("reason", pa.array([str(reason) for _, reason in rejected], pa.string()))


def _write_funnel(config: Config, out: Output) -> None:
    (counts,) = out.counts()
    funnel: dict[str, Any] = counts.model_dump(mode="json")
    funnel["dropped"] = {str(reason): counts.dropped.get(reason, 0) for reason in DialogueReason}
    funnel["order"] = [str(reason) for reason in DialogueReason]
    funnel["settings"] = config.model_dump(mode="json")
    out.write_json("funnel.json", funnel)
    out.write_text("summary.txt", _summary(funnel))


def _summary(funnel: dict[str, Any]) -> str:
    """One line a gate: how many it dropped, and how many were left after it."""
    left = funnel["came_in"]
    lines = [f"{'gate':<28}{'dropped':>12}{'left':>12}", f"{'dialogues in':<28}{'':>12}{left:>12,}"]
    for reason in funnel["order"]:
        left -= funnel["dropped"][reason]
        lines.append(f"{reason:<28}{funnel['dropped'][reason]:>12,}{left:>12,}")
    lines.append(f"{'kept':<28}{'':>12}{funnel['kept']:>12,}")
    return "\n".join(lines) + "\n"
