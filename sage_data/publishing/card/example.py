"""One row of a dataset as a person reads it: as a code block that the row's own text cannot end.

example("dialogues", row)
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from sage_data.publishing.card.escaping import Markdown, fenced, plain
from sage_data.store.files import canonical_json

MOST_TURNS, MOST_CHARACTERS, WIDTH = 8, 400, 100
_SAID = ("utterances", "messages", "conversations")
_WORDS = ("text", "content", "value")
_WHO = ("role", "from")


def example(row: Mapping[str, Any]) -> Markdown:
    """A row as a code block: who says what with which state, at most `MOST_TURNS` utterances, long ones cut short."""
    turns = next((row[name] for name in _SAID if name in row), None)
    if turns is None:
        return fenced("\n".join(_wrapped(f"{name}: {_cut(_value(value))}") for name, value in row.items()), "text")
    lines = [f"id: {plain(str(row.get('id', '')))}"]
    for turn in turns[:MOST_TURNS]:
        lines += ["", *_turn(turn)]
    if len(turns) > MOST_TURNS:
        lines += ["", f"({len(turns) - MOST_TURNS} more)"]
    return fenced("\n".join(lines), "text")


def _turn(turn: Mapping[str, Any]) -> list[str]:
    who = plain(str(_first(turn, _WHO)))
    words = _first(turn, _WORDS)
    said = f"({turn.get('characters', '?')} characters, left out)" if words is None else _cut(plain(str(words)))
    lines = [_wrapped(f"{who}: {said}")]
    if turn.get("state"):
        lines.append(_wrapped(f"  state: {_cut(_state(turn['state']))}"))
    if words is None:
        lines.append(f"  source_id: {plain(str(turn.get('source_id')))}")
    return lines


def _state(state: Mapping[str, Any]) -> str:
    said = {slot: tag for slot, tag in state.items() if tag} or {"nothing": "found"}
    return "; ".join(plain(f"{slot} {', '.join(tag) if isinstance(tag, list) else tag}") for slot, tag in said.items())


def _first(turn: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((turn[name] for name in names if name in turn), None)


def _value(value: Any) -> str:
    return plain(value) if isinstance(value, str) else plain(canonical_json(value))


def _wrapped(line: str) -> str:
    return fill(line, WIDTH, subsequent_indent="  ", drop_whitespace=True, break_on_hyphens=False)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ..."
