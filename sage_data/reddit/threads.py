"""Cuts threads into chains of replies: the step from a forest of comments to dialogues.

A partition is two columns, the row each comment answers and a code for its author; rows stand in order of time and id,
so the row number decides ties. A partition holds whole threads, and threads do not meet, so partitions can be cut one
after another or on many machines with the same result. Everything is done a column at a time and nothing recurses: a
thread may be as deep or as wide as it likes. `reasons.py` states the policies in words.

How the chains of a policy that shares nothing are found:

1. A reply *may start* (be second in a chain) or *may follow* (be third or later). Both depend on the authors of the
   comment, its parent and its grandparent alone, so how far each reply carries a chain on is a height in the forest of
   those that may follow.
2. After each comment, the reply that carries on furthest is chosen: once as the second, once as a later utterance.
3. Chosen both ways, a reply continues its parent's chain; chosen one way, that depends on whether the parent starts its
   chain or continues one, which depends on its own parent, and so on up: resolved by doubling.
4. What continues no chain starts one, and the chains are read off side by side.

    chains = cut(parents, authors, Policy.ALTERNATING)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from sage_data.errors import ConfigError

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_NOBODY = -1
_NARROW = 64
"""Below this many rows a plain loop beats a round of array operations; it decides speed, never the result."""


class Policy(StrEnum):
    """How a thread becomes chains. Only windows share comments."""

    ALTERNATING = "alternating"
    """Exactly two authors, in turn (this project's default; neither DialoGPT nor SAGE asks for it)."""
    ANY = "any"
    """Whoever replies: the longest path first, the branches it leaves become chains of their own."""
    WINDOWS = "windows"
    """Every run of consecutive replies of some lengths, whoever speaks; runs overlap."""
    TITLE = "title-as-first-turn"
    """Like alternating, where the caller has put submissions in as rows that top-level comments answer."""


@dataclass(frozen=True, slots=True)
class Window:
    """Lengths of the runs that policy `windows` cuts, in utterances.

    Raises:
        ConfigError: `least` is below 2 or above `most`.
    """

    least: int = 2
    most: int = 10

    def __post_init__(self) -> None:
        if not 2 <= self.least <= self.most:
            raise ConfigError(
                f"a window needs 2 <= least <= most utterances, found least={self.least}, most={self.most}",
                next_step="give two lengths such as least=2, most=10",
            )


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of one partition, as rows. Chains have at least two members."""

    members: Rows
    """Rows, chain after chain, first utterance first: (utterances,)."""
    offsets: Rows
    """Chain i is `members[offsets[i]:offsets[i + 1]]`: (chains + 1,). Chains are sorted by first row (windows: by first
    row, then length, then last row)."""
    single: Rows
    """Rows that are in no chain, ascending."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def at_least(self, utterances: int) -> Chains:
        """The chains that have so many members; `single` is as it was."""
        lengths = np.diff(self.offsets)
        kept = lengths >= utterances
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths[kept])])
        return Chains(self.members[np.repeat(kept, lengths)], offsets, self.single)


def cut(
    parents: Rows,
    authors: npt.NDArray[np.integer],
    policy: Policy = Policy.ALTERNATING,
    window: Window = Window(),
) -> Chains:
    """Chains of one partition, whose rows stand in order of `created_utc`, length of the id, id.

    Args:
        parents: int64 (rows,), the row that each comment answers, or -1. It may be the row itself, a later row, or lie
            on a cycle; each cycle is cut before its lowest row.
        authors: codes (rows,); the same code is the same person.
        policy: how to cut.
        window: lengths for policy `windows`; the others ignore it.
    """
    parents = unbroken(parents)
    if policy is Policy.WINDOWS:
        return _windows(parents, window)
    return _maximal(parents, authors, policy)


def unbroken(parents: Rows) -> Rows:
    """A copy of `parents` (rows,) without cycles: self-replies become starts, and so does each cycle's lowest row."""
    rows = np.arange(len(parents), dtype=np.int64)
    acyclic = np.where(parents == rows, _NOBODY, parents)
    # Somewhere in a cycle a row answers a later one, which is rare: so it is enough to look upwards from those.
    backward = np.flatnonzero(acyclic > rows)
    if backward.size:
        _break_cycles(acyclic, backward)
    return acyclic


