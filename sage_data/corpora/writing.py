"""What loading leaves on disk beside its dialogues: the funnel, and a summary a person reads.

write_funnel(intake, found, out)
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sage_data.corpora.intake import DUPLICATE, Intake
from sage_data.corpora.parts import Parts
from sage_data.funnel import steps_of, svg
from sage_data.stage import Output


def write_funnel(intake: Intake, found: Parts, out: Output) -> None:
    """`funnel.json`, `funnel.svg` and `summary.txt`: what came in, what was kept, every reason with its number."""
    funnel: dict[str, Any] = {one.unit: one.model_dump(mode="json", exclude={"unit"}) for one in out.counts()}
    reasons = sum((tally.rejected for tally in intake.files.values()), Counter())
    funnel["rejected"] = {reason.value: number for reason, number in sorted(reasons.items())}
    funnel["files"] = {
        name: {
            "format": tally.format.value,
            "split": tally.split,
            "dialogues": tally.dialogues,
            "messages": tally.messages,
            "duplicates": tally.duplicates,
            "rejected": tally.rejected.total(),
        }
        for name, tally in intake.files.items()
    }
    funnel["left_out"] = dict(sorted(found.left.items()))
    funnel["notes"] = {note.value: number for note, number in sorted(intake.notes.items())}
    funnel["repeated_ids"] = intake.ids.repeated
    funnel["labelled_utterances"] = intake.labelled
    out.write_json("funnel.json", funnel)
    out.write_text("funnel.svg", svg(steps_of(funnel), "From a corpus to dialogues"))
    out.write_text("summary.txt", _summary(funnel))


def _summary(funnel: dict[str, Any]) -> str:
    rows = [
        f"{'file':<40} {'format':<20} {'split':<6} {'dialogues':>10} {'messages':>10} {'duplicate':>9} {'rejected':>9}"
    ]
    for name, one in funnel["files"].items():
        numbers = f"{one['dialogues']:>10,} {one['messages']:>10,} {one['duplicates']:>9,} {one['rejected']:>9,}"
        rows.append(f"{name:<40} {one['format']:<20} {one['split'] or '-':<6} {numbers}")
    rows += [f"rejected: {reason} {number:,}" for reason, number in funnel["rejected"].items()]
    rows += [f"left out of dialogues: {what} {number:,}" for what, number in _dropped(funnel).items()]
    rows += [f"file not read: {name} ({why})" for name, why in funnel["left_out"].items()]
    if funnel["repeated_ids"]:
        rows.append(f"ids that occurred before and got a number: {funnel['repeated_ids']:,}")
    if funnel["labelled_utterances"]:
        rows.append(
            f"utterances with the corpus' own labels: {funnel['labelled_utterances']:,} "
            "(sage data annotate keeps them; --existing replace annotates anew)"
        )
    return "\n".join(rows) + "\n"


def _dropped(funnel: dict[str, Any]) -> dict[str, int]:
    units = [funnel[unit]["dropped"] for unit in ("lines", "messages") if unit in funnel]
    return {what: number for dropped in units for what, number in dropped.items() if what != DUPLICATE}
