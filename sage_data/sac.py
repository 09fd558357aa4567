r"""State-Action Chain grammar: how states and actions are written in front of a reply, and read back.

The paper (section 3.2, Figure 2) writes the user's state, then the assistant's action, then the utterance:

    {u_motivation: sharing, u_emotion: lonely, u_topic: [thanksgiving, family]} {a_motivation: empathy, ...} That must ...

Grammar (also in docs/glossary.md):

    message := [state-tag SP] [action-tag SP] text
    tag     := "{" p "_motivation: " value ", " p "_emotion: " value ", " p "_topic: [" [value *(", " value)] "]}"
    p       := "u" for the state of the user, "a" for the action of the assistant
    value   := "null" | bare | JSON string
    bare    := letters, digits and combining marks with single inner spaces, hyphens, apostrophes, dots, slashes; not "null"
    text    := any text; one backslash is put before a text that begins with "{" or a backslash

`render` and `parse` are inverses for every text. `parse_lenient` reads what a model wrote, in this grammar or in the
style of the paper's figures (`(u_motivation: ...) [x_motivation: ...]`), and says what was wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sage_data.dialogue import State
from sage_data.errors import InputError

SLOTS = ("motivation", "emotion", "topic")
USER, ACTION = "u", "a"
_BARE = re.compile(r"[^\W_](?:[ \-'./]?[^\W_])*")


@dataclass(frozen=True, slots=True)
class Chain:
    """A reply with what came before it: the user's state and the assistant's action."""

    state: State | None
    """The State Assessment of the user's last utterance (`u_` tag); None when the tag is absent."""
    action: State | None
    """The Dialog Action of this reply (`a_` tag); None when the tag is absent."""
    text: str
    """The utterance itself."""


@dataclass(frozen=True, slots=True)
class LenientChain:
    """What could be understood of a model's output."""

    chain: Chain
    problems: tuple[str, ...] = field(default=())
    """What was wrong, in words, in reading order; empty when the output follows the grammar exactly."""

    @property
    def well_formed(self) -> bool:
        """True when both tags are present and nothing was wrong."""
        return not self.problems and self.chain.state is not None and self.chain.action is not None


def render(chain: Chain) -> str:
    """Write a chain as one message."""
    text = "\\" + chain.text if chain.text[:1] in ("{", "\\") else chain.text
    tags = [
        render_tag(state, prefix)
        for state, prefix in ((chain.state, USER), (chain.action, ACTION))
        if state is not None
    ]
    return " ".join([*tags, text]) if tags else text


def render_tag(state: State, prefix: str) -> str:
    """Write one tag; `prefix` is `u` or `a`."""
    topics = ", ".join(_render_value(topic) for topic in state.topics)
    return (
        f"{{{prefix}_motivation: {_render_value(state.motivation)}, "
        f"{prefix}_emotion: {_render_value(state.emotion)}, {prefix}_topic: [{topics}]}}"
    )


def _render_value(value: str | None) -> str:
    if value is None:
        return "null"
    if value != "null" and _BARE.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def parse(message: str) -> Chain:
    """Read a message written by `render`.

    Raises:
        InputError: the message begins with a brace but is not in the grammar; says at which character.
    """
    state, rest = _parse_tag(message, USER)
    action, rest = _parse_tag(rest, ACTION)
    if rest.startswith("{"):
        raise InputError(
            f"not a State-Action Chain: unexpected '{{' at character {len(message) - len(rest)} of {message[:80]!r}",
            next_step="read model output with sage_data.sac.parse_lenient",
        )
    return Chain(state, action, rest[1:] if rest.startswith("\\") else rest)