def _break_cycles(parents: Rows, suspects: Rows) -> None:
    """Walk up from each suspect until a row seen before; it lies on a new cycle if this very walk has seen it."""
    above, seen = parents.data, np.zeros(len(parents), dtype=np.int64).data
    for walk, suspect in enumerate(suspects.tolist(), start=1):
        row = suspect
        while row != _NOBODY and not seen[row]:
            seen[row] = walk
            row = above[row]
        if row != _NOBODY and seen[row] == walk:
            above[_lowest(above, row)] = _NOBODY


def _lowest(above: memoryview[int], row: int) -> int:
    """Lowest row of the cycle that holds `row`."""
    lowest, after = row, above[row]
    while after != row:
        lowest = min(lowest, after)
        after = above[after]
    return lowest


# --- chains that share nothing: any, alternating, title --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Replies:
    """The replies that may continue a chain at all."""

    rows: Rows
    """Replies that may start, ascending: (replies,)."""
    above: Rows
    """Their parents."""
    follow: Flags
    """Which of them may also follow."""


def _maximal(parents: Rows, authors: npt.NDArray[np.integer], policy: Policy) -> Chains:
    size = len(parents)
    replies = _replies(parents, None if policy is Policy.ANY else authors)
    lengths = _lengths(replies, size)
    second = _best(replies.rows, replies.above, lengths)
    if policy is Policy.ANY:
        later = second
    else:
        later = _best(replies.rows[replies.follow], replies.above[replies.follow], lengths)
    continuing = _continuing(replies, second, later)
    return _read_off(second, later, lengths, continuing)


def _replies(parents: Rows, authors: npt.NDArray[np.integer] | None) -> _Replies:
    """Who may start and follow: anyone when `authors` is None, else those that keep two people in turn."""
    rows = np.flatnonzero(parents != _NOBODY)
    above = parents[rows]
    if authors is None:
        return _Replies(rows, above, np.ones(len(rows), dtype=np.bool_))
    speakers = authors[rows]
    turns = speakers != authors[above]
    rows, above, speakers = rows[turns], above[turns], speakers[turns]
    before = parents[above]
    # Where there is no row before, index -1 reads some author, and the first condition discards it.
    return _Replies(rows, above, (before != _NOBODY) & (speakers == authors[before]))


def _lengths(replies: _Replies, size: int) -> Rows:
    """Utterances that each row brings to a chain that it continues, itself included: (rows,).

    Rows of height 1, then 2, and so on: a row's height is known once all that may follow it are done. There are never
    more rows of one height than of the one below, so when few are left, few there will be.
    """
    lengths = np.ones(size, dtype=np.int64)
    rows, above = replies.rows[replies.follow], replies.above[replies.follow]
    parents = np.full(size, _NOBODY, dtype=np.int64)
    parents[rows] = above
    waiting = np.bincount(above, minlength=size)
    done = rows[waiting[rows] == 0]
    height = 1
    while done.size > _NARROW:
        height += 1
        up = parents[done]
        np.subtract.at(waiting, up, 1)
        up = _once(up[waiting[up] == 0], waiting)
        lengths[up] = height
        done = up[parents[up] != _NOBODY]
    _climb(done, parents, waiting, lengths)
    return lengths


def _once(rows: Rows, scratch: Rows) -> Rows:
    """`rows` without repetitions; writes to their places in `scratch`."""
    places = np.arange(len(rows))
    scratch[rows] = places
    kept: Rows = rows[scratch[rows] == places]
    return kept


def _climb(done: Rows, parents: Rows, waiting: Rows, lengths: Rows) -> None:
    """The rest of `_lengths`, row by row: up from each row as far as no other branch is waited for."""
    above, open_, known = parents.data, waiting.data, lengths.data
    for start in done.tolist():
        row, up = start, above[start]
        while up != _NOBODY:
            known[up] = max(known[up], known[row] + 1)
            open_[up] -= 1
            if open_[up]:
                break
            row, up = up, above[up]


def _best(rows: Rows, above: Rows, lengths: Rows) -> Rows:
    """After each comment, the reply among `rows` of the greatest length (ties: the lowest row), or -1: (all rows,)."""
    best = np.full(len(lengths), _NOBODY, dtype=np.int64)
    # Written from the least to the most preferred, so the last one written stays. Most lengths are 1: no need to sort.
    rows, above = rows[::-1], above[::-1]
    best[above] = rows
    reach = lengths[rows]
    longer = np.flatnonzero(reach > 1)
    longer = longer[np.argsort(reach[longer], kind="stable")]
    best[above[longer]] = rows[longer]
    return best


