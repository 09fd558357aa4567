"""Dialogues that move on by themselves: nobody waits for a slow one, and what they say is the same as in lock-step."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count as tickets_from
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Completion, CompletionStatus, Conversation, Sampling
from sage_data.chat.meter import Meter, Prices
from sage_data.dialogue import Scenario
from sage_data.errors import BackendError, BudgetStopError
from sage_data.rollout import Settings, Speaker, Talk, Transcript, play
from sage_data.store.journal import Journal, JournaledChat

SAMPLING = Sampling()
SETTINGS = Settings(exchanges=3, seed=5)
WAIT_S = 10


class Server:
    """Says what its seed makes it say, as several threads ask at once; some dialogues end early, some fail."""

    journaled = True

    def __init__(self, name: str, at_once: int = 4, before: Callable[[Conversation], None] = lambda one: None) -> None:
        self.identity = name
        self.at_once = at_once
        self.before = before
        """What happens until it answers."""
        self.asked: list[Conversation] = []
        self.open = self.most = 0
        self._lock = threading.Lock()

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        with self._lock:
            self.asked += conversations
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            return [[self.answer(one)] for one in conversations]
        finally:
            with self._lock:
                self.open -= 1

    def answer(self, one: Conversation) -> Completion:
        self.before(one)
        fate = one.seed % 11
        if fate == 0:
            return Completion("", CompletionStatus.REFUSED, self.identity, 10, 0, error=f"not {one.seed}")
        said = f"{self.identity} {one.seed} to {one.messages[-1].content}"
        return Completion("Goodbye." if fate == 1 else said, CompletionStatus.OK, self.identity, 10, 5)


class InLockStep(Server):
    """The same where only one thread may ask."""

    def __init__(self, name: str) -> None:
        super().__init__(name, at_once=1)


def blocks(count: int, size: int = 4, samples: int = 1) -> list[tuple[int, list[Talk]]]:
    talks = [
        Talk(Scenario(f"s{number}", f"Story {number}.", None, "test"), SETTINGS, sample)
        for number in range(count)
        for sample in range(samples)
    ]
    return [(index, talks[begin : begin + size]) for index, begin in enumerate(range(0, len(talks), size))]


def played(
    agent: object, user: object, count: int = 10, size: int = 4, samples: int = 1
) -> list[tuple[int, list[Transcript]]]:
    speakers = (Speaker(one, SAMPLING) for one in (agent, user))  # type: ignore[arg-type]
    return list(play(blocks(count, size, samples), *speakers))


def said(found: list[tuple[int, list[Transcript]]]) -> dict[str, Transcript]:
    return {one.dialogue.id: one for _, row in found for one in row}


class TestSameAsInLockStep:
    def test_whatever_order_the_answers_come_in(self) -> None:
        expected = played(InLockStep("agent"), InLockStep("user"), samples=3)
        assert len({one.stop_reason for one in said(expected).values()}) == 3, "the planted fates are all there"
        for seed in range(3):
            dice = random.Random(seed)
            pause = lambda one, dice=dice: time.sleep(dice.random() * 0.004)  # noqa: E731
            agent, user = Server("agent", before=pause), Server("user", before=pause)
            assert played(agent, user, samples=3) == expected
            assert agent.most + user.most > 2, "nothing was asked side by side"

    @given(st.permutations(range(6)), st.integers(1, 7))
    def test_neither_the_order_of_scenarios_nor_the_size_of_blocks_matters(self, order: list[int], size: int) -> None:
        """One dialogue says the same in whatever company it is played, in lock-step and apart."""
        for kind in (InLockStep, Server):
            talks = [Talk(Scenario(f"s{number}", f"Story {number}.", None, "test"), SETTINGS) for number in order]
            cut = [(index, talks[begin : begin + size]) for index, begin in enumerate(range(0, len(talks), size))]
            found = list(play(cut, Speaker(kind("agent"), SAMPLING), Speaker(kind("user"), SAMPLING)))
            assert [one.dialogue.id for _, row in found for one in row] == [f"s{number}" for number in order]
            assert said(found) == said(played(InLockStep("agent"), InLockStep("user"), 6))

    def test_a_model_in_this_process_gets_whole_blocks_whatever_the_other_side_is(self) -> None:
        agent, user = InLockStep("agent"), Server("user")
        found = played(agent, user, count=6, size=6)
        assert agent.most == user.most == 1
        assert said(found) == said(played(InLockStep("agent"), InLockStep("user"), 6))


def calls(count: int) -> int:
    """How many calls it takes to play so many scenarios."""
    agent, user = InLockStep("agent"), InLockStep("user")
    played(agent, user, count)
    return len(agent.asked) + len(user.asked)


def test_a_dialogue_whose_call_hangs_holds_up_nobody_else() -> None:
    """The first call of the first dialogue is answered only when all that the others need, in all blocks, was asked."""
    others_asked = threading.Event()
    needed = calls(10) - calls(1) + 1

    def before(one: Conversation) -> None:
        if len(agent.asked) + len(user.asked) >= needed:
            others_asked.set()
        if one.messages[0].content == "Story 0." and len(one.messages) == 1:
            assert others_asked.wait(WAIT_S), "somebody waits for the one that hangs"

    agent, user = Server("agent", before=before), Server("user", before=before)
    found = played(agent, user)
    assert [index for index, _ in found] == [0, 1, 2]
    assert found == played(InLockStep("agent"), InLockStep("user"))


def test_one_backend_in_both_roles_is_not_asked_more_at_once_than_it_bears() -> None:
    both = Server("both", at_once=3, before=lambda one: time.sleep(0.002))
    played(both, both, count=12)
    assert 1 < both.most <= 3


def test_two_backends_are_each_kept_busy() -> None:
    """With as many threads as both bear together, neither idles while dialogues wait for the other."""
    agent = Server("agent", at_once=2, before=lambda one: time.sleep(0.002))
    user = Server("user", at_once=4, before=lambda one: time.sleep(0.002))
    played(agent, user, count=24)
    assert agent.most + user.most > 4


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


class TestEndings:
    def test_an_error_of_a_backend_ends_the_work_and_is_told(self, journal: Journal) -> None:
        def before(one: Conversation) -> None:
            if one.messages[0].content == "Story 5.":
                raise BackendError("the server is gone")

        with pytest.raises(BackendError, match="the server is gone"):
            played(JournaledChat(Server("agent", before=before), journal), JournaledChat(Server("user"), journal))

    def test_a_finished_block_is_handed_over_although_a_later_one_fails(self) -> None:
        over = threading.Event()

        def before(one: Conversation) -> None:
            if one.messages[0].content == "Story 5.":
                assert over.wait(WAIT_S)
                raise BackendError("the server is gone")

        agent, user = Server("agent", before=before), Server("user")
        speakers = Speaker(agent, SAMPLING), Speaker(user, SAMPLING)
        found = play(blocks(8), *speakers)
        index, transcripts = next(found)
        assert (index, len(transcripts)) == (0, 4)
        over.set()
        with pytest.raises(BackendError, match="the server is gone"):
            next(found)

    def test_what_was_answered_is_not_asked_again(self, journal: Journal) -> None:
        agent, user = Server("agent"), Server("user")
        limit = 20

        tickets = tickets_from()

        def before(one: Conversation) -> None:
            if next(tickets) >= limit:
                raise BackendError("killed")

        agent.before = user.before = before
        with pytest.raises(BackendError, match="killed"):
            played(JournaledChat(agent, journal), JournaledChat(user, journal))
        again_agent, again_user = Server("agent"), Server("user")
        found = played(JournaledChat(again_agent, journal), JournaledChat(again_user, journal))
        assert found == played(InLockStep("agent"), InLockStep("user"))
        assert len(again_agent.asked) + len(again_user.asked) == calls(10) - limit

    def test_a_budget_ends_it_and_the_same_again_spends_nothing(self, journal: Journal) -> None:
        prices = Prices(input_usd=1_000.0, output_usd=2_000.0)

        def attempt(max_cost: float) -> tuple[int, list[Meter]]:
            agent, user = Server("agent"), Server("user")
            meter = Meter(prices, max_cost)
            meters = [meter, meter.beside(prices)]
            try:
                played(JournaledChat(agent, journal, meters[0]), JournaledChat(user, journal, meters[1]))
            finally:
                asked.append(len(agent.asked) + len(user.asked))
            return asked[-1], meters

        asked: list[int] = []
        for _ in range(4):
            with pytest.raises(BudgetStopError) as caught:
                attempt(0.4)
        # Calls of 0.02 dollars each; until the first answer as many begin as both bear, a refusal costs half of it.
        assert 18 <= asked[0] <= 20 + 8
        assert asked[1:] == [0, 0, 0]
        assert "stopped at the allowed cost of 0.4 USD" in str(caught.value)
        total, meters = attempt(100.0)
        assert total + asked[0] == calls(10)
        assert sum(one.calls for one in meters) == total
        assert sum(one.paid_before for one in meters) == asked[0]

    def test_ctrl_c_waits_for_no_slow_call(self) -> None:
        # Whatever stood before: a polars query in another test leaves waits that restart instead of ending, and a
        # process begun in the background ignores Ctrl-C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        release = threading.Event()
        agent = Server("agent", before=lambda one: release.wait(WAIT_S) and None)
        found = play(blocks(4), Speaker(agent, SAMPLING), Speaker(Server("user"), SAMPLING))
        timer = threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
        began = time.monotonic()
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                next(found)
            assert time.monotonic() - began < WAIT_S / 2
        finally:
            release.set()
            signal.signal(signal.SIGINT, before)


def test_meters_that_are_beside_each_other_share_a_budget_and_not_their_prices() -> None:
    dear = Meter(Prices(input_usd=1_000_000.0), max_cost=10.0)
    cheap = dear.beside(Prices(input_usd=1.0))
    answer = [Completion("yes", CompletionStatus.OK, "m", prompt_tokens=9)]
    for meter in (dear, cheap):
        assert meter.start()
        meter.finish(answer)
    assert (dear.total_usd, cheap.total_usd) == (9.0, 9e-6)
    assert cheap.may_start
    assert dear.start()
    assert not cheap.may_start, "the open call of the dear one is expected to use the budget up"
    dear.finish(answer)
    assert not dear.start()
    assert not cheap.start()
    assert "9 prompt" in str(cheap.stop())
    assert "18 prompt" in str(cheap.stop())
    assert Counter([dear.calls, cheap.calls]) == Counter([2, 1])
