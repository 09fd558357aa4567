r"""State-Action Chain grammar: how states and actions are written in front of a reply, and read back.

The paper (section 3.2, Figure 2) writes the user's state, then the assistant's action, then the utterance:

    {u_motivation: sharing, u_emotion: lonely, u_topic: [thanksgiving, family]} {a_motivation: empathy, ...} That ...

Grammar (also in docs/glossary.md):

    message := [state-tag SP] [action-tag SP] text
    tag     := "{" slot *(", " slot) "}"
    slot    := p "_motivation: " value | p "_emotion: " value | p "_topic: [" [topic *(", " topic)] "]"
    p       := "u" for the state of the user, "a" for the action of the assistant
    value   := "null" | topic
    topic   := bare | quoted
    bare    := letters and digits, with single inner spaces, hyphens, apostrophes, dots and slashes; not "null"
    quoted  := a JSON string, for whatever is not bare
    text    := any text; one backslash is put before a text that begins with "{" or a backslash

The slots of a tag stand in this order, each once: all three in the paper's form, or those that were chosen for a
dataset (`sage data sac --slots`). Both tags of a message hold the same ones. A slot that was left out says nothing; a
`null` or an empty list says that there is no such thing.

`render` and `parse` are inverses: every chain is read back as it was, and a message that `parse` accepts is rendered
as it was. `parse_lenient` reads what a model wrote, in this grammar or in the style of the paper's figures
(`(u_motivation: ...) [x_motivation: ...]`), and says what was wrong with it.

    sage_data.sac.parse(sage_data.sac.render(chain)) == chain
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from sage_data.dialogue import State
from sage_data.errors import InputError

Slot = Literal["motivation", "emotion", "topic"]
ALL_SLOTS: tuple[Slot, ...] = ("motivation", "emotion", "topic")
SLOTS: tuple[str, ...] = ALL_SLOTS
USER, ACTION = "u", "a"


@dataclass(frozen=True, slots=True)
class Chain:
    """A reply with what came before it: the user's state and the assistant's action.

    Raises:
        ValueError: `slots` are not some of `SLOTS` in their order, a state holds a value outside them, or there is no
            tag that could lack any.
    """

    state: State | None
    """The State Assessment of the user's last utterance (`u_` tag); None when the tag is absent."""
    action: State | None
    """The Dialog Action of this reply (`a_` tag); None when the tag is absent."""
    text: str
    """The utterance itself."""
    slots: tuple[str, ...] = SLOTS
    """What the tags say something about; all of `SLOTS` where there is no tag."""

    def __post_init__(self) -> None:
        if self.slots == SLOTS:
            return
        tags = [tag for tag in (self.state, self.action) if tag is not None]
        ordered = tuple(slot for slot in SLOTS if slot in self.slots)
        if not tags or not ordered or self.slots != ordered or any(choose(tag, ordered) != tag for tag in tags):
            raise ValueError(f"a chain with these tags cannot have the slots {self.slots}: {tags}")


@dataclass(frozen=True, slots=True)
class LenientChain:
    """What could be understood of a model's output."""

    chain: Chain
    problems: tuple[str, ...] = field(default=())
    """What was wrong, in words, in reading order; empty when the output follows the grammar and has both tags."""

    @property
    def well_formed(self) -> bool:
        """True when both tags are present and nothing was wrong."""
        return not self.problems and self.chain.state is not None and self.chain.action is not None


def choose(state: State, slots: Collection[str]) -> State:
    """The state without what it says about other slots."""
    return State(
        state.motivation if "motivation" in slots else None,
        state.emotion if "emotion" in slots else None,
        state.topics if "topic" in slots else (),
    )


# --- writing ------------------------------------------------------------------------------------------------------

_BARE_PATTERN = r"[^\W_](?:[ \-'./]?[^\W_])*"
_QUOTED_PATTERN = r'"(?:[^"\\]|\\.)*"'
_BARE = re.compile(_BARE_PATTERN)


