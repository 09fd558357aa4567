"""What goes out and how replies are read: sampling, JSON schemas, candidates, seeds, tokens, names."""

import json

import pytest
from chat_server import BAD_REQUEST, JSON_OBJECT, JSON_SCHEMA, PLAIN, Ask, ChatServer, Fault, at, when
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Conversation, Message, Sampling, Steering
from sage_data.chat.openai import open_openai
from sage_data.chat.openai.redaction import Redactor
from sage_data.chat.openai.replies import BrokenReplyError, read_reply
from sage_data.chat.openai.requests import Wanted, request_seed
from sage_data.errors import BackendError

SCHEMA = '{"type": "object", "properties": {"mood": {"type": "string"}}}'
HELLO = Conversation((Message("system", "Be kind."), Message("user", "Hello there")), seed=5)
WANTED = Wanted(HELLO, Sampling(), n=2)
PLAIN_TEXT = Redactor(None)


def drawn(ask: Ask) -> str:
    """As a server that follows seeds would: the same seed, the same words."""
    return f"{ask.body['seed']}+{ask.candidate}"


class TestRequest:
    def test_plain_defaults_send_nothing_special(self) -> None:
        with ChatServer() as server:
            open_openai(f"org/tiny@{server.url}").generate([HELLO], Sampling())
            (call,) = server.calls
        assert call.body == {
            "model": "org/tiny",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello there"}],
            "temperature": 0.0,
            "max_tokens": 128,
            "seed": request_seed(5, 0),
        }
        assert call.key is None

    def test_every_setting_has_its_name(self) -> None:
        sampling = Sampling(1.1, 100, 1.2, 7, ("\n", "END"))
        options = "max_tokens_name=max_completion_tokens&top_p=0.9&reasoning_effort=low&thinking=false"
        with ChatServer() as server:
            open_openai(f"tiny@{server.url}?{options}").generate([HELLO], sampling, n=3)
            body = dict(server.calls[0].body)
        assert {name: body[name] for name in body if name not in ("model", "messages", "seed")} == {
            "temperature": 1.1,
            "top_k": 100,
            "repetition_penalty": 1.2,
            "max_completion_tokens": 7,
            "stop": ["\n", "END"],
            "n": 3,
            "top_p": 0.9,
            "reasoning_effort": "low",
            "chat_template_kwargs": {"enable_thinking": False},
        }

    def test_what_a_server_refuses_can_be_left_out(self) -> None:
        with ChatServer() as server:
            chat = open_openai(f"tiny@{server.url}?omit=seed,temperature,top_k")
            chat.generate([HELLO], Sampling(1.1, 100, 1.2, 7, ("\n",)))
            assert set(server.calls[0].body) == {"model", "messages", "max_tokens", "stop", "repetition_penalty"}
        assert chat.identity == "tiny?omit=seed,temperature,top_k"

    def test_what_it_cannot_do_is_refused_before_any_call(self) -> None:
        steered = Sampling(steering=Steering({"a_emotion": {"calm": 2.0}}))
        with ChatServer() as server:
            chat = open_openai(f"tiny@{server.url}")
            for sampling in (steered, Sampling(json_schema="{nonsense"), Sampling(json_schema="[1]")):
                with pytest.raises(BackendError):
                    chat.generate([HELLO], sampling)
            with pytest.raises(BackendError, match="n=0"):
                chat.generate([HELLO], Sampling(), n=0)
            assert server.count == 0


