"""Plants dialogues in Reddit threads, together with the truth about what must come out of them.

Each *plan* is a function that makes one thread: its comments, and the dialogues that the `alternating` policy cuts from
them (`sage_data/reddit/reasons.py`) with their outcome. A dialogue that must fail fails for one reason. The truth is
known because it is built, not because a pipeline found it.

    plant(random.Random("7:0"), Ids())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from sage_data.reddit.reasons import SINGLE, CommentReason, DialogueReason
from sage_data.sample.talk import Style, Turn, chill, converse

KEEP = "keep"
"""Outcome of a dialogue that passes all gates."""
MORE_THAN_TURNS, MORE_THAN_WORDS = 4, 15
"""The paper's thresholds; what is planted keeps its distance from the second."""
PLACES = ("CasualTalk", "smalltalk", "friends", "dailylife", "hobbies", "askme")
NAMES = (
    "maple",
    "river",
    "pepper",
    "lemon",
    "cloud",
    "button",
    "pocket",
    "window",
    "violet",
    "marble",
    "talbot",
    "robot",
)
STYLES = ("quiet", "happy", "tiny", "sunny", "silly", "brave", "sleepy", "lucky")
DELETED, REMOVED = "[deleted]", "[removed]"
AUTOMATIC = "This was done for you, and I am a bot. Please write to the people who run this place."
NOISE = ("So true.", "Same here!", "This made me smile.", "Can somebody tell me more?", "Wow, what a week you had.")


@dataclass(slots=True)
class Draft:
    """One comment before it is written in some year's shape."""

    id: str
    parent: str
    """Full name of what it answers: `t1_...` or `t3_...`."""
    author: str
    body: str
    """Plain text; entities and line ends are added when it is written."""
    link: str
    """Full name of the submission it says it belongs to."""
    wait: int
    """Seconds after the comment before it in the list; below zero: older."""
    drop: CommentReason | None = None
    """Why the `sage` preset drops it."""
    twice: bool = False
    """True when its line is written a second time."""


@dataclass(frozen=True, slots=True)
class GoldDialogue:
    """One dialogue that must be found, and what the gates must say."""

    comments: tuple[Draft, ...]
    turns: tuple[Turn, ...]
    outcome: str
    """`keep`, `single`, or a `DialogueReason`."""


@dataclass(slots=True)
class Thread:
    """One planted thread."""

    id: str
    plan: str
    place: str
    topic: str
    drafts: list[Draft] = field(default_factory=list)
    gold: list[GoldDialogue] = field(default_factory=list)

    @property
    def link(self) -> str:
        """Full name of the submission."""
        return f"t3_{self.id}"