def render(chain: Chain) -> str:
    """Write a chain as one message."""
    text = "\\" + chain.text if chain.text.startswith(("{", "\\")) else chain.text
    state = "" if chain.state is None else render_tag(chain.state, USER, chain.slots) + " "
    action = "" if chain.action is None else render_tag(chain.action, ACTION, chain.slots) + " "
    return state + action + text


def render_tag(state: State, prefix: str, slots: Collection[str] = SLOTS) -> str:
    """Write one tag with these slots; `prefix` is `u` or `a`."""
    written = {
        "motivation": "null" if state.motivation is None else _render_value(state.motivation),
        "emotion": "null" if state.emotion is None else _render_value(state.emotion),
        "topic": f"[{', '.join(map(_render_value, state.topics))}]",
    }
    return f"{{{', '.join(f'{prefix}_{slot}: {written[slot]}' for slot in SLOTS if slot in slots)}}}"


def _render_value(value: str) -> str:
    if value != "null" and _BARE.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


# --- reading back -------------------------------------------------------------------------------------------------

_VALUE = rf"(?:{_QUOTED_PATTERN}|{_BARE_PATTERN})"
_VALUES = re.compile(_VALUE, re.DOTALL)
_TAG = {
    # Behind a slot comes the tag's end, or a comma and another slot.
    prefix: re.compile(
        rf"\{{(?:{prefix}_motivation: (?P<motivation>{_VALUE})(?=\}}|, {prefix}_)(?:, )?)?"
        rf"(?:{prefix}_emotion: (?P<emotion>{_VALUE})(?=\}}|, {prefix}_)(?:, )?)?"
        rf"(?:{prefix}_topic: \[(?P<topic>(?:{_VALUE}(?:, {_VALUE})*)?)\])?(?<!\{{)\}} ",
        re.DOTALL,
    )
    for prefix in (USER, ACTION)
}


class _NotCanonicalError(ValueError):
    """A value that `render` would have written in another way."""


def parse(message: str) -> Chain:
    """Read a message written by `render`.

    Raises:
        InputError: the message is not in the grammar; says at which character.
    """
    position = 0
    try:
        state, slots, position = _parse_tag(message, position, USER)
        action, own, position = _parse_tag(message, position, ACTION)
        if slots and own and slots != own:
            raise _NotCanonicalError(f"the slots {', '.join(own)} beside {', '.join(slots)}")
        return Chain(state, action, _parse_text(message[position:]), slots or own or SLOTS)
    except ValueError as error:
        raise InputError(
            f"not a State-Action Chain: {error} in or after the tag at character {position} of {message[:80]!r}",
            next_step="read model output with sage_data.sac.parse_lenient",
        ) from error


def _parse_tag(message: str, position: int, prefix: str) -> tuple[State | None, tuple[str, ...], int]:
    """Read the tag at `position`: its state, the slots it names, and where it ends."""
    match = _TAG[prefix].match(message, position)
    if match is None:
        return None, (), position
    raw = match.groupdict()
    state = State(
        _parse_nullable(raw["motivation"]),
        _parse_nullable(raw["emotion"]),
        tuple(map(_parse_value, _VALUES.findall(raw["topic"] or ""))),
    )
    return state, tuple(slot for slot in SLOTS if raw[slot] is not None), match.end()


def _parse_nullable(text: str | None) -> str | None:
    return None if text is None or text == "null" else _parse_value(text)


def _parse_value(text: str) -> str:
    value = str(json.loads(text)) if text.startswith('"') else text
    if text.startswith('"') or text == "null":
        written = _render_value(value)
        if written != text:
            raise _NotCanonicalError(f"{text} where {written} was expected")
    return value


def _parse_text(text: str) -> str:
    if text.startswith("{"):
        raise _NotCanonicalError("an unexpected '{'")
    if not text.startswith("\\"):
        return text
    if not text.startswith(("\\{", "\\\\")):
        raise _NotCanonicalError("a backslash that stands before neither '{' nor a backslash")
    return text[1:]


# --- reading what models write ------------------------------------------------------------------------------------

