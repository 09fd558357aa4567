"""The address of a model: what it may hold, what it stands for, and that no key gets out of it."""

import logging
import re
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from chat_server import SERVER_ERROR, UNAUTHORISED, ChatServer, Fault, always, at
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Conversation, Message, Sampling, open_chat
from sage_data.chat.openai.address import parse_address, public_name, read_key
from sage_data.chat.openai.redaction import LONGEST, Redactor
from sage_data.errors import BackendError, ConfigError
from sage_data.store.journal import Journal, JournaledChat

CANARY = "sk-canary-0123456789abcdefABCDEF"
URL = "http://127.0.0.1:8000/v1"


class TestAddress:
    def test_model_names_hold_slashes_and_colons(self) -> None:
        address = parse_address(f"org/model-7B:free@{URL},http://other:81/v1/?concurrency=3&timeout=0.5")
        assert address.model == "org/model-7B:free"
        assert address.urls == (URL, "http://other:81/v1")
        assert (address.options.concurrency, address.options.timeout) == (3, 0.5)

    def test_identity_is_what_changes_words(self) -> None:
        here = parse_address(f"tiny@{URL}?concurrency=3&key_env=MINE&requests_per_minute=5").identity
        there = parse_address("tiny@https://elsewhere/v1,http://more/v1").identity
        assert here == there == "tiny"
        assert parse_address(f"tiny@{URL}?top_p=0.5&guided=none").identity == "tiny?guided=none&top_p=0.5"

    def test_a_path_on_the_servers_disk_stays_private(self) -> None:
        identity = parse_address(f"/home/ann/models/tiny@{URL}").identity
        assert re.fullmatch(r"tiny~[0-9a-f]{12}", identity)
        assert parse_address(f"/home/bob/models/tiny@{URL}").identity != identity
        assert public_name("C:\\models\\tiny").startswith("tiny~")
        assert public_name("org/tiny:free") == "org/tiny:free"

    @pytest.mark.parametrize(
        ("rest", "said"),
        [
            ("tiny", "name or its URL is missing"),
            ("@http://a/v1", "name or its URL is missing"),
            ("tiny@", "name or its URL is missing"),
            ("tiny@ftp://a/v1", "expected a URL"),
            ("tiny@http://a:99999/v1", "expected a URL"),
            (f"tiny@{URL}?concurency=3", "did you mean 'concurrency'"),
            (f"tiny@{URL}?concurrency=0", "greater than or equal to 1"),
            (f"tiny@{URL}?timeout=1&timeout=2", "twice"),
            (f"tiny@{URL}?guided=yes", "guided"),
            (f"tiny@{URL},openai:other@{URL}", "second address behind a comma"),
            (f"tiny@{URL}, rubric:warm", "second address behind a comma"),
            (f"tiny@{URL}?omit=seed,messages", "omit"),
        ],
    )
    def test_what_is_wrong_is_said(self, rest: str, said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            parse_address(rest)

    @pytest.mark.parametrize(
        "rest",
        [
            f"tiny@{URL}?key={CANARY}",
            f"tiny@{URL}?api_key=short",
            f"tiny@{URL}?key_env={CANARY}",
            f"tiny@{URL}?timeout={CANARY}",
            f"tiny@{URL}?top_p=short",
            "tiny@http://me:short@host/v1",
            "http://me:short@host/v1",
            "tiny@http://short@host/v1",
            f"{CANARY}@{URL}",
            f"tiny@{URL}/{CANARY}",
        ],
    )
    def test_no_secret_is_taken_or_repeated(self, rest: str) -> None:
        with pytest.raises(ConfigError) as caught:
            open_chat(f"openai:{rest}")
        assert CANARY not in str(caught.value)
        assert "short" not in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__

    def test_a_mistyped_scheme_repeats_no_key(self) -> None:
        with pytest.raises(BackendError) as caught:
            open_chat(f"openia:tiny@{URL}?key={CANARY}")
        assert CANARY not in str(caught.value)

    def test_a_named_variable_must_be_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        monkeypatch.delenv("NO_SUCH_KEY", raising=False)
        assert read_key(parse_address(f"tiny@{URL}")) is None
        with pytest.raises(BackendError, match="NO_SUCH_KEY"):
            read_key(parse_address(f"tiny@{URL}?key_env=NO_SUCH_KEY"))
        monkeypatch.setenv("NO_SUCH_KEY", "two\nlines")
        with pytest.raises(BackendError, match="NO_SUCH_KEY") as caught:
            read_key(parse_address(f"tiny@{URL}?key_env=NO_SUCH_KEY"))
        assert "lines" not in str(caught.value)

    def test_the_package_is_light_to_import(self) -> None:
        code = "import sys, sage_data.chat.openai; sys.exit('openai' in sys.modules or 'stamina' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    @pytest.mark.parametrize(
        "package", ["openai", *(pytest.param(name, marks=pytest.mark.slow) for name in ("stamina", "aiolimiter"))]
    )
    def test_a_missing_package_names_its_extra(self, package: str) -> None:
        code = (
            f"import sys; sys.modules['{package}'] = None\n"
            "from sage_data.chat import open_chat\n"
            f"try: open_chat('openai:tiny@{URL}')\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        assert f"MissingDependencyError backend 'openai' needs the package '{package}'" in output
        assert "pip install 'sage-dialogue[llm]'" in output


class TestRedaction:
    @given(st.text(), st.text())
    def test_the_key_never_survives(self, before: str, after: str) -> None:
        key = "local-Key.77"
        assert key not in Redactor(key)(f"{before}{key}{after}")

    def test_foreign_keys_go_too_and_long_messages_are_cut(self) -> None:
        redact = Redactor(None)
        assert redact(f"Incorrect key {CANARY}\n given") == "Incorrect key [redacted] given"
        assert redact("Authorization: Bearer abcdefghijk") == "Authorization: [redacted]"
        assert len(redact("word " * 500)) <= LONGEST + 4
        assert redact("The model Qwen3-30B-A3B-Instruct-2507-FP8-dynamic is unknown").endswith("is unknown")


class TestWhereTheKeyGoes:
    @pytest.mark.parametrize(
        ("url", "sent"),
        [
            ("https://models.example/v1", True),
            ("http://localhost:8000/v1", True),
            ("http://LOCALHOST/v1", True),
            ("http://[::1]:8000/v1", True),
            (URL, True),
            ("http://models.example/v1", False),
            ("http://localhost.models.example/v1", False),
            ("http://127.0.0.1.models.example/v1", False),
            ("http://10.0.0.7:8000/v1", False),
        ],
    )
    def test_unnamed_it_stays_on_this_machine_or_goes_encrypted(self, url: str, sent: bool) -> None:
        assert parse_address(f"tiny@{url}").sends_key(url) is sent
        assert parse_address(f"tiny@{url}?key_env=MINE").sends_key(url)

    def test_a_server_that_wants_it_is_told_of(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("OPENAI_API_KEY", CANARY)
        found = socket.getaddrinfo

        def here(host: str | bytes, *args: Any, **kwargs: Any) -> Any:
            return found("127.0.0.1" if host in ("models.example", b"models.example") else host, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", here)
        with ChatServer(key=CANARY) as server:
            elsewhere = f"openai:tiny@http://models.example:{server.port}/v1"
            asked = [Conversation((Message("user", "a"),))]
            with pytest.raises(BackendError, match=r"no key was sent: .*key_env=NAME"):
                open_chat(elsewhere).generate(asked, Sampling())
            for uri in (f"{elsewhere}?key_env=OPENAI_API_KEY", f"openai:tiny@{server.url}"):
                assert open_chat(uri).generate(asked, Sampling())[0][0].ok
            assert [call.key for call in server.calls] == [None, CANARY, CANARY]


def echoing(fault: Fault) -> Fault:
    """A server that repeats the caller's key in its error."""
    return Fault(fault.name, fault.status, f'{{"error": {{"message": "bad key {CANARY} of Bearer {CANARY}"}}}}')


class TestCanary:
    @pytest.mark.parametrize("key", [CANARY, "it's a \\ key 9\"".replace(" ", "-")])
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("content", "Your key is KEY, word for word."),
            ("refusal", "KEY may not ask this"),
            ("finish_reason", "stopped for KEY"),
            ("model", "tiny-KEY"),
            ("fingerprint", "fp-KEY"),
            ("body", "<html>" + "x" * 60 + " KEY"),
            ("body", '{"error": {"message": "KEY", "code": "KEY", "type": "KEY"}}'),
        ],
    )
    def test_nothing_a_server_says_brings_it_back(
        self, monkeypatch: pytest.MonkeyPatch, key: str, name: str, words: str
    ) -> None:
        monkeypatch.setenv("CANARY_KEY", key)
        said = words.replace("KEY", key)
        with ChatServer("Hello") as server:
            if name in ("model", "fingerprint"):
                setattr(server, name, said)
            else:
                fault = Fault(name, body=said) if name == "body" else Fault(name, change=((name, said),))
                server.schedule = always(fault)
            chat = open_chat(f"openai:tiny@{server.url}?key_env=CANARY_KEY&attempts=1")
            ((answer,),) = chat.generate([Conversation((Message("user", "a"),))], Sampling())
        shown = "".join(str(value) for value in asdict(answer).values())
        assert key not in shown
        assert key[:8] not in shown
        assert "[redacted]" in shown

    @pytest.mark.parametrize("key", ["EMPTY", "none", "anything"])
    def test_a_placeholder_spoils_no_reply(self, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv("CANARY_KEY", key)
        with ChatServer(f"Say {key} again") as server:
            chat = open_chat(f"openai:tiny@{server.url}?key_env=CANARY_KEY")
            ((answer,),) = chat.generate([Conversation((Message("user", "a"),))], Sampling())
        assert answer.text == f"Say {key} again"

    def test_the_key_reaches_the_server_and_nothing_else(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("CANARY_KEY", CANARY)
        caplog.set_level(logging.DEBUG)
        asked = [Conversation((Message("user", text),)) for text in "abc"]
        schedule = at({0: echoing(SERVER_ERROR), 1: echoing(SERVER_ERROR)})
        with ChatServer(schedule=schedule, key=CANARY) as server:
            chat = open_chat(
                f"openai:tiny@{server.url}?key_env=CANARY_KEY&attempts=2&retry_wait=0.01&concurrency=1&breaker_failures=9"
            )
            journal = Journal(tmp_path / "journal.sqlite")
            answers = JournaledChat(chat, journal).generate(asked, Sampling())
            server.schedule = always(echoing(UNAUTHORISED))
            with pytest.raises(BackendError) as caught:
                chat.generate(asked, Sampling())
            assert {call.key for call in server.calls} == {CANARY}
        assert answers[0][0].error is not None
        assert "[redacted]" in answers[0][0].error
        seen = [repr(chat), chat.identity, repr(vars(chat)), repr(answers), str(caught.value), repr(caught.value)]
        error: BaseException | None = caught.value
        while error is not None:
            seen += [repr(vars(error)), repr(error)]
            error = error.__cause__ or error.__context__
        journal.close()
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        ours = [record.getMessage() for record in caplog.records]
        assert CANARY not in "".join([*seen, *ours])
        assert CANARY.encode() not in files
        assert b"[redacted]" in files