def _continuing(replies: _Replies, second: Rows, later: Rows) -> Flags:
    """Which rows continue their parent's chain: (rows,).

    A reply that is chosen only as second continues exactly when its parent does not, one that is chosen only as later
    exactly when its parent does. Each of them points to its parent with a sign; two steps with their signs make one of
    double length, until it ends at a row that is known.
    """
    as_second = second[replies.above] == replies.rows
    as_later = later[replies.above] == replies.rows
    continuing = np.zeros(len(second), dtype=np.bool_)
    continuing[replies.rows[as_second & as_later]] = True
    unknown = as_second != as_later
    rows = replies.rows[unknown]
    depends = np.zeros(len(second), dtype=np.bool_)
    depends[rows] = True
    flip = np.zeros(len(second), dtype=np.bool_)
    flip[rows] = as_second[unknown]
    target = np.empty(len(second), dtype=np.int64)
    target[rows] = replies.above[unknown]
    while rows.size:
        up = target[rows]
        known = ~depends[up]
        settled, jumping, over = rows[known], rows[~known], up[~known]
        flip[jumping], target[jumping] = flip[jumping] ^ flip[over], target[over]
        continuing[settled] = continuing[up[known]] ^ flip[settled]
        rows = jumping
    return continuing


def _read_off(second: Rows, later: Rows, lengths: Rows, continuing: Flags) -> Chains:
    """Chains from their starts, all at once: first every second utterance, then every third, and so on."""
    answered = second != _NOBODY
    starts = np.flatnonzero(answered & ~continuing)
    row = second[starts]
    offsets = _offsets(1 + lengths[row])
    members = np.empty(offsets[-1], dtype=np.int64)
    place = offsets[:-1]
    members[place] = starts
    while row.size > _NARROW:
        place = place + 1
        members[place] = row
        row = later[row]
        on = row != _NOBODY
        row, place = row[on], place[on]
    _read_on(row, place, later, members)
    return Chains(members, offsets, np.flatnonzero(~(answered | continuing)))


def _read_on(row: Rows, place: Rows, later: Rows, members: Rows) -> None:
    """The rest of `_read_off`, chain by chain: write `row` and what follows it behind `place`."""
    after, out = later.data, members.data
    for at, first in zip(place.tolist(), row.tolist(), strict=True):
        to, following = at, first
        while following != _NOBODY:
            to += 1
            out[to] = following
            following = after[following]


def _offsets(sizes: Rows) -> Rows:
    """Where chains of these sizes begin and end: (chains + 1,)."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes)))


# --- windows ---------------------------------------------------------------------------------------------------------


def _windows(parents: Rows, window: Window) -> Chains:
    """Every run of `window.least` to `window.most` utterances along parent links, once."""
    first, last, sizes = _runs(parents, window)
    # The runs come by size and last row, and a stable sort keeps that order among those with the same first row.
    order = np.argsort(first, kind="stable")
    offsets = _offsets(sizes[order])
    members = _upwards(parents, last[order], sizes[order], offsets)
    alone = np.ones(len(parents), dtype=np.bool_)
    alone[members] = False
    return Chains(members, offsets, np.flatnonzero(alone))


def _runs(parents: Rows, window: Window) -> tuple[Rows, Rows, Rows]:
    """First row, last row and size of every run, by size, then last row: three of (runs,)."""
    last = np.arange(len(parents), dtype=np.int64)
    first, size = last, 1
    found = [(last[:0], last[:0])]
    sizes = [0]
    while last.size and size < window.most:
        up = parents[first]
        there = up != _NOBODY
        first, last, size = up[there], last[there], size + 1
        if size >= window.least:
            found.append((first, last))
            sizes.append(size)
    firsts, lasts = zip(*found, strict=True)
    repeats = [len(rows) for rows in lasts]
    return np.concatenate(firsts), np.concatenate(lasts), np.repeat(np.array(sizes, dtype=np.int64), repeats)


def _upwards(parents: Rows, last: Rows, sizes: Rows, offsets: Rows) -> Rows:
    """Members of all runs, written from the last row up: (utterances,)."""
    members = np.empty(offsets[-1], dtype=np.int64)
    row, place, left = last, offsets[1:] - 1, sizes
    while row.size:
        members[place] = row
        on = left > 1
        row, place, left = parents[row[on]], place[on] - 1, left[on] - 1
    return members
