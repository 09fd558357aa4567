"""A model's reply -> annotated utterances, or the one reason why it cannot be used. Nothing is guessed.

A single Markdown fence around the JSON is taken off; all else must be as asked. Checks, in this order: JSON, its shape,
number of utterances, then utterance by utterance index, role, tags, text and question. The first failure counts.

    read_reply(completion.text, dialogue.utterances, Rules(Mode(), shipped_tags(), min_similarity=0.5))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sage_data.annotation.annotator import FailureKind
from sage_data.annotation.llm.prompt import Mode
from sage_data.annotation.llm.tags import CanonicalTags, TagError
from sage_data.annotation.llm.wording import Rewrite, check_bridge, check_text, shown
from sage_data.dialogue import State, Utterance
from sage_data.errors import InputError

_FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n(.*)\n[ \t]*```\s*", re.DOTALL | re.IGNORECASE)
_FIELDS = {"index": "a number", "role": "text", "motivation": "text or null", "emotion": "text or null"} | {
    "topics": "a list of texts",
    "text": "text",
    "bridge": "text or null",
}


class ReplyError(InputError):
    """A reply cannot be used; `kind` says in which way, the message what was expected and found."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Rules:
    """What a reply is held to."""

    mode: Mode
    tags: CanonicalTags
    min_similarity: float = 0.5
    """Bound of `closeness.similarity`."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a usable reply says."""

    utterances: tuple[Utterance, ...]
    """The dialogue's own, with new states and, where it was rewritten, new text."""
    rewrites: tuple[Rewrite, ...]
    """Only of those whose text is another now."""
    similarity: float
    """Mean over the utterances annotated; 1.0 where nothing was rewritten."""
    annotated: int
    """Utterances that got their state from this reply."""

    def keeping(self, before: Sequence[Utterance]) -> Annotated:
        """The same, less what it says of utterances that had a state before."""
        fresh = [index for index, one in enumerate(before) if one.state is None]
        utterances = tuple(
            old if old.state is not None else new for old, new in zip(before, self.utterances, strict=True)
        )
        rewrites = tuple(one for one in self.rewrites if one.index in fresh)
        unlike = sum(1.0 - one.similarity for one in rewrites)
        return Annotated(utterances, rewrites, 1.0 - unlike / max(len(fresh), 1), len(fresh))


def read_reply(reply: str, utterances: Sequence[Utterance], rules: Rules) -> Annotated:
    """Check a reply and apply it.

    Raises:
        ReplyError: it cannot be used.
    """
    entries = _entries(_parsed(reply), len(utterances))
    results: list[Utterance] = []
    rewrites: list[Rewrite] = []
    for index, (entry, utterance) in enumerate(zip(entries, utterances, strict=True)):
        follower = utterances[index + 1] if index + 1 < len(utterances) else None
        try:
            _check_entry(entry, index, utterance, rules.mode)
            state = _state(entry, rules)
            rewrite = _rewrite(entry, index, utterance, follower, rules)
        except ReplyError as error:
            raise ReplyError(error.kind, f"utterance {index}: {error.message}") from error
        results.append(replace(utterance, text=rewrite.full, state=state))
        rewrites.append(rewrite)
    similarity = sum(one.similarity for one in rewrites) / max(len(rewrites), 1)
    changed = tuple(one for one in rewrites if one.full != one.original)
    return Annotated(tuple(results), changed, similarity, len(results))


# --- JSON and its shape -------------------------------------------------------------------------------------------


def _parsed(reply: str) -> Any:
    fenced = _FENCED.fullmatch(reply)
    try:
        return json.loads(fenced[1] if fenced else reply, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        found = f"{error.msg} at character {error.pos}"
    except ValueError as error:
        found = str(error)
    except RecursionError:
        found = "brackets nested too deeply"
    raise ReplyError(FailureKind.NOT_JSON, f"expected one JSON object, found {shown(reply)}: {found}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _entries(value: Any, count: int) -> list[Any]:
    if not isinstance(value, dict) or set(value) != {"utterances"} or not isinstance(value["utterances"], list):
        found = f"the fields {_names(value)}" if isinstance(value, dict) else type(value).__name__
        raise ReplyError(
            FailureKind.WRONG_SHAPE, f'expected an object with the list "utterances" alone, found {found[:200]}'
        )
    entries: list[Any] = value["utterances"]
    if len(entries) != count:
        raise ReplyError(FailureKind.WRONG_COUNT, f"expected {count} utterances, found {len(entries)}")
    return entries


def _check_entry(entry: Any, index: int, utterance: Utterance, mode: Mode) -> None:
    if not isinstance(entry, dict):
        raise ReplyError(FailureKind.WRONG_SHAPE, f"expected an object, found {shown(repr(entry))}")
    _check_fields(entry, mode)
    if entry["index"] != index:
        raise ReplyError(FailureKind.WRONG_INDEX, f"expected the index {index}, found {shown(str(entry['index']))}")
    if entry["role"] != utterance.role:
        raise ReplyError(
            FailureKind.WRONG_ROLE, f"expected the role {utterance.role}, found {shown(str(entry['role']))}"
        )


def _check_fields(entry: Mapping[str, Any], mode: Mode) -> None:
    missing = [field for field in mode.fields if field not in entry]
    unknown = [field for field in entry if field not in _FIELDS]
    if missing or unknown:
        wrong = f"missing {_names(missing)}; unknown {_names(unknown)}"
        raise ReplyError(FailureKind.WRONG_SHAPE, f"expected the fields {', '.join(mode.fields)}: {wrong[:200]}")
    for field, value in entry.items():
        if not _fits(field, value):
            raise ReplyError(FailureKind.WRONG_SHAPE, f"{field}: expected {_FIELDS[field]}, found {shown(repr(value))}")


def _names(fields: Iterable[str]) -> str:
    """Names of fields, with what cannot be printed written out."""
    return ", ".join(repr(field)[1:-1] for field in fields) or "none"


def _fits(field: str, value: Any) -> bool:
    if field == "index":
        return isinstance(value, int) and not isinstance(value, bool)
    if field == "topics":
        return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    return isinstance(value, str) or (value is None and field not in ("role", "text"))


# --- tags and wording ---------------------------------------------------------------------------------------------


def _state(entry: Mapping[str, Any], rules: Rules) -> State:
    try:
        state = rules.tags.state(entry["motivation"], entry["emotion"], entry["topics"] or ())
    except TagError as error:
        raise ReplyError(FailureKind.BAD_TAG, str(error)) from error
    if len(state.topics) > rules.mode.most_topics:
        raise ReplyError(
            FailureKind.BAD_TAG, f"topics: expected at most {rules.mode.most_topics}, found {len(state.topics)}"
        )
    return state


def _rewrite(
    entry: Mapping[str, Any], index: int, utterance: Utterance, follower: Utterance | None, rules: Rules
) -> Rewrite:
    given = entry.get("text", utterance.text)
    if rules.mode.keep_text:
        if given != utterance.text:
            raise ReplyError(FailureKind.TEXT_CHANGED, f"expected the text as it was, found {shown(given)}")
        given = utterance.text
    text = utterance.text if given.strip() == utterance.text.strip() else given.strip()
    bridge = (entry.get("bridge") or "").strip() or None
    found = check_text(utterance.text, text, rules.min_similarity)
    found = found or check_bridge(utterance, text, bridge, follower, allowed=rules.mode.bridges)
    if found is not None:
        raise ReplyError(*found)
    return Rewrite.of(index, utterance.text, text, bridge)
