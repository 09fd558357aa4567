"""What is to be said of an input that was read: what is odd about it, and what was rejected for the most part.

warn(intake, out)
"""

from __future__ import annotations

from collections import Counter

from sage_data.corpora.intake import Intake, Tally
from sage_data.corpora.records import NOTES
from sage_data.errors import InputError
from sage_data.stage import Output

ADVICE = "if it is of another format, say which with --format"


def check_kept(intake: Intake) -> None:
    """Refuse an input of which every record was rejected.

    Raises:
        InputError: no dialogue is left, and something was rejected.
    """
    told = [_rejections(name, tally) for name, tally in intake.files.items() if tally.rejected]
    if told and not any(tally.dialogues for tally in intake.files.values()):
        more = f"; and {len(told) - 3:,} files more" if len(told) > 3 else ""
        raise InputError(f"expected dialogues, found none: {'; '.join(told[:3])}{more}", next_step=ADVICE)


def warn(intake: Intake, out: Output) -> None:
    """Warn of odd dialogues, ids that occur again, and files of which more than half was rejected."""
    for note, number in sorted(intake.notes.items()):
        out.warn(f"{number:,} dialogues {NOTES[note]}")
    for what, repeated in (("dialogues", intake.ids.repeated), ("scenarios", intake.scenario_ids.repeated)):
        if repeated:
            out.warn(f"{repeated:,} {what} have the id of an earlier, different one, and got a number behind it")
    for name, tally in intake.files.items():
        if 2 * tally.rejected.total() > tally.records:
            out.warn(f"{_rejections(name, tally)}; {ADVICE}")


def _rejections(name: str, tally: Tally) -> str:
    reasons = Counter({reason.value: number for reason, number in sorted(tally.rejected.items())})
    ((reason, number),) = reasons.most_common(1)
    return (
        f"{name}: {reasons.total():,} of {tally.records:,} records, read as {tally.format.value}, were rejected, "
        f"most often for {reason} ({number:,})"
    )
