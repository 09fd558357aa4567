"""The journal under streaming, kills and damage."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from chat_server import Ask, ChatServer
from hypothesis import given, settings
from hypothesis import strategies as st
from journaling import Batch, Stream, asks, many, said

from sage_data.chat import (
    ChatBackend,
    Completion,
    CompletionStatus,
    Conversation,
    Sampling,
    StreamingChat,
    open_chat,
)
from sage_data.chat.meter import Meter, Prices
from sage_data.errors import BackendError, BudgetStopError, DamagedFileError, InputError, SchemaVersionError
from sage_data.store import journal as journal_module
from sage_data.store.journal import SCHEMA_VERSION, Journal, JournaledChat

KEPT = [one for one in CompletionStatus if one is not CompletionStatus.API_ERROR]


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

    @pytest.mark.parametrize("status", KEPT)
    def test_what_the_model_would_not_say_is_not_asked_again(
        self, journal: Journal, kind: type[Batch], status: CompletionStatus
    ) -> None:
        class Model(kind):  # type: ignore[misc, valid-type]
            def answer(self, conversation: Conversation) -> list[Completion]:
                super().answer(conversation)
                return [said("a part", status)]

        backend = Model()
        for _ in range(3):
            ((answer,),) = JournaledChat(backend, journal).generate(asks("a"), Sampling())
            assert answer == said("a part", status)
        assert backend.asked == ["a"]
        assert journal.failures() == ([] if answer.ok else [[answer]]), "they can still be reported"

    def test_one_candidate_with_an_error_has_all_asked_again(self, journal: Journal, kind: type[Batch]) -> None:
        class Model(kind):  # type: ignore[misc, valid-type]
            def answer(self, conversation: Conversation) -> list[Completion]:
                broken = CompletionStatus.OK if self.mended else CompletionStatus.API_ERROR
                super().answer(conversation)
                return [said("whole"), said("", broken)]

        backend = Model()
        for mended in (False, True, True):
            backend.mended = mended
            JournaledChat(backend, journal).generate(asks("a"), Sampling(), 2)
        assert backend.asked == ["a", "a"]

    def test_no_text_crashes_it(self, journal: Journal, kind: type[Batch]) -> None:
        backend = kind()
        backend.identity = "tiny-\udc80"
        texts = ["\ud800", "half \udfff", "\udfff\ud800", "\x00", "a"]
        for _ in range(2):
            answers = JournaledChat(backend, journal).generate(asks(*texts), Sampling(stop=("\ud800",)))
            assert [one.text for (one,) in answers] == [f"re: {text}" for text in texts]
        assert Counter(backend.asked) == Counter(texts)

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
        st.booleans(),
    )

    @settings(max_examples=20, deadline=None)
    @given(st.lists(completions, min_size=1, max_size=4))
    def test_answers_come_back_as_they_were(
        self, tmp_path_factory: pytest.TempPathFactory, call: list[Completion]
    ) -> None:
        path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
        journal = Journal(path)
        journal.put("fake", {"k": call})
        journal.close()
        again = Journal(path)
        broken = any(one.status is CompletionStatus.API_ERROR for one in call)
        assert again.get("k") == (None if broken else call)
        assert again.failures() == ([call] if broken or not any(one.ok for one in call) else [])
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
        # What older versions kept as a failure answers too, unless the backend was at fault.
        for key, status in (("cut", "truncated"), ("broken", "api_error")):
            packed = json.dumps([{"text": key, "status": status, "model": "m"}])
            raw.execute("INSERT INTO failures VALUES (?, 'fake', ?)", (key, packed))
        raw.commit()
        journal = Journal(path)
        assert journal.get("cut") == [Completion("cut", CompletionStatus.TRUNCATED, "m")]
        assert journal.get("broken") is None
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
        with ChatServer(lambda ask: "two words", delay_s=0.002) as server:
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
