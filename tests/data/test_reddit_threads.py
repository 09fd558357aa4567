"""Cutting threads: worked examples, and the fast way against a slow one that follows the policy's words."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.reddit.reader import Comment
from sage_data.reddit.threads import Policy, cut


def comment(id: str, author: str, parent: str = "", time: int = 0, thread: str = "t3_x") -> Comment:
    parent_id = f"t1_{parent}" if parent else thread
    return Comment(id, author, f"text of {id}", time, thread, parent_id, "books", 1, "RC", 1)


def chains(comments: Sequence[Comment], policy: Policy = Policy.ALTERNATING) -> list[list[str]]:
    return [[comments[place].id for place in chain] for chain in cut(comments, policy)]


def test_two_people_in_turn() -> None:
    thread = [comment("1", "ann"), comment("2", "bob", "1"), comment("3", "ann", "2"), comment("4", "bob", "3")]
    assert chains(thread) == [["1", "2", "3", "4"]]


def test_a_third_person_starts_anew_and_shares_nothing() -> None:
    thread = [comment("1", "ann"), comment("2", "bob", "1"), comment("3", "cy", "2"), comment("4", "bob", "3")]
    assert chains(thread) == [["1", "2"], ["3", "4"]]
    assert chains(thread, Policy.ANY) == [["1", "2", "3", "4"]]


def test_an_answer_to_oneself_starts_anew() -> None:
    thread = [comment("1", "ann"), comment("2", "ann", "1"), comment("3", "bob", "2")]
    assert chains(thread) == [["1"], ["2", "3"]]


def test_the_branch_that_leads_furthest_is_followed() -> None:
    thread = [
        comment("1", "ann", time=1),
        comment("2", "bob", "1", time=2),
        comment("3", "cy", "1", time=3),
        comment("4", "ann", "3", time=4),
    ]
    assert chains(thread) == [["1", "3", "4"], ["2"]]


def test_ties_go_to_the_earliest_then_the_smallest_id() -> None:
    by_time = [comment("1", "ann"), comment("2", "bob", "1", time=9), comment("3", "cy", "1", time=8)]
    assert chains(by_time) == [["1", "3"], ["2"]]
    by_id = [comment("1", "ann"), comment("10", "bob", "1", time=9), comment("9", "cy", "1", time=9)]
    assert chains(by_id) == [["1", "9"], ["10"]]


def test_what_others_say_below_does_not_lengthen_a_branch() -> None:
    """Below Bob's reply stand more comments, but none that Ann goes on with; so her dialogue is the one with Cy."""
    thread = [
        comment("1", "ann", time=1),
        comment("2", "bob", "1", time=2),
        comment("3", "dee", "2", time=3),
        comment("4", "bob", "3", time=4),
        comment("5", "cy", "1", time=5),
        comment("6", "ann", "5", time=6),
    ]
    assert chains(thread) == [["1", "5", "6"], ["2", "3", "4"]]


def test_orphans_self_replies_and_other_threads_start_chains() -> None:
    thread = [
        comment("1", "ann", "gone"),
        comment("2", "bob", "2"),
        comment("3", "ann"),
        comment("4", "bob", "3", thread="t3_y"),
        comment("5", "ann", "1"),
    ]
    assert chains(thread) == [["1"], ["2"], ["3"], ["4"], ["5"]]


def test_a_submission_with_a_comments_id_is_no_parent() -> None:
    first = comment("1", "ann", thread="t3_1")
    assert chains([first, comment("2", "bob", thread="t3_1")]) == [["1"], ["2"]]


def test_a_cycle_is_cut_before_its_earliest_comment() -> None:
    cycle = [comment("1", "ann", "3", time=5), comment("2", "bob", "1", time=4), comment("3", "ann", "2", time=4)]
    assert chains(cycle) == [["2", "3"], ["1"]]
    hanging = [*cycle, comment("4", "bob", "3", time=9)]
    assert chains(hanging) == [["2", "3", "4"], ["1"]]


def test_a_reply_may_be_older_than_its_parent() -> None:
    assert chains([comment("1", "ann", time=9), comment("2", "bob", "1", time=3)]) == [["1", "2"]]


@pytest.mark.parametrize("policy", Policy)
def test_depth_and_width_are_no_limit(policy: Policy) -> None:
    size = 30_000
    deep = [comment(str(n), "ab"[n % 2], str(n - 1) if n else "", time=n) for n in range(size)]
    assert [len(chain) for chain in cut(deep, policy)] == [size]
    ring = [comment(str(n), "ab"[n % 2], str((n - 1) % size), time=n) for n in range(size)]
    assert [len(chain) for chain in cut(ring, policy)] == [size]
    wide = [comment("0", "ann")] + [comment(str(n), "bob", "0", time=n) for n in range(1, size)]
    assert sorted(len(chain) for chain in cut(wide, policy)) == [1] * (size - 2) + [2]


