"""EmpatheticDialogues (Rashkin et al., ACL 2019): whole conversations, read line by line as the scenarios are.

The speaker who owns the situation is the user. Turns alternate, odd numbers being the speaker's: that is how the
corpus was made. A few rows name speakers otherwise; the order is followed and counted. The situation and its emotion
become a scenario with the conversation's id, as `sage data scenarios` gives it; single utterances have no labels.

    sage data load empathetic_dialogues/ --out loaded/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sage_data.corpora.files import CorpusFile, read_pieces
from sage_data.corpora.records import Found, Items, Note, Reason, Rejected, head
from sage_data.dialogue import Role, Utterance
from sage_data.scenarios.lines import BadLine, LineReason, Row, read_rows

_REASONS = {
    LineReason.NOT_UTF8: Reason.NOT_UTF8,
    LineReason.FIELD_COUNT: Reason.FIELD_COUNT,
    LineReason.NO_ID: Reason.NO_ID,
}


@dataclass(slots=True)
class _Held:
    """The lines of one conversation, as far as they can be used."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> Reason | None:
        """Take a line, or say why it cannot be used."""
        first = self.rows[0] if self.rows else row
        if not row.utterance:
            return Reason.EMPTY_MESSAGE
        if not row.number.isdecimal():
            return Reason.NOT_A_RECORD
        if (row.situation, row.emotion) != (first.situation, first.emotion):
            return Reason.CONTRADICTION
        self.rows.append(row)
        return None


def read(file: CorpusFile) -> Items:
    """The dialogues of one CSV file.

    Raises:
        InputError: the first line is not the corpus' header.
        DamagedFileError: the file is cut short or corrupt.
    """
    held = _Held()
    for row in read_rows(_lines(file), file.name):
        if isinstance(row, BadLine):
            yield Rejected(row.line, _REASONS[row.reason], head(row.text), unit="lines")
            continue
        if held.rows and held.rows[0].conversation != row.conversation:
            yield _dialogue(held.rows)
            held = _Held()
        if (reason := held.add(row)) is not None:
            yield Rejected(row.line, reason, head(row.raw), unit="lines")
    if held.rows:
        yield _dialogue(held.rows)


def _lines(file: CorpusFile) -> Iterator[bytes]:
    """Lines cut at LF alone, since text may hold any other character."""
    tail = b""
    for piece in read_pieces(file):
        *whole, tail = (tail + piece).split(b"\n")
        yield from whole
    if tail:
        yield tail


def _dialogue(rows: list[Row]) -> Found:
    numbers = [int(row.number) for row in rows]
    roles: list[Role] = ["user" if number % 2 else "assistant" for number in numbers]
    notes = {
        Note.TURNS_MISSING: numbers != list(range(1, len(rows) + 1)),
        Note.SPEAKERS_UNCLEAR: not _agree([row.speaker for row in rows], roles),
    }
    return Found(
        tuple(Utterance(role, row.utterance) for role, row in zip(roles, rows, strict=True)),
        rows[0].line,
        key=rows[0].conversation,
        situation=rows[0].situation or None,
        emotion=rows[0].emotion or None,
        lines=len(rows),
        notes=tuple(note for note, holds in notes.items() if holds),
    )


def _agree(speakers: Sequence[str], roles: Sequence[Role]) -> bool:
    """True when each role is one speaker's, and each speaker has one role."""
    pairs = set(zip(speakers, roles, strict=True))
    return len(pairs) == len(set(speakers)) == len(set(roles))
