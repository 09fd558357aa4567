"""Make chosen words likelier inside one slot of the tags, and nowhere else (paper section 3.7).

The slot is recognised from the bytes of the tokens drawn so far, so it does not matter how a tokenizer cuts the tag.
A boosted word is followed along its canonical token path: the amount is added to the logit of each next token of the
path, never only to the first, which other words may share.

    automaton = SlotAutomaton(Steering({"a_motivation": {"humor": 1.0}}), token_bytes(tokenizer), encode)
    backend.generate(conversations, Sampling(steering=Steering({"a_motivation": {"humor": 1.0}})))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sage_data.chat import Steering
from sage_data.dialogue import State
from sage_data.errors import ConfigError
from sage_data.sac import SLOTS, Chain, render, render_tag

_SLOT_NAME = re.compile(r"(?P<prefix>[ua])_(?P<slot>motivation|emotion|topic)")
_FILLER = "x"
_OUTSIDE, _INSIDE, _ESCAPED = 0, 1, 2

Encode = Callable[[str], Sequence[int]]
"""Text -> token ids, without any special token."""


class _At(NamedTuple):
    """Where in a message the last byte left us."""

    mode: str
    """"start" (a tag may begin), "tag" (inside a tag), "slot" (inside a steered slot), "after" (a tag has closed),
    or "text" (the reply has begun; nothing is steered any more)."""
    slot: str = ""
    """Name of the steered slot, in mode "slot"."""
    tail: bytes | None = b""
    """Bytes still of use: in "tag" a proper beginning of a header; in "slot" the value so far, None once no boosted
    word begins like it."""
    later: bool = False
    """In "slot": whether a topic of the list has been passed."""
    quote: int = 0
    """Outside a JSON string, inside, or after a backslash inside."""


_START, _TEXT, _AFTER = _At("start"), _At("text"), _At("after")


class SlotAutomaton:
    """Follows a message token by token and says which tokens to boost next.

    States are small integers; `start` is the state of an empty message. Not thread-safe: it remembers transitions.
    """

    start = 0

    def __init__(self, steering: Steering, vocabulary: Sequence[bytes], encode: Encode) -> None:
        """Compile `steering` for one tokenizer; `vocabulary[i]` holds the bytes of token i.

        Raises:
            ConfigError: a slot is unknown or a word is empty.
        """
        self._vocabulary = vocabulary
        self._headers = {opening: slot for slot in steering.boost for opening in _openings(slot)}
        self._surfaces = _beginnings(steering)
        self._states: list[_At] = [_START]
        self._index: dict[_At, int] = {_START: self.start}
        self._moves: dict[tuple[int, int], int] = {}
        self._boosts: dict[int, dict[int, float]] = {}
        for slot, words in steering.boost.items():
            for word, amount in words.items():
                for message, first, last, _ in _messages(slot, word):
                    self._add_path(encode(message), first, last, amount)

    def advance(self, state: int, token: int) -> int:
        """Return the state after drawing `token` in `state`."""
        move = (state, token)
        if move not in self._moves:
            at = self._states[state]
            for byte in self._vocabulary[token]:
                at = self._step(at, byte)
            self._moves[move] = self._number(at)
        return self._moves[move]

    def boosts(self, state: int) -> Mapping[int, float]:
        """Token id -> amount to add to its logit in this state; empty outside the steered slots."""
        return self._boosts.get(state, {})

    def _number(self, at: _At) -> int:
        if at not in self._index:
            self._index[at] = len(self._states)
            self._states.append(at)
        return self._index[at]

    def _add_path(self, tokens: Sequence[int], first: int, last: int, amount: float) -> None:
        """Boost the tokens of one encoded message that overlap its bytes first..last (exclusive)."""
        state, begin = self.start, 0
        for token in tokens:
            end = begin + len(self._vocabulary[token])
            if end > first and begin < last:
                known = self._boosts.setdefault(state, {}).get(token, 0.0)
                self._boosts[state][token] = max(known, amount, key=abs)
            state, begin = self.advance(state, token), end

    def _step(self, at: _At, byte: int) -> _At:
        char = bytes([byte])
        if at.mode == "tag":
            return self._in_tag(at, char)
        if at.mode == "slot":
            return self._in_slot(at, char)
        if at.mode == "after":
            return _START if char == b" " else _TEXT
        if at.mode == "start":
            return _between_tags(char, self._headers)
        return _TEXT

    def _in_tag(self, at: _At, char: bytes) -> _At:
        if at.quote:
            return at._replace(quote=_quote(at.quote, char))
        if char == b"}":
            return _AFTER
        if char == b'"':
            return _At("tag", quote=_INSIDE)
        tail = _longest(b"" if at.tail is None else at.tail + char, self._headers)
        slot = self._headers.get(tail)
        return _At("tag", tail=tail) if slot is None else _At("slot", slot)

    def _in_slot(self, at: _At, char: bytes) -> _At:
        if at.quote == _OUTSIDE:
            if char == b"}":
                return _AFTER
            in_list = at.slot.endswith("topic")
            if char == b"," and in_list:
                return _At("slot", at.slot, later=True)
            if char == (b"]" if in_list else b","):
                return _At("tag", tail=_longest(char, self._headers))
        tail = None if at.tail is None else at.tail + char
        if tail not in self._surfaces[at.slot, at.later]:
            tail = None
        return at._replace(tail=tail, quote=_quote(at.quote, char))


def _openings(slot: str) -> tuple[bytes, ...]:
    """Return the bytes that may open a slot's value in the grammar of sage_data.sac: behind other slots, or first."""
    match = _SLOT_NAME.fullmatch(slot)
    if match is None:
        raise ConfigError(
            f"cannot steer slot {slot!r}: expected u_ or a_ with motivation, emotion or topic",
            next_step="name a slot as it stands in the tag, for example a_motivation",
        )
    value = f"{slot}: [" if match["slot"] == "topic" else f"{slot}:"
    first = f"{{{value}".encode()
    return (first,) if match["slot"] == SLOTS[0] else (f", {value}".encode(), first)


