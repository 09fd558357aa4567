"""Cutting threads: worked examples, and the fast way against a slow one that follows the policies' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.errors import ConfigError
from sage_data.reddit import threads
from sage_data.reddit.threads import Chains, Policy, Window, cut, unbroken

UNSHARED = [Policy.ALTERNATING, Policy.ANY, Policy.TITLE]
IN_TURN = [Policy.ALTERNATING, Policy.TITLE]
SPEEDS = st.sampled_from([0, 2, threads._NARROW])
"""Where array operations hand over to plain loops; small forests would only meet the loops."""


@dataclass(frozen=True)
class Said:
    """A comment as the worked examples write it."""

    id: str
    author: str
    parent: str = ""
    time: int = 0


def columns(said: Sequence[Said]) -> tuple[list[Said], list[int], list[int]]:
    """The comments in order of time and id, their parents' rows and their authors' codes."""
    rows = sorted(said, key=lambda one: (one.time, len(one.id), one.id))
    places = {one.id: row for row, one in enumerate(rows)}
    names = sorted({one.author for one in rows})
    return rows, [places.get(one.parent, -1) for one in rows], [names.index(one.author) for one in rows]


def listed(found: Chains) -> list[list[int]]:
    return [found.members[start:end].tolist() for start, end in pairwise(found.offsets.tolist())]


def cut_lists(
    parents: Sequence[int], authors: Sequence[int], policy: Policy, window: Window | None = None
) -> tuple[list[list[int]], list[int]]:
    found = cut(np.array(parents, np.int64), np.array(authors, np.int32), policy, window or Window())
    assert {found.members.dtype, found.offsets.dtype, found.single.dtype} == {np.dtype(np.int64)}
    assert len(found) == len(found.offsets) - 1
    return listed(found), found.single.tolist()


def chains(said: Sequence[Said], policy: Policy = Policy.ALTERNATING, window: Window | None = None) -> list[list[str]]:
    rows, parents, authors = columns(said)
    found, single = cut_lists(parents, authors, policy, window)
    return [[rows[row].id for row in chain] for chain in sorted([*found, *([row] for row in single)])]


def test_two_people_in_turn() -> None:
    thread = [Said("1", "ann"), Said("2", "bob", "1"), Said("3", "ann", "2"), Said("4", "bob", "3")]
    assert chains(thread) == [["1", "2", "3", "4"]]


def test_a_third_person_starts_anew_and_shares_nothing() -> None:
    thread = [Said("1", "ann"), Said("2", "bob", "1"), Said("3", "cy", "2"), Said("4", "bob", "3")]
    assert chains(thread) == [["1", "2"], ["3", "4"]]
    assert chains(thread, Policy.ANY) == [["1", "2", "3", "4"]]


def test_an_answer_to_oneself_starts_anew() -> None:
    thread = [Said("1", "ann"), Said("2", "ann", "1"), Said("3", "bob", "2")]
    assert chains(thread) == [["1"], ["2", "3"]]


def test_the_branch_that_leads_furthest_is_followed() -> None:
    thread = [Said("1", "ann", "", 1), Said("2", "bob", "1", 2), Said("3", "cy", "1", 3), Said("4", "ann", "3", 4)]
    assert chains(thread) == [["1", "3", "4"], ["2"]]


def test_ties_go_to_the_earliest_then_the_smallest_id() -> None:
    by_time = [Said("1", "ann"), Said("2", "bob", "1", 9), Said("3", "cy", "1", 8)]
    assert chains(by_time) == [["1", "3"], ["2"]]
    by_id = [Said("1", "ann"), Said("10", "bob", "1", 9), Said("9", "cy", "1", 9)]
    assert chains(by_id) == [["1", "9"], ["10"]]


def test_what_others_say_below_does_not_lengthen_a_branch() -> None:
    """Below Bob's reply stand more comments, but none that Ann goes on with; so her dialogue is the one with Cy."""
    thread = [
        Said("1", "ann", "", 1),
        Said("2", "bob", "1", 2),
        Said("3", "dee", "2", 3),
        Said("4", "bob", "3", 4),
        Said("5", "cy", "1", 5),
        Said("6", "ann", "5", 6),
    ]
    assert chains(thread) == [["1", "5", "6"], ["2", "3", "4"]]


def test_orphans_and_self_replies_start_chains() -> None:
    thread = [Said("1", "ann", "gone"), Said("2", "bob", "2"), Said("3", "ann"), Said("5", "ann", "1")]
    assert chains(thread) == [["1"], ["2"], ["3"], ["5"]]


def test_a_cycle_is_cut_before_its_earliest_comment() -> None:
    cycle = [Said("1", "ann", "3", 5), Said("2", "bob", "1", 4), Said("3", "ann", "2", 4)]
    assert chains(cycle) == [["2", "3"], ["1"]]
    assert chains([*cycle, Said("4", "bob", "3", 9)]) == [["2", "3", "4"], ["1"]]