class TestGuidedJson:
    @pytest.mark.parametrize(
        ("known", "asked"),
        [
            ((PLAIN, JSON_OBJECT, JSON_SCHEMA), [JSON_SCHEMA] * 3),
            ((PLAIN, JSON_OBJECT), [JSON_SCHEMA, *[JSON_OBJECT] * 3]),
            ((PLAIN,), [JSON_SCHEMA, JSON_OBJECT, *[PLAIN] * 3]),
        ],
    )
    def test_each_server_is_asked_for_what_it_can(self, known: tuple[str, ...], asked: list[str]) -> None:
        with ChatServer('{"mood": "fine"}', response_formats=known) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=1&attempts=1")
            for _ in range(3):
                ((answer,),) = chat.generate([HELLO], Sampling(json_schema=SCHEMA))
                assert answer.ok
            formats = [call.body.get("response_format", {"type": PLAIN}) for call in server.calls]
        assert [one["type"] for one in formats] == asked
        stated = formats[0]["json_schema"]
        assert stated == {"name": "reply", "schema": json.loads(SCHEMA), "strict": True}

    def test_two_servers_are_remembered_apart(self) -> None:
        with ChatServer(response_formats=(PLAIN,)) as poor, ChatServer() as rich:
            chat = open_openai(f"tiny@{poor.url},{rich.url}?concurrency=1")
            chat.generate([HELLO] * 8, Sampling(json_schema=SCHEMA))
            assert {call.body["response_format"]["type"] for call in rich.calls} == {JSON_SCHEMA}
            assert [call.body.get("response_format") for call in poor.calls][2:] == [None] * (poor.count - 2)

    def test_another_400_is_no_reason_to_ask_for_less(self) -> None:
        with ChatServer(schedule=when("Hello", BAD_REQUEST)) as server:
            with pytest.raises(BackendError, match="Unrecognized request argument"):
                open_openai(f"tiny@{server.url}").generate([HELLO], Sampling(json_schema=SCHEMA))
            assert server.count == 1

    def test_it_can_be_switched_off(self) -> None:
        with ChatServer() as server:
            open_openai(f"tiny@{server.url}?guided=none").generate([HELLO], Sampling(json_schema=SCHEMA))
            assert "response_format" not in server.calls[0].body


class TestCandidates:
    def test_a_server_that_ignores_n_is_asked_singly_with_other_seeds(self) -> None:
        with ChatServer(drawn, choices=1) as server:
            chat = open_openai(f"tiny@{server.url}?concurrency=4")
            (first,) = chat.generate([HELLO], Sampling(), n=4)
            assert server.count == 4
            (again,) = chat.generate([HELLO], Sampling(), n=4)
            assert server.count == 8
            assert "n" not in server.calls[-1].body, "that it ignores n is remembered"
        assert [one.text for one in first] == [f"{request_seed(5, candidate)}+0" for candidate in range(4)]
        assert again == first
        assert len({one.text for one in first}) == 4

    def test_a_server_that_refuses_n_is_asked_singly(self) -> None:
        refusal = Fault("n", 400, '{"error": {"message": "\'n\' : number must be at most 1", "param": "n"}}')
        with ChatServer(drawn) as server:
            server.schedule = lambda number, body: refusal if "n" in body else None
            (answers,) = open_openai(f"tiny@{server.url}").generate([HELLO], Sampling(), n=3)
            assert server.count == 4
        assert [one.ok for one in answers] == [True] * 3

    def test_a_missing_candidate_is_an_error_not_an_answer(self) -> None:
        with ChatServer(drawn, choices=1, schedule=at({1: Fault("broken", body="<html>")})) as server:
            (answers,) = open_openai(f"tiny@{server.url}?attempts=1&concurrency=1").generate([HELLO], Sampling(), n=2)
        assert [one.ok for one in answers] == [True, False]

    def test_more_than_n_are_cut(self) -> None:
        body = json.dumps({"choices": [{"message": {"content": str(index)}} for index in range(5)]})
        assert [one.text for one in read_reply(body, WANTED, "m", PLAIN_TEXT).completions] == ["0", "1"]

    def test_a_candidate_depends_on_its_seed_and_place_alone(self) -> None:
        others = [Conversation((Message("user", "Else"),), seed=9), HELLO]
        with ChatServer(drawn) as server:
            chat = open_openai(f"tiny@{server.url}")
            alone, among = chat.generate([HELLO], Sampling(), n=2)[0], chat.generate(others, Sampling(), n=2)[1]
        assert alone == among

    @given(st.integers(0, 2**63 - 1), st.integers(0, 64))
    def test_seeds_fit_every_server(self, seed: int, candidate: int) -> None:
        assert 0 <= request_seed(seed, candidate) < 2**31
        assert request_seed(seed, candidate) != request_seed(seed, candidate + 1)


