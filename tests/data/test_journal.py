"""The journal under streaming, budgets, kills and damage."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from chat_server import Ask, ChatServer
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.chat import (
    ChatBackend,
    Completion,
    CompletionStatus,
    Conversation,
    Message,
    Sampling,
    StreamingChat,
    open_chat,
)
from sage_data.chat.meter import Meter, Prices
from sage_data.errors import BackendError, BudgetStopError, DamagedFileError, InputError, SchemaVersionError
from sage_data.inputs import Inputs
from sage_data.stage import Context
from sage_data.store import journal as journal_module
from sage_data.store.journal import SCHEMA_VERSION, Journal, JournaledChat


def asks(*texts: str) -> list[Conversation]:
    return [Conversation((Message("user", text),)) for text in texts]


def many(count: int) -> list[Conversation]:
    return asks(*(f"row {index}" for index in range(count)))


def said(text: str, status: CompletionStatus = CompletionStatus.OK) -> Completion:
    return Completion(text, status, "fake", prompt_tokens=10, completion_tokens=5)


class Batch:
    """A backend that answers whole batches; "bad" fails until it is mended."""

    identity = "fake"
    journaled = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.mended = False

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        return [self.answer(one) for one in conversations]

    def answer(self, conversation: Conversation) -> list[Completion]:
        text = conversation.messages[-1].content
        self.asked.append(text)
        bad = text == "bad" and not self.mended
        return [said("" if bad else f"re: {text}", CompletionStatus.API_ERROR if bad else CompletionStatus.OK)]


class Stream(Batch):
    """One that streams, `width` at a time, last in first out; dies after `dies_after` answers."""

    def __init__(self, width: int = 4, dies_after: int | None = None) -> None:
        super().__init__()
        self.width, self.left = width, dies_after
        self.most_behind = 0
        self.closed = False

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        source = enumerate(conversations)
        held: list[tuple[int, Conversation]] = []
        try:
            while True:
                while len(held) < self.width and (one := next(source, None)) is not None:
                    held.append(one)
                self.most_behind = max(self.most_behind, len(held))
                if not held:
                    return
                if self.left == 0:
                    raise BackendError("planted")
                self.left = None if self.left is None else self.left - 1
                position, conversation = held.pop()
                yield position, self.answer(conversation)
        finally:
            self.closed = True


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.mark.parametrize("kind", [Batch, Stream])
class TestAnswering:
    def test_order_and_reruns(self, journal: Journal, kind: type[Batch]) -> None:
        for expected in (7, 7, 9):
            backend = kind()
            answers = JournaledChat(backend, journal).generate(many(expected), Sampling())
            assert [one.text for (one,) in answers] == [f"re: row {index}" for index in range(expected)]
        assert backend.asked in (["row 7", "row 8"], ["row 8", "row 7"])

    def test_duplicates_are_asked_once(self, journal: Journal, kind: type[Batch]) -> None:
        backend = kind()
        texts = ["a", "bad", "a", "b", "bad", *(f"row {index}" for index in range(40)), "a", "bad"]
        answers = JournaledChat(backend, journal).generate(asks(*texts), Sampling())
        assert Counter(backend.asked) == Counter(set(texts))
        assert [one.text for (one,) in answers] == ["" if text == "bad" else f"re: {text}" for text in texts]

    def test_failures_stand_apart_until_they_are_answered(self, journal: Journal, kind: type[Batch]) -> None:
        backend = kind()
        for _ in range(3):
            JournaledChat(backend, journal).generate(asks("a", "bad"), Sampling())
        assert Counter(backend.asked) == {"a": 1, "bad": 3}
        assert [[one.status for one in call] for call in journal.failures()] == [[CompletionStatus.API_ERROR]]
        backend.mended = True
        ((answer,),) = JournaledChat(backend, journal).generate(asks("bad"), Sampling())
        assert answer.ok
        assert journal.failures() == []

    def test_another_sampling_is_another_call(self, journal: Journal, kind: type[Batch]) -> None:
        backend = kind()
        for sampling in (Sampling(), Sampling(temperature=1.0), Sampling(json_schema="{}"), Sampling()):
            JournaledChat(backend, journal).generate(asks("a"), sampling)
        assert len(backend.asked) == 3

    def test_nothing_asked_nothing_done(self, journal: Journal, kind: type[Batch]) -> None:
        assert JournaledChat(kind(), journal).generate([], Sampling()) == []


class TestStreaming:
    def test_every_answer_is_on_disk_before_it_is_handed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite"
        chat = JournaledChat(Stream(), Journal(path))
        assert isinstance(chat, StreamingChat)
        for handed, _ in enumerate(chat.stream(many(9), Sampling()), start=1):
            reader = sqlite3.connect(path)
            assert reader.execute("SELECT count(*) FROM calls").fetchone() == (handed,)
            reader.close()
        assert handed == 9

    def test_conversations_are_taken_lazily(self, journal: Journal) -> None:
        taken, backend = [], Stream(width=3)

        def feed() -> Iterator[Conversation]:
            for one in many(20):
                taken.append(one)
                yield one

        for handed, _ in enumerate(JournaledChat(backend, journal).stream(feed(), Sampling()), start=1):
            assert len(taken) <= handed + 3

    def test_many_known_answers_do_not_pile_up(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journal_module, "MOST_READY", 5)
        JournaledChat(Stream(), journal).generate(many(40), Sampling())
        taken = 0

        def feed() -> Iterator[Conversation]:
            nonlocal taken
            for one in [*asks("new"), *many(40), *asks("newer")]:
                taken += 1
                yield one

        backend = Stream()
        got = {}
        stream = JournaledChat(backend, journal).stream(feed(), Sampling())
        for handed, (position, (answer,)) in enumerate(stream, start=1):
            got[position] = answer.text
            assert taken - handed <= 5 + 4 + 1
        assert backend.asked == ["new", "newer"]
        assert [got[index] for index in range(42)] == ["re: new", *(f"re: row {i}" for i in range(40)), "re: newer"]

    def test_when_the_backend_dies_what_it_answered_is_kept(self, journal: Journal) -> None:
        with pytest.raises(BackendError, match="planted"):
            JournaledChat(Stream(dies_after=6), journal).generate(many(20), Sampling())
        backend = Stream()
        JournaledChat(backend, journal).generate(many(20), Sampling())
        assert len(backend.asked) == 14

    def test_closing_it_closes_the_backend_and_frees_the_budget(self, journal: Journal) -> None:
        backend, meter = Stream(), Meter()
        stream = JournaledChat(backend, journal, meter).stream(many(20), Sampling())
        next(stream)
        assert meter.open_calls > 0
        stream.close()  # type: ignore[attr-defined]
        assert backend.closed
        assert (meter.open_calls, meter.calls) == (0, 1)

    def test_a_backend_that_leaves_one_out_is_found_out(self, journal: Journal) -> None:
        class Forgetful(Stream):
            def stream(
                self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
            ) -> Iterator[tuple[int, list[Completion]]]:
                yield from list(super().stream(conversations, sampling, n))[1:]

        with pytest.raises(BackendError, match="1 conversations were left unanswered"):
            JournaledChat(Forgetful(), journal).generate(many(3), Sampling())


class TestBudget:
    prices = Prices(input_usd=1_000.0, output_usd=2_000.0)
    """A call of ten and five tokens costs 0.02 dollars."""

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


class TestFile:
    texts = st.text(st.characters(), max_size=20)
    completions = st.builds(
        Completion,
        texts,
        st.sampled_from(list(CompletionStatus)),
        texts,
        st.integers(0, 10**9),
        st.integers(0, 10**9),
        st.none() | texts,
        st.none() | st.floats(allow_nan=False),
        st.none() | texts,
    )

    @settings(max_examples=30)
    @given(st.lists(completions, min_size=1, max_size=4))
    def test_answers_come_back_as_they_were(
        self, tmp_path_factory: pytest.TempPathFactory, call: list[Completion]
    ) -> None:
        path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
        journal = Journal(path)
        journal.put("fake", {"k": call})
        journal.close()
        again = Journal(path)
        assert (again.get("k"), again.failures()) in ((call, []), (None, [call]))
        again.close()

    def test_a_foreign_file_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite"
        path.write_bytes(b"This is no database, whatever its name says." * 100)
        with pytest.raises(DamagedFileError, match=r"journal\.sqlite: expected a journal of calls"):
            Journal(path)
        assert path.read_bytes().startswith(b"This is no")

    def test_damaged_pages_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite"
        journal = Journal(path)
        journal.put("fake", {f"k{index}": [said("text " * 100)] for index in range(200)})
        journal.close()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DamagedFileError):  # noqa: PT012 - either opening or reading finds it
            damaged = Journal(path)
            for index in range(200):
                damaged.get(f"k{index}")

    def test_a_torn_last_record_is_dropped_and_redone(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite"
        program = (
            "import os, sys; from pathlib import Path\n"
            "from sage_data.store.journal import *\n"
            "from sage_data.chat import *\n"
            "journal = Journal(Path(sys.argv[1]))\n"
            "for key in ('a', 'b', 'c'):\n"
            "    journal.put('fake', {key: [Completion(key, CompletionStatus.OK, 'm')]})\n"
            "os.kill(os.getpid(), 9)\n"
        )
        subprocess.run([sys.executable, "-c", program, str(path)], check=False)
        log = path.with_name("journal.sqlite-wal")
        log.write_bytes(log.read_bytes()[:-1000])
        journal = Journal(path)
        assert [journal.get(key) is not None for key in "abc"] == [True, True, False]
        journal.put("fake", {"c": [said("again")]})
        assert journal.get("c") == [said("again")]
        journal.close()

    def test_an_unreadable_record_is_redone(self, tmp_path: Path, journal: Journal) -> None:
        journal.put("fake", {"a": [said("a")]})
        raw = sqlite3.connect(tmp_path / "journal.sqlite")
        raw.execute("UPDATE calls SET completions = substr(completions, 1, 30)")
        raw.commit()
        raw.close()
        assert journal.get("a") is None

    def test_newer_versions_are_refused_and_older_ones_read(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite"
        raw = sqlite3.connect(path)
        raw.execute("CREATE TABLE calls (key TEXT PRIMARY KEY, backend TEXT NOT NULL, completions TEXT NOT NULL)")
        packed = json.dumps([{"text": "old", "status": "ok", "model": "m"}])
        raw.execute("INSERT INTO calls VALUES ('k', 'fake', ?)", (packed,))
        raw.commit()
        journal = Journal(path)
        assert journal.get("k") == [Completion("old", CompletionStatus.OK, "m")]
        journal.close()
        assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        raw.close()
        with pytest.raises(SchemaVersionError, match=f"found version {SCHEMA_VERSION + 1}"):
            Journal(path)

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "journal.sqlite").mkdir()
        with pytest.raises(InputError, match=r"journal\.sqlite"):
            Journal(tmp_path / "journal.sqlite")


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.005)


class TestKill:
    program = (
        "import sys; from pathlib import Path\n"
        "from sage_data.chat import *\n"
        "from sage_data.store.journal import *\n"
        "chat = JournaledChat(open_chat(sys.argv[1]), Journal(Path(sys.argv[2])))\n"
        "rows = [Conversation((Message('user', f'row {index}'),)) for index in range(int(sys.argv[3]))]\n"
        "print([one.text for (one,) in chat.generate(rows, Sampling())])\n"
    )

    @pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
    def test_kill_9_loses_at_most_the_calls_in_flight(self, tmp_path: Path, kills: int) -> None:
        rows, concurrency, dice = 20 * (kills + 1), 4, random.Random(5)

        def start(server: ChatServer) -> "subprocess.Popen[str]":
            uri = f"openai:tiny@{server.url}?concurrency={concurrency}"
            command = [sys.executable, "-c", self.program, uri, str(tmp_path / "journal.sqlite"), str(rows)]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})

        def echo(ask: Ask) -> str:
            return f"re: {ask.last}"

        with ChatServer(echo, delay_s=0.02) as server:
            for _ in range(kills):
                process, upto = start(server), server.count + dice.randint(6, 18)
                wait_for(lambda upto=upto: server.count >= upto)  # type: ignore[misc]
                process.kill()
                assert process.wait() == -signal.SIGKILL
                if process.stdout is not None:
                    process.stdout.close()
            output, _ = start(server).communicate(timeout=60)
            asked = Counter(call.last for call in server.calls)
        assert output.strip() == str([f"re: row {index}" for index in range(rows)])
        assert len(asked) == rows
        assert server.count - rows <= concurrency * kills

    def test_no_finished_paid_call_is_asked_again_over_a_true_server(self, tmp_path: Path) -> None:
        with ChatServer(lambda ask: "two words", delay_s=0.01) as server:
            chat: ChatBackend = open_chat(f"openai:tiny@{server.url}?concurrency=4")
            journal = Journal(tmp_path / "journal.sqlite")
            # Two words in and two out: 4 dollars a call at a dollar a token.
            meter = Meter(Prices(input_usd=1e6, output_usd=1e6), max_cost=40.0)
            with pytest.raises(BudgetStopError):
                JournaledChat(chat, journal, meter).generate(many(100), Sampling())
            assert 10 <= server.count <= 10 + 4
            assert meter.calls == server.count
            JournaledChat(chat, journal, Meter()).generate(many(100), Sampling())
            assert server.count == 100
            journal.close()
