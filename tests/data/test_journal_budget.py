"""The journal and a budget: what counts against it, when it stops the work, and how the work goes on."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import DROP, NO_CHOICES, SERVER_ERROR, ChatServer, at, too_many
from hypothesis import given
from hypothesis import strategies as st
from journaling import Batch, Stream, asks, many

from sage_data.chat import Completion, CompletionStatus, Conversation, Sampling, open_chat
from sage_data.chat.meter import Meter, Prices
from sage_data.errors import BudgetStopError
from sage_data.inputs import Inputs
from sage_data.stage import Context
from sage_data.store import journal as journal_module
from sage_data.store.journal import Journal, JournaledChat


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


class TestBudget:
    prices = Prices(input_usd=1_000.0, output_usd=2_000.0)
    """A call of ten and five tokens costs 0.02 dollars."""

    @pytest.mark.parametrize("kind", [Batch, Stream])
    def test_the_same_command_again_spends_nothing_more(self, journal: Journal, kind: type[Batch]) -> None:
        backend = kind()
        for again in range(4):
            meter = Meter(self.prices, max_cost=0.2)
            with pytest.raises(BudgetStopError) as caught:
                JournaledChat(backend, journal, meter).generate(many(50), Sampling())
            # A backend that takes batches makes a whole one, as nothing is known of its costs before.
            calls = 16 if kind is Batch else 10
            assert len(backend.asked) == calls
            spent = calls * 0.02
            assert (meter.cost_usd, meter.cost_before_usd) == ((0.0, spent) if again else (spent, 0.0))
        kept = f"{calls} answers from the journal, {spent:.4f} USD spent before"
        assert f"0.0000 USD spent now; {kept}" in str(caught.value)
        more = Meter(self.prices, max_cost=0.4)
        with pytest.raises(BudgetStopError):
            JournaledChat(backend, journal, more).generate(many(50), Sampling())
        assert len(backend.asked) == 20
        assert (more.total_usd, more.cost_before_usd) == (0.4, spent)

    def test_what_follows_from_known_answers_counts_before_a_new_call(self, journal: Journal) -> None:
        """Whoever asks a second question about each answer: what those cost is known before anything new is asked."""

        def work(backend: Stream, meter: Meter) -> None:
            again: list[str] = []
            rows = iter(f"row {index}" for index in range(50))

            def feed() -> Iterator[Conversation]:
                while (text := again.pop(0) if again else next(rows, None)) is not None:
                    fed.append(text)
                    yield from asks(text)

            fed: list[str] = []
            for position, _ in JournaledChat(backend, journal, meter).stream(feed(), Sampling()):
                if fed[position].startswith("row"):
                    again.append(f"more of {fed[position]}")

        backend = Stream(width=2)
        for _ in range(3):
            with pytest.raises(BudgetStopError):
                work(backend, Meter(self.prices, max_cost=0.4))
            assert len(backend.asked) == 20
        assert any(text.startswith("more") for text in backend.asked)

    def test_an_answer_is_paid_once_however_often_it_is_used(self, journal: Journal) -> None:
        for before in (0.0, 0.04):
            meter = Meter(self.prices, max_cost=1.0)
            chat = JournaledChat(Stream(width=1), journal, meter)
            for _ in range(3):
                chat.generate(asks("a", "b", "a"), Sampling())
            assert (meter.cost_before_usd, meter.total_usd) == (before, 0.04)

    def test_alternately_known_and_new_ones_are_all_answered(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        JournaledChat(Stream(), journal).generate(many(120)[::2], Sampling())
        for ready in (3, 1000):
            monkeypatch.setattr(journal_module, "MOST_READY", ready)
            backend = Stream()
            answers = JournaledChat(backend, None if ready > 3 else journal, Meter()).generate(many(120), Sampling())
            assert [one.text for (one,) in answers] == [f"re: row {index}" for index in range(120)]
            assert len(backend.asked) == (120 if ready > 3 else 60)

    @pytest.mark.parametrize("max_cost", [None, 9.0])
    def test_one_new_one_before_many_known_ones_costs_no_time(self, journal: Journal, max_cost: float | None) -> None:
        JournaledChat(Stream(), journal).generate(many(300), Sampling())
        backend = Stream()
        JournaledChat(backend, journal, Meter(self.prices, max_cost)).generate(
            [*many(1), *asks("new"), *many(300)], Sampling()
        )
        assert backend.asked == ["new"]
        assert backend.streams <= 4

    def test_requests_without_a_reply_are_counted(self) -> None:
        meter = Meter()
        with ChatServer("four", schedule=at({0: SERVER_ERROR, 1: NO_CHOICES, 2: DROP, 3: too_many("0.01")})) as server:
            chat = open_chat(f"openai:tiny@{server.url}?concurrency=1&retry_wait=0.01&breaker_failures=99")
            JournaledChat(chat, None, meter).generate(many(2), Sampling())
        assert (meter.calls, meter.lost) == (2, 3), "a refusal costs nothing"
        assert "3 requests brought no reply, and what they cost is not known" in str(meter)

    @pytest.mark.parametrize("kind", [Batch, Stream])
    def test_it_stops_and_a_rerun_repeats_nothing(self, journal: Journal, kind: type[Batch]) -> None:
        backend, meter = kind(), Meter(self.prices, max_cost=1.0)
        with pytest.raises(BudgetStopError) as caught:
            JournaledChat(backend, journal, meter).generate(many(200), Sampling())
        assert caught.value.exit_code == 4
        assert "50 calls, 500 prompt and 250 completion tokens, 1.0000 USD" in str(caught.value)
        assert "--max-cost" in str(caught.value).splitlines()[-1]
        assert len(backend.asked) == 50
        more = Meter(self.prices, max_cost=10.0)
        answers = JournaledChat(backend, journal, more).generate(many(200), Sampling())
        assert len(answers) == 200
        assert max(Counter(backend.asked).values()) == 1
        assert (more.journaled, more.calls, more.cost_usd) == (50, 150, 3.0)

    def test_those_in_flight_are_handed_over_before_the_stop(self, journal: Journal) -> None:
        stream = JournaledChat(Stream(width=7), journal, Meter(self.prices, 0.1)).stream(many(50), Sampling())
        got = [next(stream)[0] for _ in range(7)]
        with pytest.raises(BudgetStopError):
            next(stream)
        assert sorted(got) == list(range(7))

    def test_nothing_is_asked_for_nothing(self, journal: Journal) -> None:
        backend = Stream()
        with pytest.raises(BudgetStopError):
            JournaledChat(backend, journal, Meter(self.prices, 0.0)).generate(many(3), Sampling())
        assert backend.asked == []

    def test_the_journal_is_free(self, journal: Journal) -> None:
        JournaledChat(Stream(), journal).generate(many(5), Sampling())
        meter = Meter(self.prices, 0.0)
        assert len(JournaledChat(Stream(), journal, meter).generate(many(5), Sampling())) == 5
        assert (meter.journaled, meter.calls, meter.cost_usd) == (5, 0, 0.0)

    def test_two_backends_share_one_budget(self) -> None:
        meter = Meter(self.prices, max_cost=0.1)
        JournaledChat(Stream(), None, meter).generate(many(3), Sampling())
        with pytest.raises(BudgetStopError):
            JournaledChat(Stream(width=1), None, meter).generate(many(3), Sampling())
        assert meter.calls == 5

    def test_estimated_tokens_are_said_to_be(self) -> None:
        meter = Meter()
        for usage in (True, False):
            with ChatServer("four", usage=usage) as server:
                JournaledChat(open_chat(f"openai:tiny@{server.url}"), None, meter).generate(many(3), Sampling())
        assert meter.estimated == 3
        assert "(3 requests estimated)" in str(meter)

    @given(st.permutations([(10, 3), (7, 11), (1, 1), (400, 2), (33, 77)]))
    def test_cost_depends_on_no_order(self, parts: list[tuple[int, int]]) -> None:
        meter = Meter(Prices(input_usd=0.15, output_usd=0.6))
        for prompt, completion in parts:
            meter.start()
            meter.finish([Completion("a", CompletionStatus.OK, "m", prompt, completion)])
        assert meter.cost_usd == Prices(input_usd=0.15, output_usd=0.6).cost(451, 94)
        assert meter.cost_usd == pytest.approx(0.00012405)

    def test_a_stage_gets_the_budget_with_or_without_a_journal(self, tmp_path: Path) -> None:
        script = tmp_path / "script.json"
        script.write_text('{"answers": [{"say": ["Hello there"]}]}', encoding="utf-8")
        for context in (Context(), Context(journal=tmp_path / "journal.sqlite")):
            meter = Meter(Prices(output_usd=1e6), max_cost=4.0)
            chat = context.chat(f"scripted:{script}", Inputs({}), meter)
            assert len(chat.generate(many(2), Sampling())) == 2
            with pytest.raises(BudgetStopError):
                chat.generate(many(5), Sampling(temperature=1.0))