_CLOSES = {"{": "}", "(": ")", "[": "]"}
_SEPARATORS = ", \t\n\r"
_POINT = re.compile(rf'[{re.escape("".join(_CLOSES) + "".join(_CLOSES.values()) + _SEPARATORS)}"]')
"""Whatever may end a value, open or close a bracket, or begin a string."""
_SLOT = re.compile(
    r"[\s,]{0,8}([\"']?)\b(?P<who>user|assistant|[uax])_(?P<slot>motivation|emotion|topic)s?\1[ \t]*:[ \t]*",
    re.IGNORECASE,
)
_PREFIXES = {"u": USER, "user": USER, "a": ACTION, "x": ACTION, "assistant": ACTION}
_STRING = re.compile(_QUOTED_PATTERN, re.DOTALL)
_LIST = re.compile(rf"\[(?:{_QUOTED_PATTERN}|[^\[\]\"])*\]", re.DOTALL)
_ITEM = re.compile(rf"\s*({_QUOTED_PATTERN}(?=\s*(?:,|$))|'[^']*'(?=\s*(?:,|$))|[^,]+)", re.DOTALL)


@dataclass(slots=True)
class _LooseTag:
    """One tag as far as it could be read: raw slot values, and where the message goes on."""

    prefix: str
    values: dict[str, str]
    problems: list[str]
    end: int

    def state(self) -> State:
        motivation, emotion = (_loose_value(self.values.get(slot, "")) for slot in SLOTS[:2])
        raw = self.values.get("topic", "")
        topics = map(_loose_value, _ITEM.findall(raw.removeprefix("[").removesuffix("]")))
        return State(motivation, emotion, tuple(topic for topic in topics if topic is not None))


def parse_lenient(message: str, slots: tuple[str, ...] = SLOTS) -> LenientChain:
    """Read what a model wrote: keeps every slot it can understand and names everything that was wrong.

    `slots` are those the model was taught to write, in the order of `SLOTS`; another choice of slots is a problem.

    Never raises. Whatever was not understood as a slot stays in the text: of a tag that is never closed, the finished
    slots are read and the text begins at the unfinished one.
    """
    try:
        chain = parse(message)
    except InputError:
        return _parse_loose(message, slots)
    if chain.state is None and chain.action is None:
        return _parse_loose(message, slots)
    tags = ((USER, chain.state), (ACTION, chain.action))
    wrong = (_wrong_slots(prefix, chain.slots, slots) for prefix, tag in tags if tag is not None)
    return LenientChain(chain, (*(problem for some in wrong for problem in some), *_missing(chain)))


def _parse_loose(message: str, slots: tuple[str, ...]) -> LenientChain:
    tags, end = _loose_tags(message, slots)
    problems = [problem for tag in tags for problem in tag.problems]
    states: dict[str, State] = {}
    for tag in tags:
        if tag.prefix in states:
            problems.append(f"second {tag.prefix}_ tag")
        if tag.values:
            states.setdefault(tag.prefix, tag.state())
    if list(states) == [ACTION, USER]:
        problems.append("action tag before state tag")
    text = message[end:].lstrip() if tags else message
    if text.startswith(("\\{", "\\\\")):
        text = text[1:]
    chain = Chain(states.get(USER), states.get(ACTION), text)
    return LenientChain(chain, (*problems, *_missing(chain), *(["not in canonical form"] if tags else [])))


def _missing(chain: Chain) -> tuple[str, ...]:
    tags = (("state", chain.state), ("action", chain.action))
    return tuple(f"no {name} tag" for name, tag in tags if tag is None)


def _wrong_slots(prefix: str, found: Collection[str], wanted: Collection[str]) -> list[str]:
    """How the slots of a tag differ from those it should have."""
    wrong = {
        slot: "missing" if slot in wanted else "unexpected" for slot in SLOTS if (slot in wanted) != (slot in found)
    }
    return [f"slot {prefix}_{slot} is {how}" for slot, how in wrong.items()]


def _loose_tags(message: str, slots: tuple[str, ...]) -> tuple[list[_LooseTag], int]:
    """Read the tags a message begins with; also returns where the text begins."""
    tags: list[_LooseTag] = []
    end, strings = 0, _Strings(message)
    while (start := _tag_start(message, end)) is not None:
        tags.append(_loose_tag(message, start, slots, strings))
        end = tags[-1].end
        if not tags[-1].values:
            break
    return tags, end


