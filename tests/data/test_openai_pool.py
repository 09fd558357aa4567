"""Several servers, slots, laziness and ends: who takes the next call, and what is left at the end."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from chat_server import DROP, HANG, UNAVAILABLE, Ask, ChatServer, always, first, shares, too_many

from sage_data.chat import Conversation, Message, Sampling, StreamingChat, open_chat
from sage_data.chat.openai import open_openai
from sage_data.errors import BackendError

QUICK = "retry_wait=0.01&retry_wait_max=0.1"


def asks(count: int) -> list[Conversation]:
    return [Conversation((Message("user", f"row {index}"),), seed=index) for index in range(count)]


def echo(ask: Ask) -> str:
    return ask.last


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.01)


class TestBalance:
    def test_two_servers_share_the_work(self) -> None:
        with ChatServer(echo, delay_s=0.02) as one, ChatServer(echo, delay_s=0.02) as two:
            chat = open_openai(f"tiny@{one.url},{two.url}?concurrency=8")
            answers = chat.generate(asks(60), Sampling())
            assert all(answer.ok for (answer,) in answers)
            assert one.count + two.count == 60
            assert abs(one.count - two.count) <= 12
            assert max(one.most_at_once, two.most_at_once) <= 5

    @pytest.mark.slow
    def test_the_quicker_one_does_more(self) -> None:
        with ChatServer(echo, delay_s=0.01) as quick, ChatServer(echo, delay_s=0.1) as slow:
            open_openai(f"tiny@{quick.url},{slow.url}?concurrency=4").generate(asks(60), Sampling())
            assert quick.count > 2 * slow.count

    def test_one_dies_in_mid_run_and_no_row_is_lost(self) -> None:
        with ChatServer(echo, delay_s=0.02) as one, ChatServer(echo, delay_s=0.02) as two:
            chat = open_openai(f"tiny@{one.url},{two.url}?concurrency=8&breaker_failures=3&{QUICK}&breaker_wait=60")
            got = {}
            for position, (answer,) in chat.stream(asks(120), Sampling()):
                got[position] = answer
                if len(got) == 40:
                    two.stop()
            assert [got[index].text for index in range(120)] == [f"row {index}" for index in range(120)]
            assert two.count < 60

    def test_a_dead_one_is_left_alone_and_found_again(self) -> None:
        with ChatServer(echo) as good, ChatServer(echo, schedule=first(3, DROP)) as bad:
            options = "concurrency=1&breaker_failures=3&breaker_wait=0.2&retry_wait=0&attempts=20"
            chat = open_openai(f"tiny@{good.url},{bad.url}?{options}")
            chat.generate(asks(12), Sampling())
            assert bad.count == 3, "three failures in a row open its breaker"
            time.sleep(0.25)
            chat.generate(asks(8), Sampling())
            assert bad.count >= 5, "one trial went well, so it takes its share again"

    def test_a_resting_one_is_passed_over(self) -> None:
        with ChatServer(echo) as good, ChatServer(echo, schedule=always(too_many("30"))) as busy:
            chat = open_openai(f"tiny@{good.url},{busy.url}?concurrency=2&{QUICK}")
            began = time.monotonic()
            assert all(answer.ok for (answer,) in chat.generate(asks(20), Sampling()))
            assert time.monotonic() - began < 5
            assert busy.count <= 2


class TestLoop:
    def test_a_loop_that_cannot_start_is_an_error_and_may_start_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full() -> NoReturn:
            raise OSError(24, "Too many open files")

        with ChatServer(echo) as server:
            chat = open_openai(f"tiny@{server.url}")
            with monkeypatch.context() as patched:
                patched.setattr(asyncio, "new_event_loop", full)
                for _ in range(2):
                    with pytest.raises(BackendError, match=r"cannot start: .*Too many open files"):
                        chat.generate(asks(1), Sampling())
            assert chat.generate(asks(1), Sampling())[0][0].ok
            chat.close()

    def test_a_thread_that_cannot_start_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(thread: threading.Thread) -> NoReturn:
            raise RuntimeError("can't start new thread")

        chat = open_openai("tiny@http://127.0.0.1:9/v1")
        monkeypatch.setattr(threading.Thread, "start", full)
        with pytest.raises(BackendError, match="cannot start: can't start new thread"):
            chat.generate(asks(1), Sampling())

    def test_a_stream_collected_on_the_loops_own_thread_does_not_wait_for_itself(self) -> None:
        with ChatServer(echo, schedule=lambda number, body: HANG if number else None) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4")
            stream = chat.stream(asks(9), Sampling())
            next(stream)
            wait_for(lambda: server.now >= 3)
            took: list[float] = []

            def collect() -> None:
                began = time.monotonic()
                stream.close()  # type: ignore[attr-defined]
                took.append(time.monotonic() - began)

            chat._engine.background.loop().call_soon_threadsafe(collect)
            wait_for(lambda: took and server.now == 0)
            assert took[0] < 0.5
            chat.close()


class TestOutage:
    def test_nobody_there_ends_the_work_with_the_cause(self) -> None:
        began = time.monotonic()
        chat = open_chat(f"openai:tiny@http://127.0.0.1:9/v1?{QUICK}&breaker_wait=0.1&outage_at_start=0.2&attempts=99")
        with pytest.raises(BackendError) as caught:
            chat.generate(asks(50), Sampling())
        assert 0.2 <= time.monotonic() - began < 5
        last = str(caught.value).splitlines()[-1]
        assert "http://127.0.0.1:9/v1: connection lost" in last
        assert "check that the server runs" in last

    @pytest.mark.slow
    def test_a_short_outage_is_sat_out(self) -> None:
        with ChatServer(echo, schedule=first(30, DROP)) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4&attempts=50&{QUICK}&breaker_wait=0.02")
            assert all(answer.ok for (answer,) in chat.generate(asks(10), Sampling()))


class TestAdaptation:
    @pytest.mark.slow
    def test_open_calls_follow_what_the_server_bears(self) -> None:
        """A server that refuses whatever comes on top of four calls: the client stops running into it."""
        with ChatServer(echo, delay_s=0.02) as server:
            server.schedule = lambda number, body: UNAVAILABLE if server.now > 4 else None
            chat = open_openai(f"tiny@{server.url}?concurrency=32&attempts=60&{QUICK}&breaker_failures=99")
            answers = chat.generate(asks(200), Sampling())
            assert all(answer.ok for (answer,) in answers)
            refused = [call.number for call in server.calls if call.fault]
        late = [number for number in refused if number >= server.count // 2]
        assert len(late) < 0.4 * (server.count - server.count // 2)
        assert server.count < 400

    def test_concurrency_is_never_passed_and_is_used(self) -> None:
        with ChatServer(echo, delay_s=0.03) as one, ChatServer(echo, delay_s=0.03) as two:
            chat = open_openai(f"tiny@{one.url},{two.url}?concurrency=6")
            chat.generate(asks(40), Sampling(), n=1)
            assert 5 <= one.most_at_once + two.most_at_once <= 8
            assert max(one.most_at_once, two.most_at_once) <= 6


class TestStream:
    def test_conversations_are_taken_as_slots_become_free(self) -> None:
        taken = []

        def feed() -> Iterator[Conversation]:
            for one in asks(30):
                taken.append(one)
                yield one

        with ChatServer(echo, delay_s=0.01) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4")
            assert isinstance(chat, StreamingChat)
            handed = 0
            for _ in chat.stream(feed(), Sampling()):
                handed += 1
                assert len(taken) - handed <= 4
        assert handed == 30

    def test_answers_come_in_the_order_in_which_they_finish(self) -> None:
        def lag(ask: Ask) -> str:
            time.sleep(0)
            return ask.last

        with ChatServer(lag) as server:
            from chat_server import slow, when

            server.schedule = when("row 0", slow(0.1))
            positions = [position for position, _ in open_openai(f"tiny@{server.url}").stream(asks(5), Sampling())]
        assert sorted(positions) == [0, 1, 2, 3, 4]
        assert positions[-1] == 0

    def test_closing_it_ends_the_calls_in_flight(self) -> None:
        with ChatServer(echo, schedule=lambda number, body: HANG if number else None) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4")
            before = set(threading.enumerate())
            stream = chat.stream(asks(9), Sampling())
            assert next(stream)[0] == 0
            wait_for(lambda: server.now >= 3)
            began = time.monotonic()
            stream.close()  # type: ignore[attr-defined]
            wait_for(lambda: server.now == 0)
            assert time.monotonic() - began < 2
            server.schedule = lambda number, body: None
            assert chat.generate(asks(1), Sampling())[0][0].ok, "it can still be used"
            chat.close()
            assert not [one for one in set(threading.enumerate()) - before if one.name == "chat"]
            with pytest.raises(BackendError, match="closed"):
                chat.generate(asks(1), Sampling())

    def test_closing_it_from_elsewhere_ends_a_waiting_stream(self) -> None:
        with ChatServer(echo, schedule=always(HANG)) as server:
            chat = open_openai(f"tiny@{server.url}")

            def close() -> None:
                wait_for(lambda: server.now == 3)
                chat.close()

            closing = threading.Thread(target=close)
            closing.start()
            with pytest.raises(BackendError, match="closed while calls were open"):
                chat.generate(asks(3), Sampling())
            closing.join(10)
            wait_for(lambda: server.now == 0)

    def test_single_calls_keep_one_connection_and_thread(self) -> None:
        with ChatServer(echo) as server:
            chat = open_openai(f"tiny@{server.url}")
            chat.generate(asks(1), Sampling())
            threads = threading.active_count()
            for _ in range(30):
                chat.generate(asks(1), Sampling())
            assert server.connections == 1
            assert threading.active_count() == threads
            chat.close()
            chat.close()

    def test_an_error_of_the_feed_comes_through_and_ends_the_calls(self) -> None:
        def feed() -> Iterator[Conversation]:
            yield from asks(2)
            raise ValueError("planted")

        with ChatServer(echo, schedule=always(HANG)) as server:
            with pytest.raises(ValueError, match="planted"):
                list(open_openai(f"tiny@{server.url}").stream(feed(), Sampling()))
            wait_for(lambda: server.now == 0)

    def test_two_threads_may_use_it_at_once(self) -> None:
        with ChatServer(echo, schedule=shares({DROP: 0.2}, seed=1)) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4&{QUICK}&attempts=30&breaker_failures=50")
            texts: list[list[str]] = []

            def work() -> None:
                texts.append([one.text for (one,) in chat.generate(asks(20), Sampling())])

            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            assert texts == [[f"row {index}" for index in range(20)]] * 2
            assert server.most_at_once <= 4

    def test_no_conversation_needs_no_server(self) -> None:
        assert open_openai("tiny@http://127.0.0.1:9/v1").generate([], Sampling()) == []


def test_a_name_lookup_that_hangs_holds_up_no_exit() -> None:
    program = (
        "import socket, sys, time\n"
        "def hang(*args, **kwargs):\n"
        "    print('looking', flush=True)\n"
        "    time.sleep(30)\n"
        "socket.getaddrinfo = hang\n"
        "from sage_data.chat import *\n"
        "chat = open_chat('openai:tiny@http://nowhere.example:9/v1')\n"
        "try:\n"
        "    chat.generate([Conversation((Message('user', 'a'),))], Sampling())\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    given = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", program], env=given, text=True, **pipes)  # type: ignore[call-overload]
    assert process.stdout.readline() == "looking\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_a_process_with_hanging_calls_soon(tmp_path: Path, sent: signal.Signals) -> None:
    program = (
        "import signal, sys\n"
        "from sage_data.chat import *\n"
        "def end(*_): raise SystemExit(143)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "chat = open_chat(sys.argv[1])\n"
        "try:\n"
        "    chat.generate([Conversation((Message('user', str(i)),)) for i in range(50)], Sampling())\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    with ChatServer(echo, schedule=always(HANG)) as server:
        command = [sys.executable, "-c", program, f"openai:tiny@{server.url}?concurrency=4"]
        process = subprocess.Popen(command, env={**os.environ}, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: server.now == 4, 30)
        began = time.monotonic()
        process.send_signal(sent)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent], errors
        assert time.monotonic() - began < 3
        assert errors == ""
        wait_for(lambda: server.now == 0)