def test_a_reply_may_be_older_than_its_parent() -> None:
    thread = [Said("1", "ann", "", 9), Said("2", "bob", "1", 3)]
    assert chains(thread) == chains(thread, Policy.WINDOWS) == [["1", "2"]]


def test_a_title_is_a_first_turn_that_one_answer_continues() -> None:
    thread = [Said("t", "ann", "", 0), Said("1", "bob", "t", 1), Said("2", "cy", "t", 2), Said("3", "ann", "2", 3)]
    assert chains(thread, Policy.TITLE) == [["t", "2", "3"], ["1"]]


def test_windows_are_all_runs_of_the_lengths_asked_for() -> None:
    thread = [Said("1", "ann"), Said("2", "ann", "1"), Said("3", "bob", "2"), Said("4", "cy", "2"), Said("5", "dee")]
    pairs, runs = [["1", "2"], ["2", "3"], ["2", "4"]], [["1", "2", "3"], ["1", "2", "4"]]
    assert chains(thread, Policy.WINDOWS) == [pairs[0], *runs, *pairs[1:], ["5"]]
    assert chains(thread, Policy.WINDOWS, Window(2, 2)) == [*pairs, ["5"]]
    assert chains(thread, Policy.WINDOWS, Window(3, 3)) == [*runs, ["5"]]


@pytest.mark.parametrize(("least", "most"), [(1, 3), (4, 3), (0, 0)])
def test_impossible_windows_are_refused(least: int, most: int) -> None:
    with pytest.raises(ConfigError, match=f"least={least}, most={most}"):
        Window(least, most)


@pytest.mark.parametrize("policy", Policy)
def test_nothing_comes_of_nothing(policy: Policy) -> None:
    assert cut_lists([], [], policy) == ([], [])


def test_the_callers_columns_are_left_alone() -> None:
    parents = np.array([1, 0, 2])
    parents.flags.writeable = False
    assert listed(cut(parents, np.array([0, 1, 0]))) == [[0, 1]]
    assert unbroken(parents).tolist() == [-1, 0, -1]


# --- depth and width are no limit ------------------------------------------------------------------------------------

SIZE = 300_000
ROWS = np.arange(SIZE)


@pytest.mark.parametrize("policy", UNSHARED)
@pytest.mark.parametrize(
    "parents",
    [ROWS - 1, np.where(ROWS + 1 < SIZE, ROWS + 1, -1), (ROWS - 1) % SIZE, (ROWS + 1) % SIZE],
    ids=["chain", "chain upside down", "ring", "ring upside down"],
)
def test_a_dialogue_may_be_very_long(parents: threads.Rows, policy: Policy) -> None:
    found = cut(parents, ROWS % 2, policy)
    assert (len(found), len(found.members), len(found.single)) == (1, SIZE, 0)
    assert np.array_equal(parents[found.members[1:]], found.members[:-1])


def test_who_continues_may_hang_on_everything_above() -> None:
    """Three people in turn: each reply continues exactly if its parent does not, from the first to the last."""
    found = cut(ROWS - 1, ROWS % 3)
    assert np.array_equal(found.members, ROWS)
    assert np.array_equal(found.offsets, np.arange(0, SIZE + 1, 2))


@pytest.mark.parametrize("policy", UNSHARED)
def test_a_comment_may_have_very_many_replies(policy: Policy) -> None:
    found = cut(np.where(ROWS > 0, 0, -1), np.minimum(ROWS, 1), policy)
    assert listed(found) == [[0, 1]]
    assert np.array_equal(found.single, ROWS[2:])


def test_windows_of_very_long_and_very_wide_threads() -> None:
    deep = cut((ROWS - 1) % SIZE, ROWS, Policy.WINDOWS, Window(3, 4))
    assert (len(deep), len(deep.members)) == (2 * SIZE - 5, 7 * SIZE - 18)
    wide = cut(np.where(ROWS > 0, 0, -1), ROWS, Policy.WINDOWS)
    assert len(wide) == SIZE - 1


# --- the slow way: lists, recursion and search, in the order of the policies' sentences ------------------------------


