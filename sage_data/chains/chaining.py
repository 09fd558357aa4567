"""One dialogue -> its exchanges, each a user's words and the State-Action Chain that answers them.

What becomes of every shape of dialogue is told in `sage_data.chains`.

    chain_dialogue(dialogue, Config()).exchanges
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from sage_data.chains.settings import Config, Variant
from sage_data.dialogue import Dialogue, Role, State, Utterance
from sage_data.errors import InputError
from sage_data.sac import SLOTS, Chain, choose, render

JOINT = "\n"
"""Stands between utterances of one role that become one message."""


class DropReason(StrEnum):
    """Why a dialogue or an utterance has no place in the messages."""

    NO_EXCHANGE = "no_exchange"
    UNANNOTATED = "unannotated"
    LEADING_ASSISTANT = "leading_assistant"
    TRAILING_USER = "trailing_user"
    IN_DROPPED_DIALOGUE = "in_dropped_dialogue"


@dataclass(frozen=True, slots=True)
class Move:
    """What one role says before the other speaks: one utterance, or several in a row."""

    role: Role
    text: str
    state: State | None
    perceived: State | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the user says, and the reply with its tags."""

    user: str
    chain: Chain
    plain: bool = False
    """The reply is written as it was said: the variant has no tags, so no text can be taken for one."""

    @property
    def reply(self) -> str:
        """The reply as it is written."""
        return self.chain.text if self.plain else render(self.chain)


@dataclass(frozen=True, slots=True)
class Chained:
    """What became of one dialogue."""

    exchanges: tuple[Exchange, ...]
    """Empty when the dialogue was dropped."""
    reason: DropReason | None
    """Why it was dropped; None when it was kept."""
    leading: int
    """Assistant utterances dropped before the first user utterance."""
    trailing: int
    """User utterances dropped after the last reply."""

    @property
    def messages(self) -> tuple[dict[str, str], ...]:
        """`role` and `content` of each message, user first."""
        pairs = ((("user", one.user), ("assistant", one.reply)) for one in self.exchanges)
        return tuple({"role": role, "content": content} for pair in pairs for role, content in pair)


def chain_dialogue(dialogue: Dialogue, config: Config) -> Chained:
    """Write one dialogue as exchanges.

    Raises:
        InputError: an utterance has no text, or a role that no dialogue knows.
    """
    _check(dialogue)
    roles = [utterance.role for utterance in dialogue.utterances]
    first = roles.index("user") if "user" in roles else len(roles)
    last = len(roles) - roles[::-1].index("assistant") if "assistant" in roles[first:] else first
    if last == first:
        return Chained((), DropReason.NO_EXCHANGE, first, len(roles) - first)
    moves = merge_moves(dialogue.utterances[first:last])
    exchanges: list[Exchange] = []
    for user, reply in zip(moves[::2], moves[1::2], strict=True):
        chain = _chain(user, reply, config)
        if chain is None:
            return Chained((), DropReason.UNANNOTATED, first, len(roles) - last)
        exchanges.append(Exchange(user.text, chain, config.tags is Variant.NONE))
    return Chained(tuple(exchanges), None, first, len(roles) - last)


def _check(dialogue: Dialogue) -> None:
    for place, one in enumerate(dialogue.utterances):
        if one.role not in ("user", "assistant"):
            raise InputError(
                f"dialogue {dialogue.id!r}, utterance {place}: expected the role user or assistant, found {one.role!r}",
                next_step="read dialogues of other shapes with: sage data load",
            )
        if not isinstance(one.text, str):
            raise InputError(
                f"dialogue {dialogue.id!r}, utterance {place}: it has no text",
                next_step="its text was withheld when it was published; rebuild it with: sage data hydrate",
            )


def merge_moves(utterances: Iterable[Utterance]) -> list[Move]:
    """Join utterances of one role in a row, so that the roles alternate."""
    moves = []
    for role, group in groupby(utterances, key=lambda utterance: utterance.role):
        said = tuple(group)
        states = [one.state for one in said if one.state is not None]
        perceived = [one.perceived for one in said if one.perceived is not None]
        own = states[-1 if role == "user" else 0] if states else None
        moves.append(Move(role, JOINT.join(one.text for one in said), own, perceived[0] if perceived else None))
    return moves


def _chain(user: Move, reply: Move, config: Config) -> Chain | None:
    """The reply with its tags; None when a tag it needs is missing and that is not allowed."""
    given = (
        (config.tags in (Variant.FULL, Variant.STATE), user.state if reply.perceived is None else reply.perceived),
        (config.tags in (Variant.FULL, Variant.ACTION), reply.state),
    )
    if config.missing == "reject" and (True, None) in given:
        return None
    state, action = (_tag(tag, config) if needed else None for needed, tag in given)
    return Chain(state, action, reply.text, SLOTS if state is None and action is None else config.chosen)


def _tag(state: State | None, config: Config) -> State | None:
    """What a tag that the variant has is to say; None leaves it out."""
    if state is not None:
        return choose(state, config.chosen)
    return State() if config.missing == "null" else None