class Ids:
    """Gives out base-36 ids, which are unique and in no order of time."""

    def __init__(self, start: int = 60_466_176) -> None:
        self._next = start

    def take(self) -> str:
        """The next id."""
        value, digits = self._next, ""
        self._next += 1
        while value:
            value, rest = divmod(value, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        return digits


def outcome(turns: Sequence[Turn]) -> str:
    """What the gates must say of a chain of planted utterances, in the order of the gates."""
    if len(turns) == 1:
        return SINGLE
    if len(turns) <= MORE_THAN_TURNS:
        return DialogueReason.TOO_FEW_TURNS
    if sum(len(turn.text.split()) for turn in turns) <= MORE_THAN_WORDS * len(turns):
        return DialogueReason.TOO_SHORT_UTTERANCES
    if not any(turn.asks for turn in turns):
        return DialogueReason.NO_QUESTION
    return DialogueReason.LOW_SENTIMENT if any(turn.cold for turn in turns) else KEEP


class Planter:
    """Builds one thread step by step."""

    def __init__(self, rng: Random, ids: Ids, plan: str) -> None:
        self.rng, self.ids = rng, ids
        self.thread = Thread(ids.take(), plan, rng.choice(PLACES), "")
        self.used: list[str] = []

    def author(self) -> str:
        """A name nobody in this thread has yet."""
        name = f"{self.rng.choice(STYLES)}_{self.rng.choice(NAMES)}{self.rng.randrange(10_000)}"
        if self.rng.random() < 0.05:
            name = name.rstrip("0123456789").replace("_", "")
        if name in self.used:
            return self.author()
        self.used.append(name)
        return name

    def talk(self, turns: int, style: Style = Style.WARM) -> list[Turn]:
        """A talk; the first one names the thread's topic."""
        made = converse(self.rng, turns, style=style)
        self.thread.topic = self.thread.topic or made[0].state.topics[0]
        return made

    def wait(self) -> int:
        """Seconds until somebody answers: minutes mostly, sometimes hours."""
        return 30 + int(self.rng.expovariate(1 / 900)) * (12 if self.rng.random() < 0.1 else 1)

    def comment(self, author: str, body: str, parent: Draft | None, drop: CommentReason | None = None) -> Draft:
        """Add a comment; without a parent it answers the submission."""
        above = f"t1_{parent.id}" if parent else self.thread.link
        draft = Draft(self.ids.take(), above, author, body, self.thread.link, self.wait(), drop)
        self.thread.drafts.append(draft)
        return draft

    def chain(self, turns: Sequence[Turn], authors: Sequence[str], parent: Draft | None = None) -> list[Draft]:
        """Add a chain in which two authors take turns."""
        added: list[Draft] = []
        for index, turn in enumerate(turns):
            parent = self.comment(authors[index % 2], turn.text, parent)
            added.append(parent)
        return added

    def expect(self, comments: Sequence[Draft], turns: Sequence[Turn]) -> None:
        """State that these comments are one dialogue, or one comment alone."""
        if comments:
            self.thread.gold.append(GoldDialogue(tuple(comments), tuple(turns), outcome(turns)))

    def plain(self, turns: Sequence[Turn]) -> list[Draft]:
        """A thread that is one chain, and one dialogue."""
        drafts = self.chain(turns, (self.author(), self.author()))
        self.expect(drafts, turns)
        return drafts

    def length(self) -> int:
        """How many utterances a talk long enough has."""
        return self.rng.choice((5, 6, 6, 7, 8, 8, 9, 10))


Plan = Callable[[Planter], None]


def keep(planter: Planter) -> None:
    """One dialogue that passes."""
    planter.plain(planter.talk(planter.length()))


def too_few_turns(planter: Planter) -> None:
    """A talk that stops after two to four utterances."""
    turns = planter.rng.choice((2, 3, 4))
    planter.plain(planter.talk(planter.length())[:turns])


def too_short_utterances(planter: Planter) -> None:
    """A talk of a few words at a time."""
    planter.plain(planter.talk(planter.rng.choice((5, 6, 7, 8)), Style.SHORT))


def no_question(planter: Planter) -> None:
    """A talk in which nobody asks."""
    planter.plain(planter.talk(planter.length(), Style.PLAIN))


def low_sentiment(planter: Planter) -> None:
    """A talk with one bitter utterance; it is none of those that a gate needs for its question."""
    turns = planter.talk(planter.length())
    asking = [index for index, turn in enumerate(turns) if turn.asks]
    places = [index for index in range(1, len(turns)) if [index] != asking]
    planter.plain(chill(planter.rng, turns, planter.rng.choice(places)))


def _broken(planter: Planter, drop: CommentReason, author: str | None, body: str | None) -> None:
    """A chain in which one reply of the second speaker is dropped: what follows it is a chain of its own."""
    turns = planter.talk(planter.rng.choice((6, 8, 9, 10)))
    drafts = planter.chain(turns, (planter.author(), planter.author()))
    at = planter.rng.choice([index for index in (1, 3, 5, 7) if index < len(turns)])
    drafts[at].drop = drop
    drafts[at].author = author or drafts[at].author
    drafts[at].body = drafts[at].body if body is None else body
    planter.expect(drafts[:at], turns[:at])
    planter.expect(drafts[at + 1 :], turns[at + 1 :])


def deleted_inside(planter: Planter) -> None:
    """A reply is deleted, text and author."""
    _broken(planter, CommentReason.DELETED, DELETED, DELETED)


def author_deleted(planter: Planter) -> None:
    """A reply keeps its text but lost its author."""
    _broken(planter, CommentReason.DELETED, DELETED, None)


def removed_inside(planter: Planter) -> None:
    """A moderator removed a reply."""
    _broken(planter, CommentReason.REMOVED, None, REMOVED)


def empty_inside(planter: Planter) -> None:
    """A reply holds no word."""
    _broken(planter, CommentReason.EMPTY, None, planter.rng.choice(("", "...", " \U0001f642 ")))


def bot_inside(planter: Planter) -> None:
    """A bot answers inside a talk."""
    name = planter.rng.choice(("AutoModerator", "helper_bot", "RemindMeBot", "tiny-bot", None))
    _broken(planter, CommentReason.BOT, name, AUTOMATIC if name is None else None)


def quote_inside(planter: Planter) -> None:
    """A reply quotes; the `sage` preset keeps it, others drop it."""
    _prefixed(planter, "> You said it well.\n\n")


def url_inside(planter: Planter) -> None:
    """A reply names a web page; the `sage` preset keeps it, others drop it."""
    _prefixed(planter, "I read this at https://example.org/talk today. ")


def _prefixed(planter: Planter, prefix: str) -> None:
    drafts = planter.plain(planter.talk(planter.length()))
    one = drafts[planter.rng.choice((1, 3))]
    one.body = prefix + one.body


def orphan(planter: Planter) -> None:
    """The first comment answers one that is in no dump."""
    drafts = planter.plain(planter.talk(planter.length()))
    drafts[0].parent = f"t1_{planter.ids.take()}"


def wrong_link(planter: Planter) -> None:
    """A reply says it belongs to another submission, so it stands alone."""
    turns = planter.talk(planter.rng.choice((6, 8, 9, 10)))
    drafts = planter.chain(turns, (planter.author(), planter.author()))
    at = planter.rng.choice((3, 5))
    drafts[at].link = f"t3_{planter.ids.take()}"
    for part in (slice(0, at), slice(at, at + 1), slice(at + 1, None)):
        planter.expect(drafts[part], turns[part])


def self_reply(planter: Planter) -> None:
    """Somebody answers their own comment and starts anew."""
    authors = (planter.author(), planter.author())
    first = planter.talk(planter.rng.choice((3, 5, 7)))
    then = planter.talk(planter.rng.choice((2, 4, 6)))
    above = planter.chain(first, authors)
    planter.expect(above, first)
    planter.expect(planter.chain(then, authors, above[-1]), then)


def third_person(planter: Planter) -> None:
    """A third person joins in; that side talk is a chain of its own."""
    turns = planter.talk(planter.rng.choice((6, 8, 10)))
    authors = (planter.author(), planter.author())
    drafts = planter.chain(turns, authors)
    at = planter.rng.randrange(1, len(turns))
    side = planter.talk(planter.rng.choice((1, 2, 3, 5, 6)))
    planter.expect(drafts, turns)
    planter.expect(planter.chain(side, (planter.author(), authors[at % 2]), drafts[at]), side)


def second_answer(planter: Planter) -> None:
    """The user answers the same comment twice; the longer continuation keeps the chain, of equal ones the older."""
    turns = planter.talk(planter.rng.choice((7, 8, 9, 10)))
    authors = (planter.author(), planter.author())
    drafts = planter.chain(turns, authors)
    at = planter.rng.choice((1, 3))
    side = planter.talk(planter.rng.randint(1, len(turns) - 1 - at))
    planter.expect(drafts, turns)
    planter.expect(planter.chain(side, authors, drafts[at]), side)


def older_reply(planter: Planter) -> None:
    """The clock of one reply runs behind its parent's."""
    drafts = planter.plain(planter.talk(planter.length()))
    drafts[planter.rng.randrange(1, len(drafts))].wait = -planter.rng.randint(1, 3000)


def duplicate(planter: Planter) -> None:
    """A line stands in the dump twice."""
    drafts = planter.plain(planter.talk(planter.length()))
    planter.rng.choice(drafts).twice = True


def circle(planter: Planter) -> None:
    """Two comments name each other as parent; the older one starts."""
    drafts = planter.plain(planter.talk(planter.length())[:2])
    drafts[0].parent = f"t1_{drafts[1].id}"


def crowd(planter: Planter) -> None:
    """People who each say one thing, a bot, and something deleted."""
    for body in planter.rng.sample(NOISE, planter.rng.randint(2, 4)):
        draft = planter.comment(planter.author(), body, None)
        planter.expect([draft], [Turn("user", body, planter.talk(1)[0].state)])
    planter.comment("AutoModerator", "Welcome, please be kind to each other.", None, CommentReason.BOT)
    planter.comment(DELETED, DELETED, None, CommentReason.DELETED)


PLANS: dict[str, tuple[Plan, int]] = {
    plan.__name__: (plan, weight)
    for plan, weight in (
        (keep, 340),
        (too_few_turns, 90),
        (too_short_utterances, 70),
        (no_question, 70),
        (low_sentiment, 80),
        (deleted_inside, 40),
        (author_deleted, 30),
        (removed_inside, 25),
        (empty_inside, 10),
        (bot_inside, 25),
        (quote_inside, 10),
        (url_inside, 10),
        (orphan, 30),
        (wrong_link, 15),
        (self_reply, 20),
        (third_person, 45),
        (second_answer, 40),
        (older_reply, 20),
        (duplicate, 20),
        (circle, 5),
        (crowd, 65),
    )
}
"""What a thread may be, with how many of 1,060 are so."""
_NAMES = tuple(PLANS)
_CUMULATIVE = tuple(accumulate(weight for _, weight in PLANS.values()))


def plant(rng: Random, ids: Ids, plan: str | None = None) -> Thread:
    """Make one thread; without a plan, one is drawn."""
    name = plan or rng.choices(_NAMES, cum_weights=_CUMULATIVE)[0]
    planter = Planter(rng, ids, name)
    PLANS[name][0](planter)
    return planter.thread