def _tag_start(message: str, position: int) -> int | None:
    """Index of the bracket that opens a tag at `position`, white space skipped; None when there is none."""
    while message[position : position + 1].isspace():
        position += 1
    opens = message[position : position + 1] in tuple(_CLOSES) and _SLOT.match(message, position + 1)
    return position if opens else None


def _loose_tag(message: str, start: int, slots: tuple[str, ...], strings: _Strings) -> _LooseTag:
    tag = _LooseTag("", {}, [], start)
    position, closer = start + 1, _CLOSES[message[start]]
    while (slot := _SLOT.match(message, position)) is not None:
        end = _value_end(message, slot.end(), closer, strings)
        if end is None:
            break
        _add_slot(tag, slot, message[slot.end() : end])
        position = end
    if not tag.values:
        tag.problems.append("tag is cut short")
        return tag
    if message[position : position + 1] == closer:
        tag.end = position + 1
    else:
        tag.end = len(message) - len(message[position:].lstrip(_SEPARATORS))
        tag.problems.append("tag is not closed")
    tag.problems += _wrong_slots(tag.prefix, tag.values, slots)
    return tag


def _add_slot(tag: _LooseTag, match: re.Match[str], raw: str) -> None:
    prefix, slot = _PREFIXES[match["who"].lower()], match["slot"].lower()
    tag.prefix = tag.prefix or prefix
    if prefix != tag.prefix:
        tag.problems.append(f"slot {prefix}_{slot} inside a {tag.prefix}_ tag")
    elif slot in tag.values:
        tag.problems.append(f"slot {prefix}_{slot} twice")
    else:
        tag.values[slot] = raw.strip(_SEPARATORS)


class _Strings:
    """Finds the ends of quoted strings in one message, in time that grows with its length and no faster."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._unclosed = len(message)
        """From here on no quote is closed: where one is not, all behind it are escaped, or open just as well."""

    def end(self, position: int) -> int | None:
        """Where the string ends that begins with the quote at `position`; None when it is never closed."""
        if position >= self._unclosed:
            return None
        quoted = _STRING.match(self._message, position)
        if quoted is None:
            self._unclosed = position
            return None
        return quoted.end()


class _Depth:
    """Brackets that are open inside a value."""

    def __init__(self, closer: str) -> None:
        self._closer = closer
        self._open: list[str] = []
        self._closers = 0

    @property
    def holds_closer(self) -> bool:
        """True when the next bracket like the tag's own closes one of these."""
        return self._closers > 0

    def pass_over(self, char: str) -> None:
        """Open or close a bracket."""
        if char in _CLOSES:
            self._open.append(_CLOSES[char])
            self._closers += _CLOSES[char] == self._closer
        elif char in self._open[-1:]:
            self._closers -= self._open.pop() == self._closer


def _value_end(message: str, start: int, closer: str, strings: _Strings) -> int | None:
    """Where a slot's raw value ends: at the tag's bracket, the next slot or the next tag; None when nothing ends it."""
    depth = _Depth(closer)
    point = _POINT.search(message, start)
    while point is not None:
        position, char = point.start(), point[0]
        if _ends_value(message, position, closer, depth):
            return position
        depth.pass_over(char)
        quoted = strings.end(position) if char == '"' else None
        point = _POINT.search(message, position + 1 if quoted is None else quoted)
    closed_list = _LIST.match(message, start)
    return closed_list.end() if closed_list else None


def _ends_value(message: str, position: int, closer: str, depth: _Depth) -> bool:
    char = message[position]
    if char == closer:
        return not depth.holds_closer
    if char in _SEPARATORS:
        return _SLOT.match(message, position) is not None
    return char in _CLOSES and _SLOT.match(message, position + 1) is not None


def _loose_value(raw: str) -> str | None:
    text = raw.strip(_SEPARATORS)
    if _STRING.fullmatch(text):
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            return text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    return None if text.lower() in ("null", "none", "") else text
