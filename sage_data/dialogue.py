"""The one noun: a Dialogue, its utterances, and the State each utterance carries.

These frozen classes cross every package boundary. They hold no behaviour beyond their own checks, so that a stage
can be read without knowing any other. Terms are fixed in `docs/glossary.md`: an *utterance* is one message, a *turn*
is one speaker's move (here the same thing), an *exchange* is a user utterance with the reply to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["user", "assistant"]
"""Who speaks. The paper's "system" or "agent" is `assistant` here, because chat formats reserve "system"."""

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class State:
    """What an utterance does and feels: the slots of one tag (paper section 3.2).

    On a user's utterance it is the State Assessment; on the assistant's it is the Dialog Action.
    """

    motivation: str | None = None
    """Why it is said, for example "seeking advice"; None when no motivation can be found (paper Appendix B)."""
    emotion: str | None = None
    """The speaker's emotion, for example "lonely"; None when there is none."""
    topics: tuple[str, ...] = ()
    """What it is about, most important first; may be empty."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of one speaker."""

    role: Role
    """Who says it."""
    text: str
    """The words, without any tag."""
    state: State | None = None
    """The speaker's own state: annotated, or as the speaking model declared it. None: not annotated."""
    perceived: State | None = None
    """How the speaking model read the *previous* utterance; only generated utterances have it."""
    source_id: str | None = None
    """Id of the comment (or other record) the text came from."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dialogue comes from."""

    corpus: str
    """Short name of the corpus, for example "reddit" or "self-play"."""
    thread: str | None = None
    """Thread or conversation id in that corpus, for example "t3_15xh"."""
    place: str | None = None
    """Community or sub-corpus, for example a subreddit's name."""
    created_utc: int | None = None
    """Time of the first utterance, seconds since 1970-01-01 UTC."""
    files: tuple[str, ...] = ()
    """Names of the source files that hold its utterances, sorted."""
    split: str | None = None
    """Split of the corpus that it belongs to, such as "train", where the corpus has splits."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Utterances in the order they were said. The id is unique within a dataset."""

    id: str
    utterances: tuple[Utterance, ...]
    source: Source = field(default_factory=lambda: Source(corpus="unknown"))
    scenario_id: str | None = None
    """The Scenario it was rolled out from, when it was."""
    model: str | None = None
    """Identity of the agent that spoke as the assistant, when one did."""
    sample: int | None = None
    """Which of its scenario's rollouts it is, from 0; None when it is no rollout."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation to talk about: the user's first utterance in self-play (paper section 3.4)."""

    id: str
    """EmpatheticDialogues' `conv_id`, or another unique id."""
    situation: str
    """The user's opening words."""
    emotion: str | None
    """The label given by its author; used only to verify predicted emotions, never shown to a model."""
    split: Split
