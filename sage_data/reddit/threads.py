"""Cuts threads into chains of replies: the step from a forest of comments to dialogues.

Everything here is a function over one partition of comments. A partition holds whole threads, so partitions can be cut
one after another or on many machines with the same result. Only ids, authors and times are looked at; nothing recurses,
so a thread may be as deep as it likes. `reasons.py` states the policy in words.

    chains = cut(comments, Policy.ALTERNATING)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sage_data.reddit.reader import Comment

_NOBODY = -1


class Policy(StrEnum):
    """How a thread becomes chains. Every comment is in exactly one chain."""

    ALTERNATING = "alternating"
    """Exactly two authors, in turn (this project's default; neither DialoGPT nor SAGE asks for it)."""
    ANY = "any"
    """Whoever replies: the longest path first, the branches it leaves become chains of their own."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Reply structure of one partition. Comments are numbered 0..n-1; every list has length n but `order`'s users."""

    parents: list[int]
    """Number of the comment answered, or -1 where a chain has to start. Free of cycles."""
    children: list[list[int]]
    """Numbers of the replies."""
    order: list[int]
    """All numbers, parents before children."""


def cut(comments: Sequence[Comment], policy: Policy = Policy.ALTERNATING) -> list[list[int]]:
    """Chains of one partition as lists of positions in `comments`, first utterance first; chains of one included.

    The ids must be distinct. The result is sorted by time and id of the first utterance and does not depend on the
    order of the comments.
    """
    ranks = _ranks(comments)
    forest = grow(comments, ranks)
    authors = [comment.author for comment in comments]
    followers = _followers(forest, authors, ranks, policy)
    chains = _walk(forest, followers)
    return sorted(chains, key=lambda chain: ranks[chain[0]])


def grow(comments: Sequence[Comment], ranks: Sequence[int]) -> Forest:
    """Join comments with their parents inside one thread, and break cycles at the comment of lowest rank."""
    places = {comment.id: number for number, comment in enumerate(comments)}
    parents = [_parent(number, comments, places) for number in range(len(comments))]
    _break_cycles(parents, ranks)
    children: list[list[int]] = [[] for _ in comments]
    order: list[int] = []
    for number, parent in enumerate(parents):
        (order if parent == _NOBODY else children[parent]).append(number)
    for number in order:  # grows while it is read: breadth first
        order.extend(children[number])
    return Forest(parents, children, order)


def _ranks(comments: Sequence[Comment]) -> list[int]:
    """Position of each comment by time, then by id as a number (length first, then text)."""
    by_time = sorted(range(len(comments)), key=lambda number: _age(comments[number]))
    ranks = [0] * len(comments)
    for rank, number in enumerate(by_time):
        ranks[number] = rank
    return ranks


def _age(comment: Comment) -> tuple[int, int, str]:
    return comment.created_utc, len(comment.id), comment.id


def _parent(number: int, comments: Sequence[Comment], places: dict[str, int]) -> int:
    comment = comments[number]
    kind, _, parent_id = comment.parent_id.partition("_")
    parent = places.get(parent_id, _NOBODY) if kind == "t1" else _NOBODY
    if parent in (number, _NOBODY) or comments[parent].thread != comment.thread:
        return _NOBODY
    return parent


def _break_cycles(parents: list[int], ranks: Sequence[int]) -> None:
    """Cut every cycle before its comment of lowest rank. A comment has one parent, so cycles never share a comment."""
    seen = [0] * len(parents)
    for start in range(len(parents)):
        number = start
        while number != _NOBODY and not seen[number]:
            seen[number] = start + 1
            number = parents[number]
        if number != _NOBODY and seen[number] == start + 1:
            first = min(_cycle(number, parents), key=ranks.__getitem__)
            parents[first] = _NOBODY


def _cycle(number: int, parents: Sequence[int]) -> list[int]:
    members, after = [number], parents[number]
    while after != number:
        members.append(after)
        after = parents[after]
    return members


@dataclass(frozen=True, slots=True)
class _Followers:
    """Who continues a chain after each comment; -1 for nobody."""

    at_start: list[int]
    """After a comment that starts its chain."""
    inside: list[int]
    """After a comment that itself follows its parent in a chain."""


def _followers(forest: Forest, authors: Sequence[str], ranks: Sequence[int], policy: Policy) -> _Followers:
    """Choose after each comment the reply with the longest continuation (ties: lowest rank), leaves first.

    How far a reply carries a chain on depends on its parent's author alone, whatever came before: so one pass from the
    leaves up is exact.
    """
    found = _Followers([_NOBODY] * len(authors), [_NOBODY] * len(authors))
    lengths = [1] * len(authors)

    def best(candidates: Sequence[int]) -> int:
        return min(candidates, key=lambda reply: (-lengths[reply], ranks[reply]), default=_NOBODY)

    for number in reversed(forest.order):
        replies = forest.children[number]
        if not replies:
            continue
        if policy is Policy.ANY:
            found.at_start[number] = found.inside[number] = best(replies)
        else:
            found.at_start[number] = best([reply for reply in replies if authors[reply] != authors[number]])
            found.inside[number] = best(_back_to(forest.parents[number], number, replies, authors))
        if found.inside[number] != _NOBODY:
            lengths[number] = 1 + lengths[found.inside[number]]
    return found


def _back_to(parent: int, number: int, replies: Sequence[int], authors: Sequence[str]) -> list[int]:
    """The replies by the author that comment `number` answered: those that keep two people in turn."""
    if parent == _NOBODY or authors[parent] == authors[number]:
        return []
    return [reply for reply in replies if authors[reply] == authors[parent]]


def _walk(forest: Forest, followers: _Followers) -> list[list[int]]:
    """Read the chains off, from the top down: who is not taken by an earlier chain starts one."""
    taken = [False] * len(forest.parents)
    chains = []
    for start in forest.order:
        if taken[start]:
            continue
        chain, following = [start], followers.at_start[start]
        while following != _NOBODY:
            taken[following] = True
            chain.append(following)
            following = followers.inside[following]
        chains.append(chain)
    return chains