def _messages(slot: str, word: str) -> Iterator[tuple[str, int, int, bool]]:
    """Yield messages that hold `word` in `slot`: (message, the word's first byte, its last (exclusive), is it later).

    Each stands with all slots, and with this slot alone, as models write that were taught chosen slots.
    """
    if not word.strip():
        raise ConfigError(f"cannot boost an empty word in slot {slot}", next_step="name a word or phrase")
    prefix, name = slot.split("_")
    length = len(_rendered(word).encode())
    if name == "topic":
        states = [State(topics=(word,)), State(topics=(_FILLER, word))]
    elif name == "emotion":
        states = [State(emotion=word)]
    else:
        states = [State(motivation=word)]
    for opening, slots in zip(_openings(slot), (SLOTS, (name,)), strict=False):
        for state in states:
            tags = (state, State()) if prefix == "u" else (State(), state)
            message = render(Chain(*tags, _FILLER, slots)).encode()
            first = message.index(opening) + len(opening)
            if state.topics[1:]:
                first = message.index(b",", first) + 1
            first += message[first : first + 1] == b" "
            yield message.decode(), first, first + length, bool(state.topics[1:])


def _rendered(word: str) -> str:
    """Return a value as it is written in a tag: bare, or as a JSON string."""
    empty, full = render_tag(State(), "a"), render_tag(State(topics=(word,)), "a")
    return full[len(empty) - len("]}") : -len("]}")]


def _beginnings(steering: Steering) -> dict[tuple[str, bool], set[bytes | None]]:
    """Return, for each slot and place in a list, every beginning of a boosted value, the space before it included."""
    found: dict[tuple[str, bool], set[bytes | None]] = {}
    for slot, words in steering.boost.items():
        found[slot, False], found[slot, True] = {b""}, {b""}
        for word in words:
            for text, first, last, later in _messages(slot, word):
                message = text.encode()
                start = first - (message[first - 1 : first] == b" ")
                found[slot, later] |= {message[start:end] for end in range(start, last + 1)}
    return found


def _between_tags(char: bytes, headers: Mapping[bytes, str]) -> _At:
    if char == b"{":
        return _At("tag", tail=_longest(char, headers))
    return _START if char.isspace() else _TEXT


def _longest(tail: bytes, headers: Mapping[bytes, str]) -> bytes:
    """Return the longest ending of `tail` that some header begins with."""
    while tail and not any(header.startswith(tail) for header in headers):
        tail = tail[1:]
    return tail


def _quote(quote: int, char: bytes) -> int:
    """Follow a JSON string by one byte."""
    if quote == _ESCAPED:
        return _INSIDE
    if char == b'"':
        return _OUTSIDE if quote == _INSIDE else _INSIDE
    return _ESCAPED if quote == _INSIDE and char == b"\\" else quote