_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^\W_](?:[ \-\'./]?[^\W_])*)'
_TAG = {
    prefix: re.compile(
        rf"\{{{prefix}_motivation: (?P<motivation>{_VALUE}), {prefix}_emotion: (?P<emotion>{_VALUE}), "
        rf"{prefix}_topic: \[(?P<topics>(?:{_VALUE}(?:, {_VALUE})*)?)\]\}} ",
        re.DOTALL,
    )
    for prefix in (USER, ACTION)
}
_VALUES = re.compile(_VALUE, re.DOTALL)


def _parse_tag(message: str, prefix: str) -> tuple[State | None, str]:
    match = _TAG[prefix].match(message)
    if match is None:
        return None, message
    topics = tuple(_parse_topic(text) for text in _VALUES.findall(match["topics"]))
    state = State(_parse_value(match["motivation"]), _parse_value(match["emotion"]), topics)
    return state, message[match.end() :]


def _parse_value(text: str) -> str | None:
    if text == "null":
        return None
    return str(json.loads(text)) if text.startswith('"') else text


def _parse_topic(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


# --- reading what models write ------------------------------------------------------------------------------------

_OPEN, _CLOSE = "{([", "})]"
_SLOT = re.compile(r"\s*(?P<prefix>user|assistant|[uax])_(?P<slot>motivation|emotion|topics?)\s*:\s*", re.IGNORECASE)
_PREFIXES = {"u": USER, "user": USER, "a": ACTION, "x": ACTION, "assistant": ACTION}


def parse_lenient(message: str) -> LenientChain:
    """Read what a model wrote: keeps every slot it can understand and names everything that was wrong. Never raises."""
    try:
        chain = parse(message)
    except InputError:
        chain = None
    if chain is not None and (chain.state or chain.action):
        missing = tuple(
            f"no {name} tag" for name, tag in (("state", chain.state), ("action", chain.action)) if tag is None
        )
        return LenientChain(chain, missing)
    problems: list[str] = []
    found: dict[str, State] = {}
    rest = message.lstrip()
    while (span := _bracketed(rest)) is not None:
        body, after = span
        parsed = _lenient_tag(body, problems)
        if parsed is None:
            break
        prefix, state = parsed
        if prefix in found:
            problems.append(f"second {prefix}_ tag")
        found.setdefault(prefix, state)
        rest = after.lstrip()
    if _SLOT.match(rest[1:]) and rest[:1] in tuple(_OPEN):
        problems.append("tag is not closed")
    problems += [f"no {name} tag" for name, key in (("state", USER), ("action", ACTION)) if key not in found]
    if found:
        problems.append("not in canonical form")
    text = rest[1:] if rest.startswith("\\") else rest
    return LenientChain(Chain(found.get(USER), found.get(ACTION), text), tuple(problems))


def _bracketed(text: str) -> tuple[str, str] | None:
    """Split `text` after its leading bracketed group, heeding quotes and nesting; None when there is none."""
    if not text or text[0] not in _OPEN:
        return None
    depth, quoted, escaped = 0, False, False
    for index, char in enumerate(text):
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
            continue
        quoted = char == '"'
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0:
            return text[1:index], text[index + 1 :]
    return None


def _lenient_tag(body: str, problems: list[str]) -> tuple[str, State] | None:
    if _SLOT.match(body) is None:
        return None
    values: dict[str, list[str | None]] = {}
    prefix = ""
    for key, slot, raw in _slots(body):
        prefix = prefix or key
        if key != prefix:
            problems.append(f"slot {key}_{slot} inside a {prefix}_ tag")
        elif slot in values:
            problems.append(f"slot {key}_{slot} twice")
        else:
            values[slot] = _loose_values(raw, slot)
    problems += [f"slot {prefix}_{slot} is missing" for slot in SLOTS if slot not in values]
    topics = tuple(value for value in values.get("topic", []) if value is not None)
    first = {slot: next(iter(values.get(slot, [])), None) for slot in SLOTS}
    return prefix, State(first["motivation"], first["emotion"], topics)


def _slots(body: str) -> Iterator[tuple[str, str, str]]:
    """Yield (prefix, slot, raw value) for each `x_slot: value` of a tag's body."""
    starts: list[re.Match[str]] = []
    position, quoted, escaped = 0, False, False
    while position < len(body):
        char = body[position]
        match = None if quoted or (position and body[position - 1] not in ", ") else _SLOT.match(body, position)
        if match is not None:
            starts.append(match)
            position = match.end()
            continue
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        else:
            quoted = char == '"'
        position += 1
    for match, following in zip(starts, [*starts[1:], None], strict=True):
        raw = body[match.end() : following.start() if following else len(body)]
        slot = match["slot"].lower().removesuffix("s")
        yield _PREFIXES[match["prefix"].lower()], slot, raw.strip().rstrip(",").rstrip()


def _loose_values(raw: str, slot: str) -> list[str | None]:
    """Read one slot's value, or a topic list, however it is written."""
    if slot != "topic":
        return [_loose_value(raw)]
    inner = raw[1:-1] if raw[:1] in ("[", "(") and raw[-1:] in ("]", ")") else raw
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[^,]+', inner, re.DOTALL)
    return [value for part in parts if (value := _loose_value(part.strip())) is not None]


def _loose_value(raw: str) -> str | None:
    if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
        try:
            return str(json.loads(raw))
        except json.JSONDecodeError:
            return raw[1:-1]
    return None if raw.lower() in ("null", "none", "") else raw