def test_nothing_comes_of_nothing() -> None:
    assert chains([]) == []


# --- the slow way: lists, recursion and search, in the order of the policy's sentences -------------------------------


class Slow:
    """Cuts a few comments by trying everything."""

    def __init__(self, comments: Sequence[Comment], policy: Policy) -> None:
        self.by_id = {one.id: one for one in comments}
        self.policy = policy
        self.starters = {one.id for one in comments if self.starts(one)}

    def parent(self, one: Comment) -> Comment | None:
        if not one.parent_id.startswith("t1_"):
            return None
        parent = self.by_id.get(one.parent_id[3:])
        return parent if parent is not None and parent.thread == one.thread and parent.id != one.id else None

    def starts(self, one: Comment) -> bool:
        ring, after = [one], self.parent(one)
        while after is not None and after.id not in {member.id for member in ring}:
            ring.append(after)
            after = self.parent(after)
        if after is None or after.id != one.id:
            return self.parent(one) is None
        return one.id == min(ring, key=age).id

    def replies(self, one: Comment) -> list[Comment]:
        return [
            reply
            for reply in self.by_id.values()
            if reply.id not in self.starters and (parent := self.parent(reply)) is not None and parent.id == one.id
        ]

    def continues(self, chain: list[Comment], reply: Comment) -> bool:
        if self.policy is Policy.ANY:
            return True
        speakers = [one.author for one in [*chain, reply]]
        first_two = speakers[:2]
        return first_two[0] != first_two[1] and speakers == (first_two * len(speakers))[: len(speakers)]

    def longest(self, chain: list[Comment]) -> int:
        lengths = [self.longest([*chain, reply]) for reply in self.replies(chain[-1]) if self.continues(chain, reply)]
        return max(lengths, default=len(chain))

    def chain_from(self, chain: list[Comment]) -> list[Comment]:
        candidates = [reply for reply in self.replies(chain[-1]) if self.continues(chain, reply)]
        if not candidates:
            return chain
        best = min(candidates, key=lambda reply: (-self.longest([*chain, reply]), age(reply)))
        return self.chain_from([*chain, best])

    def all_chains(self) -> list[list[Comment]]:
        done: list[list[Comment]] = []
        waiting = [self.by_id[id] for id in self.starters]
        while waiting:
            chain = self.chain_from([waiting.pop()])
            done.append(chain)
            waiting += [reply for one in chain for reply in self.replies(one) if reply not in chain]
        return sorted(done, key=lambda chain: age(chain[0]))


def age(one: Comment) -> tuple[int, int, str]:
    return one.created_utc, len(one.id), one.id


@st.composite
def forests(draw: st.DrawFn) -> list[Comment]:
    """Up to 14 comments by three people in two threads; parents may be anyone: later, missing, themselves."""
    size = draw(st.integers(0, 14))
    ids = [format(7 * number, "x") for number in range(size)]
    made = []
    for id in ids:
        parent = draw(st.sampled_from(["", "", "gone", *ids]))
        thread = draw(st.sampled_from(["t3_x"] * 5 + ["t3_y"]))
        made.append(comment(id, draw(st.sampled_from("abc")), parent, draw(st.integers(0, 4)), thread))
    return made


@settings(max_examples=400, deadline=None)
@given(forests(), st.sampled_from(Policy))
def test_fast_is_slow(comments: list[Comment], policy: Policy) -> None:
    assert chains(comments, policy) == [[one.id for one in chain] for chain in Slow(comments, policy).all_chains()]


@settings(max_examples=100, deadline=None)
@given(forests(), st.sampled_from(Policy), st.randoms(use_true_random=False))
def test_order_of_comments_does_not_matter(comments: list[Comment], policy: Policy, source: random.Random) -> None:
    shuffled = comments[:]
    source.shuffle(shuffled)
    assert chains(shuffled, policy) == chains(comments, policy)


@settings(max_examples=100, deadline=None)
@given(forests(), st.sampled_from(Policy))
def test_every_comment_is_in_one_chain(comments: list[Comment], policy: Policy) -> None:
    places = [place for chain in cut(comments, policy) for place in chain]
    assert sorted(places) == list(range(len(comments)))