class TestReading:
    def test_tokens_are_counted_once_and_add_up(self) -> None:
        with ChatServer(lambda ask: "word " * (ask.candidate + 1)) as server:
            (answers,) = open_openai(f"tiny@{server.url}").generate([HELLO], Sampling(), n=3)
        assert [one.prompt_tokens for one in answers] == [4, 0, 0]
        assert sum(one.completion_tokens for one in answers) == 1 + 2 + 3
        assert all(one.completion_tokens for one in answers)

    def test_without_usage_tokens_are_estimated_and_that_is_said(self) -> None:
        with ChatServer("four", usage=False) as server:
            chat = open_openai(f"tiny@{server.url}")
            assert chat.estimated_calls == 0
            ((answer,),) = chat.generate([HELLO], Sampling())
            assert chat.estimated_calls == 1
        # "Be kind." and "Hello there": 2 + 3 of 4 bytes each, and 4 for each message's frame.
        assert (answer.prompt_tokens, answer.completion_tokens) == (13, 1)

    def test_the_server_says_which_model_spoke(self) -> None:
        with ChatServer(model="tiny-2026-11", fingerprint="fp_7") as server:
            ((answer,),) = open_openai(f"tiny@{server.url}").generate([HELLO], Sampling())
        assert answer.model == "tiny-2026-11@fp_7"
        nameless = read_reply('{"choices": [{"message": {"content": "a"}}]}', WANTED, "tiny", PLAIN_TEXT)
        assert nameless.completions[0].model == "tiny"

    def test_estimated_tokens_are_marked(self) -> None:
        for usage in (True, False):
            with ChatServer(usage=usage) as server:
                (answers,) = open_openai(f"tiny@{server.url}").generate([HELLO], Sampling(), n=2)
            assert [one.tokens_estimated for one in answers] == [not usage] * 2

    def test_candidates_stand_in_the_order_of_their_index(self) -> None:
        def choice(index: object) -> dict[str, object]:
            return {"index": index, "message": {"content": f"{index}"}, "finish_reason": "stop"}

        for indices, texts in (([1, 0], ["0", "1"]), ([None, 0], ["None", "0"]), ([True, 0], ["True", "0"])):
            body = json.dumps({"choices": [choice(index) for index in indices]})
            assert [one.text for one in read_reply(body, WANTED, "m", PLAIN_TEXT).completions] == texts

    def test_numbers_of_any_length_are_read(self) -> None:
        digits = "1" * 5000
        body = f"""{{"created": {digits}, "usage": {{"prompt_tokens": {digits}, "completion_tokens": 1}},
            "choices": [{{"index": 0, "message": {{"content": "a"}}, "finish_reason": "stop"}}]}}"""
        reply = read_reply(body, WANTED, "m", PLAIN_TEXT)
        assert reply.completions[0].ok
        assert reply.estimated

    @pytest.mark.parametrize(
        ("sent", "read"), [("\\ud83d\\ude00", "😀"), ("a\\ud83d b", "a\ufffd b"), ("\\udc00\\ud800", "\ufffd\ufffd")]
    )
    def test_half_a_surrogate_becomes_writable(self, sent: str, read: str) -> None:
        body = f'{{"choices": [{{"message": {{"content": "{sent}"}}, "finish_reason": "{sent}"}}]}}'
        (answer,) = read_reply(body, WANTED, "m", PLAIN_TEXT).completions
        assert (answer.text, answer.finish_reason) == (read, read)

    def test_text_in_parts_is_joined_and_unicode_survives(self) -> None:
        parts = [{"type": "text", "text": "Grüße "}, {"type": "image"}, {"type": "text", "text": "\u2028🎈"}]
        body = json.dumps({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
        assert read_reply(body, WANTED, "m", PLAIN_TEXT).completions[0].text == "Grüße \u2028🎈"

    @given(st.text())
    def test_no_text_crashes_the_reader(self, body: str) -> None:
        with pytest.raises(BrokenReplyError):
            read_reply(body, WANTED, "m", PLAIN_TEXT)

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
    choices = st.fixed_dictionaries(
        {},
        optional={
            "message": st.fixed_dictionaries({}, optional={"content": json_values, "refusal": json_values})
            | json_values,
            "finish_reason": json_values | st.sampled_from(["stop", "length", "content_filter"]),
        },
    )

    @given(st.lists(choices, max_size=3), json_values, json_values)
    def test_no_answer_of_the_wrong_shape_crashes_it_or_is_ok_without_text(
        self, choices: list[object], usage: object, model: object
    ) -> None:
        body = json.dumps({"choices": choices, "usage": usage, "model": model})
        try:
            reply = read_reply(body, WANTED, "m", PLAIN_TEXT)
        except BrokenReplyError:
            return
        assert 1 <= len(reply.completions) <= 2
        for one in reply.completions:
            assert one.text.strip() or not one.ok
            assert (one.error is None) == one.ok
