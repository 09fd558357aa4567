"""Threads with the proportions of Reddit, for timing: many people, many branches, few long talks between two.

The sample world plants a dialogue in nearly every thread, and most of them reach the sentiment gate; in real dumps one
comment in a hundred does, or fewer. Here trees of replies grow at random, and one thread in `PLANTED_EVERY` comes from
the sample world, with all its dirt. What must come out is not known from here: it is what the naive reference keeps.

    thread = grow(random.Random("7:0"), Ids(), Sayings(random.Random("7")))
"""

from __future__ import annotations

import re
from random import Random

from sage_data.reddit.reasons import CommentReason
from sage_data.sample.talk import Style, chill, converse
from sage_data.sample.threads import DELETED, NAMES, REMOVED, STYLES, Draft, Ids, Planter, Thread, plant

PLANTED_EVERY = 20
TALKS = 400
"""Talks of each style that sentences are taken from."""
LARGEST_THREAD = 400
SENTENCES, SENTENCE_WEIGHTS = (1, 2, 3, 4, 6, 10), (28, 27, 20, 13, 9, 3)
RARE_WORD_CHANCE = 0.2
"""So many sentences hold a word that nobody else says: names, numbers, slips. No memory of words holds them all."""
TOP_LEVEL, BACK_AND_FORTH, SELF_REPLY = 0.3, 0.35, 0.04
RECENT = 12
"""A reply answers one of so many comments before it."""
GONE = ((0.05, DELETED, DELETED), (0.065, "", DELETED), (0.085, REMOVED, ""), (0.095, "", "AutoModerator"))
"""(cumulative chance, text, author) of comments that gates drop; "" keeps what it was."""
MEMBERS = 300_000


class Sayings:
    """Makes up what somebody says, from sentences of the sample world's talks."""

    def __init__(self, rng: Random) -> None:
        talks = [converse(rng, 8, style=style) for style in Style for _ in range(TALKS)]
        talks += [chill(rng, talk, index) for talk in talks[:TALKS] for index in range(len(talk))]
        whole = {part for talk in talks for turn in talk for part in re.split(r"(?<=[.?!]) ", turn.text)}
        self._sentences = sorted(whole)

    def say(self, rng: Random) -> str:
        """One comment of some sentences."""
        count = rng.choices(SENTENCES, SENTENCE_WEIGHTS)[0]
        said = [rng.choice(self._sentences) for _ in range(count)]
        if rng.random() < RARE_WORD_CHANCE * count:
            said[-1] = f"{rng.choice(NAMES)}{rng.randrange(10**7)}, {said[-1]}"
        return " ".join(said)


def grow(rng: Random, ids: Ids, sayings: Sayings) -> Thread:
    """One thread: planted, or a tree of replies."""
    if rng.randrange(PLANTED_EVERY) == 0:
        return plant(rng, ids)
    thread = Planter(rng, ids, "busy").thread
    size = min(LARGEST_THREAD, int(3 * rng.paretovariate(1.1)))
    cast = [f"{rng.choice(STYLES)}_{rng.choice(NAMES)}{rng.randrange(MEMBERS)}" for _ in range(1 + size // 2)]
    parents: list[Draft | None] = []
    for _ in range(size):
        parent = None if rng.random() < TOP_LEVEL else rng.choice([None, *thread.drafts[-RECENT:]])
        above = None if parent is None else parents[thread.drafts.index(parent)]
        parents.append(parent)
        thread.drafts.append(_comment(rng, ids, sayings, thread, parent, _author(rng, cast, parent, above)))
    return thread


def _author(rng: Random, cast: list[str], parent: Draft | None, above: Draft | None) -> str:
    """Whoever was answered comes back, sometimes somebody goes on alone, else one of the cast."""
    chance = rng.random()
    if parent is not None and chance < SELF_REPLY:
        return parent.author
    if above is not None and chance < SELF_REPLY + BACK_AND_FORTH:
        return above.author
    return rng.choice(cast)


def _comment(rng: Random, ids: Ids, sayings: Sayings, thread: Thread, parent: Draft | None, author: str) -> Draft:
    body, chance, drop = sayings.say(rng), rng.random(), None
    for below, text, name in GONE:
        if chance < below:
            body, author, drop = text or body, name or author, CommentReason.DELETED
            break
    above = thread.link if parent is None else f"t1_{parent.id}"
    return Draft(ids.take(), above, author, body, thread.link, 20 + int(rng.expovariate(1 / 600)), drop)
