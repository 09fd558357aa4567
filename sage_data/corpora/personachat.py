"""PersonaChat (Zhang et al., ACL 2018): JSON lines of `[id, {"content": [...]}]`, or ParlAI's numbered text.

In ParlAI's form a line is `number text<TAB>reply<TAB><TAB>candidates`; number 1 begins a dialogue. Lines that describe
a speaker ("your persona: ...") and the mark `__SILENCE__` are left out and counted. The corpus has no labels.

    sage data load personachat/valid.jsonl --out loaded/
"""

from __future__ import annotations

import re
from typing import Any

from sage_data.corpora.files import CorpusFile, read_lines, read_values
from sage_data.corpora.records import Drop, Found, Item, Items, Note, Reason, Rejected, head
from sage_data.corpora.speaking import shown
from sage_data.corpora.topical_chat import from_content
from sage_data.dialogue import Utterance

SILENCE = "__SILENCE__"
_NUMBERED = re.compile(r"(\d+) (.*)", re.DOTALL)
_PERSONA = re.compile(r"(?:your|partner's) persona:")


def read_json(file: CorpusFile) -> Items:
    """The dialogues of a file of JSON lines."""
    for number, row in read_values(file):
        yield row if isinstance(row, Rejected) else _of_row(row, number)


def _of_row(row: Any, number: int) -> Item:
    match row:
        case [str() as key, {"content": content}]:
            return from_content(content, number, key)
    return Rejected(number, Reason.NOT_A_RECORD, shown(row), 'expected [id, {"content": [...]}]')


def read_parlai(file: CorpusFile) -> Items:
    """The dialogues of a file in ParlAI's form."""
    held = _Held()
    for number, line in read_lines(file):
        numbered = None if isinstance(line, Rejected) else _NUMBERED.match(line)
        if numbered is None:
            yield _bad(number, line)
            continue
        if numbered[1] == "1":
            yield from held.finished()
            held = _Held(number)
        if not held.add(int(numbered[1]), numbered[2]):
            yield _bad(number, line)
    yield from held.finished()


def _bad(number: int, line: str | Rejected) -> Rejected:
    if isinstance(line, Rejected):
        return Rejected(number, line.reason, line.text, line.detail, "lines")
    return Rejected(number, Reason.NOT_A_RECORD, head(line), "expected a number, a text and a reply", "lines")


class _Held:
    """A dialogue of ParlAI's form, line by line."""

    def __init__(self, line: int = 1) -> None:
        self._line = line
        self._lines = self._last = 0
        self._gap = False
        self._utterances: list[Utterance] = []
        self._dropped: dict[Drop, int] = {}

    def add(self, number: int, rest: str) -> bool:
        """Take a line; False when it is none of the format."""
        if _PERSONA.match(rest):
            self._drop(Drop.PERSONA)
        elif not self._add_turns(rest.split("\t")):
            return False
        self._gap = self._gap or number != self._last + 1
        self._last = number
        self._lines += 1
        return True

    def _add_turns(self, fields: list[str]) -> bool:
        said, reply = fields[0].strip(), fields[1].strip() if len(fields) > 1 else ""
        if not said or not reply:
            return False
        if said == SILENCE:
            self._drop(Drop.SILENCE)
        else:
            self._utterances.append(Utterance("user", said))
        self._utterances.append(Utterance("assistant", reply))
        return True

    def _drop(self, what: Drop) -> None:
        self._dropped[what] = self._dropped.get(what, 0) + 1

    def finished(self) -> Items:
        """The dialogue, when there is one."""
        if self._utterances:
            notes = (Note.TURNS_MISSING,) if self._gap else ()
            yield Found(tuple(self._utterances), self._line, lines=self._lines, dropped=self._dropped, notes=notes)
        elif self._lines:
            yield Rejected(self._line, Reason.NO_MESSAGES, "", "expected turns behind the personas, found none")