class Slow:
    """Cuts a few rows by trying everything."""

    def __init__(self, parents: Sequence[int], authors: Sequence[int], policy: Policy) -> None:
        self.given, self.authors, self.policy = parents, authors, policy
        self.rows = range(len(parents))
        self.starters = {row for row in self.rows if self.starts(row)}

    def parent(self, row: int) -> int | None:
        return self.given[row] if self.given[row] not in {row, -1} else None

    def starts(self, row: int) -> bool:
        ring, after = [row], self.parent(row)
        while after is not None and after not in ring:
            ring.append(after)
            after = self.parent(after)
        return row == min(ring) if after == row else self.parent(row) is None

    def replies(self, row: int) -> list[int]:
        return [reply for reply in self.rows if reply not in self.starters and self.parent(reply) == row]

    def continues(self, chain: list[int], reply: int) -> bool:
        if self.policy is Policy.ANY:
            return True
        speakers = [self.authors[row] for row in [*chain, reply]]
        return speakers[0] != speakers[1] and speakers == (speakers[:2] * len(speakers))[: len(speakers)]

    def longest(self, chain: list[int]) -> int:
        lengths = [self.longest([*chain, reply]) for reply in self.replies(chain[-1]) if self.continues(chain, reply)]
        return max(lengths, default=len(chain))

    def chain_from(self, chain: list[int]) -> list[int]:
        candidates = [reply for reply in self.replies(chain[-1]) if self.continues(chain, reply)]
        if not candidates:
            return chain
        best = min(candidates, key=lambda reply: (-self.longest([*chain, reply]), reply))
        return self.chain_from([*chain, best])

    def unshared(self) -> list[list[int]]:
        done: list[list[int]] = []
        waiting = list(self.starters)
        while waiting:
            chain = self.chain_from([waiting.pop()])
            done.append(chain)
            waiting += [reply for row in chain for reply in self.replies(row) if reply not in chain]
        return sorted(done)

    def windows(self, window: Window) -> list[list[int]]:
        found = [run for row in self.rows for run in self.runs_from([row], window.most) if len(run) >= window.least]
        inside = {row for run in found for row in run}
        found += [[row] for row in self.rows if row not in inside]
        return sorted(found, key=lambda run: (run[0], len(run), run[-1]))

    def runs_from(self, run: list[int], most: int) -> list[list[int]]:
        longer = self.replies(run[-1]) if len(run) < most else []
        return [run, *(further for reply in longer for further in self.runs_from([*run, reply], most))]


Forest = tuple[list[int], list[int]]


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Up to 16 comments by three people: parents are earlier ones, or anyone: later, themselves, round in a ring."""
    size = draw(st.integers(0, 16))
    anyone = st.integers(-1, size - 1)
    parents = [draw(st.integers(max(-1, row - 4), row - 1) if draw(st.booleans()) else anyone) for row in range(size)]
    return parents, draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))


def with_single(found: tuple[list[list[int]], list[int]]) -> list[list[int]]:
    """Chains, single ones among them, in order of first row; windows keep their order."""
    assert found[1] == sorted(found[1])
    return sorted([*found[0], *([row] for row in found[1])], key=lambda chain: chain[0])


@settings(max_examples=400, deadline=None)
@given(forests(), st.sampled_from(UNSHARED), SPEEDS)
def test_fast_is_slow(forest: Forest, policy: Policy, narrow: int) -> None:
    with patch.object(threads, "_NARROW", narrow):
        found = cut_lists(*forest, policy)
    assert with_single(found) == Slow(*forest, policy).unshared()


@settings(max_examples=150, deadline=None)
@given(forests(), st.integers(2, 5), st.integers(0, 12))
def test_fast_windows_are_slow_windows(forest: Forest, least: int, more: int) -> None:
    window = Window(least, least + more)
    found = cut_lists(*forest, Policy.WINDOWS, window)
    assert with_single(found) == Slow(*forest, Policy.WINDOWS).windows(window)


@settings(max_examples=100, deadline=None)
@given(forests(), st.sampled_from(Policy), st.integers(2, 200))
def test_forests_cut_together_are_forests_cut_apart(forest: Forest, policy: Policy, copies: int) -> None:
    """Many copies of a forest with interleaved rows: what is wide here was narrow there."""
    parents, authors = (np.array(column, np.int64) for column in forest)
    copy = np.arange(copies)
    together = np.where(parents[:, None] < 0, -1, parents[:, None] * copies + copy).ravel()
    found, single = cut_lists(together.tolist(), np.repeat(authors, copies).tolist(), policy)
    apart, alone = cut_lists(*forest, policy)
    assert sorted(found) == sorted([row * copies + place for row in chain] for chain in apart for place in copy)
    assert single == [row * copies + place for row in alone for place in copy]


@settings(max_examples=150, deadline=None)
@given(forests(), st.sampled_from(Policy))
def test_every_row_is_in_a_chain_or_single(forest: Forest, policy: Policy) -> None:
    found, single = cut_lists(*forest, policy)
    members = [row for chain in found for row in chain]
    assert sorted({*members, *single}) == list(range(len(forest[0])))
    assert not {*members} & {*single}
    assert all(len(chain) >= 2 for chain in found)
    assert policy is Policy.WINDOWS or len(set(members)) == len(members)


@settings(max_examples=150, deadline=None)
@given(forests(), st.sampled_from(Policy))
def test_each_utterance_answers_the_one_before(forest: Forest, policy: Policy) -> None:
    parents, _ = forest
    for chain in cut_lists(*forest, policy)[0]:
        assert all(parents[reply] == row != reply for row, reply in pairwise(chain))
        assert len(set(chain)) == len(chain)


@settings(max_examples=150, deadline=None)
@given(forests(), st.sampled_from(IN_TURN))
def test_two_people_speak_in_turn(forest: Forest, policy: Policy) -> None:
    for chain in cut_lists(*forest, policy)[0]:
        speakers = [forest[1][row] for row in chain]
        assert len({*speakers[::2]}) == len({*speakers[1::2]}) == 1
        assert speakers[0] != speakers[1]
