"""Word problems inside a chat: generated answers are right, the protocol is kept, failures are never wrong answers."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from chat_server import SERVER_ERROR, ChatServer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sage_data.errors import BudgetStopError, InputError
from sage_data.stage import Context, run_stage
from sage_data.store.shards import read_table
from sage_eval.maths import Config as MathsConfig
from sage_eval.maths.numbers import numbers
from sage_eval.maths.problems import OPENINGS, TEMPLATES, in_blocks, problems, read_gsm8k
from sage_eval.maths.talking import NUDGE, talk
from sage_eval.states import Config as StatesConfig
from sage_eval.stats.signs import wilson_interval

STAGE = "sage_eval.maths"


# -- problems ---------------------------------------------------------------------------------------------------------


def worked_out(kind: str, question: str) -> int:
    """The answer by the question's words, without the templates."""
    figures = [int(one) for one in re.findall(r"\d+", question)]
    match kind:
        case "add":
            return sum(figures)
        case "take":
            had, *gone = figures
            return had - sum(gone)
        case "times":
            boxes, each = figures
            return boxes * each
        case "share":
            things, friends = figures
            assert things % friends == 0
            return things // friends
        case "change":
            packs, price, paid = figures
            assert paid > packs * price
            return paid - packs * price
        case "trip":
            hours, speed, miles = figures
            return hours * speed + miles
        case "percent":
            price, percent = figures
            assert price * percent % 100 == 0
            return price * (100 - percent) // 100
        case "double":
            first, more = figures
            return first + 2 * first + more
    raise AssertionError(kind)


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_generated_answers_are_right_and_do_not_stand_in_the_question(seed):
    for one in problems(seed, 2 * len(TEMPLATES)):
        assert one.answer == worked_out(one.kind, one.question)
        assert one.answer >= 2
        assert not one.answer_in_question
        assert one.question in one.ask
        assert numbers(one.opening) == []


def test_problems_depend_on_seed_and_number_alone():
    assert problems(7, 5) == problems(7, 50)[:5]
    assert problems(7, 5) != problems(8, 5)
    assert [one.kind for one in problems(7, len(TEMPLATES) + 1)] == [*TEMPLATES, next(iter(TEMPLATES))]
    assert len({one.question for one in problems(7, 200)}) > 190


def test_small_talk_holds_no_number():
    assert [numbers(one) for one in OPENINGS] == [[]] * len(OPENINGS)


def gsm8k(path: Path, *pairs: tuple[str, str]) -> Path:
    path.write_text("".join(json.dumps({"question": q, "answer": a}) + "\n" for q, a in pairs), encoding="utf-8")
    return path


def test_gsm8k_is_read(tmp_path):
    path = gsm8k(
        tmp_path / "test.jsonl",
        ("A pan holds 4 eggs. How many do 3 pans hold? ", "3 pans hold 3*4=<<3*4=12>>12 eggs.\n#### 12"),
        ("How much is it?", "It is #### no.\nIt is $1,200\n#### 1,200"),
        ("Half of 5?", "#### 2.5"),
        ("What is 3 + 0?", "#### 3"),
    )
    found = read_gsm8k(path, seed=1)
    assert [(one.answer, one.kind, one.answer_in_question) for one in found] == [
        (Decimal(12), "gsm8k", False),
        (Decimal(1200), "gsm8k", False),
        (Decimal("2.5"), "gsm8k", False),
        (Decimal(3), "gsm8k", True),
    ]
    assert found[0].question.endswith("hold?")
    assert read_gsm8k(path, seed=1, limit=2) == found[:2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: expected"),
        ('{"question": "x"}', "line 2: expected"),
        ('{"question": "x", "answer": 5}', "line 2: expected"),
        ('{"question": "x", "answer": "5"}', "line 2: expected an answer that ends in ####"),
        ('{"question": "x", "answer": "#### 5 or 6"}', "line 2: expected an answer that ends in ####"),
        ('{"question": "x", "answer": "#### five and a half"}', None),
    ],
)
def test_lines_of_another_shape_are_named(tmp_path, line, said):
    path = tmp_path / "t.jsonl"
    path.write_text(f'{{"question": "x", "answer": "#### 5"}}\n{line}\n', encoding="utf-8")
    if said is None:
        assert read_gsm8k(path, seed=0)[1].answer == 5
        return
    with pytest.raises(InputError, match=said):
        read_gsm8k(path, seed=0)


def test_no_problems_at_all_are_refused(tmp_path):
    (tmp_path / "t.jsonl").write_text("\n\n", encoding="utf-8")
    with pytest.raises(InputError, match="found none"):
        read_gsm8k(tmp_path / "t.jsonl", seed=0)
    with pytest.raises(InputError, match="cannot be read"):
        read_gsm8k(tmp_path / "nowhere.jsonl", seed=0)


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_blocks_hold_everything_once_and_in_order(listed, size):
    blocks = in_blocks(listed, size)
    assert [one for block in blocks for one in block] == listed
    assert all(len(block) <= size for block in blocks)


# -- the stage --------------------------------------------------------------------------------------------------------

PAIRS = (
    ("Right answer to the right question?", "#### 12"),
    ("Wrong answer?", "#### 12"),
    ("Right among others?", "#### 12"),
    ("No number, then right?", "#### 12"),
    ("No number, then none?", "#### 12"),
    ("No number, then failed?", "#### 12"),
    ("Failed?", "#### 12"),
)
TAGGED = "{u_motivation: asking, u_emotion: tired} {a_motivation: helping, a_emotion: kind} "


def last(text: str, say: str | None, messages: int | None = None, **more: str) -> dict[str, object]:
    when = {"contains": text} | ({} if messages is None else {"messages": messages})
    return {"when": when, **({} if say is None else {"say": [say]}), **more}


@pytest.fixture
def world(tmp_path):
    """Seven problems; the third message of a talk is the question, the fifth the nudge."""
    answers = [
        {"when": {"messages": 1}, "say": ["Oh, tell me more!"]},
        last("Right answer", "It is 3 * 4 = 12."),
        last("Wrong answer", "It is 13."),
        last("Right among", "12, or was it 11?"),
        last("then right", "Hm, hard."),
        last("then none", "No idea :("),
        last("then failed", "Let me think."),
        last("Failed", None, status="api_error", error="busy"),
    ]
    return {"path": tmp_path, "answers": answers, "problems": gsm8k(tmp_path / "p.jsonl", *PAIRS)}


def run(world, final, *nudged, context=None, **config):
    script = world["path"] / "agent.json"
    answers = [*[last(NUDGE, *one[:1], **(one[1] if len(one) > 1 else {})) for one in nudged], *world["answers"]]
    script.write_text(json.dumps({"model": "fake", "answers": answers}), encoding="utf-8")
    given = {"agent_uri": f"scripted:{script}", "block": 3, **config}
    extra = {} if context is None else {"context": context}
    manifest = run_stage(STAGE, given, {"problems": [world["problems"]]}, final, **extra)
    return manifest, read_table(final, "maths_answers").to_pylist(), read_table(final, "maths_rates").to_pylist()


def test_replies_are_read_and_nudged_only_when_they_hold_no_number(world):
    manifest, rows, _ = run(world, world["path"] / "out", ("Twelve!",))
    found = [(row["problem_id"][-1], row["attempt"], row["asked"], row["outcome"], row["last_right"]) for row in rows]
    assert sorted(found) == [
        ("1", 0, "question", "answered", True),
        ("2", 0, "question", "answered", False),
        ("3", 0, "question", "answered", False),
        ("4", 0, "question", "no_number", False),
        ("4", 1, "nudge", "answered", True),
        ("5", 0, "question", "no_number", False),
        ("5", 1, "nudge", "answered", True),
        ("6", 0, "question", "no_number", False),
        ("6", 1, "nudge", "answered", True),
        ("7", 0, "question", "failed", None),
    ]
    third = next(row for row in rows if row["problem_id"].endswith("3"))
    assert (third["numbers"], third["any_right"]) == (["12", "11"], True)
    assert [(one.came_in, one.kept, one.dropped) for one in manifest.counts if one.unit == "problems"] == [
        (7, 6, {"failed": 1})
    ]
    assert any("1 replies failed" in warning for warning in manifest.warnings)
    assert manifest.models["agent"].startswith("fake@")


def by_hand(rates):
    return {
        (row["after"], row["rule"]): (row["problems"], row["failed"], row["no_number"], row["n"], row["solved"])
        for row in rates
    }


def test_rates_by_hand(world):
    _, _, rates = run(world, world["path"] / "out", ("Twelve!",))
    # One failed; of six, the first is right by its last number and the third by any; three say no number at first.
    assert by_hand(rates) == {
        ("question", "last"): (7, 1, 3, 6, 1),
        ("question", "any"): (7, 1, 3, 6, 2),
        ("nudges", "last"): (7, 1, 0, 6, 4),
        ("nudges", "any"): (7, 1, 0, 6, 5),
    }
    row = rates[0]
    interval = wilson_interval(1, 6)
    assert (row["rate"], row["low"], row["high"]) == (pytest.approx(1 / 6), interval.low, interval.high)
    assert (row["worst"], row["best"]) == (pytest.approx(1 / 7), pytest.approx(2 / 7))


def test_a_nudge_that_fails_leaves_the_reply_there_was(world):
    _, rows, rates = run(world, world["path"] / "out", (None, {"status": "api_error", "error": "busy"}))
    assert [row["outcome"] for row in rows if row["attempt"] == 1] == ["failed"] * 3
    assert by_hand(rates)["nudges", "last"] == (7, 1, 3, 6, 1)


def test_nudges_go_on_until_a_number_and_no_longer_than_asked(world):
    none = run(world, world["path"] / "0", ("Well.",), nudges=0)[1]
    many = run(world, world["path"] / "3", ("Well.",), nudges=3)[1]
    assert max(row["attempt"] for row in none) == 0
    assert sorted(row["attempt"] for row in many if row["problem_id"].endswith("4")) == [0, 1, 2, 3]


def test_a_failed_opening_is_a_failed_problem(world):
    world["answers"][0] = {"when": {"messages": 1}, "status": "refused", "error": "no"}
    manifest, rows, rates = run(world, world["path"] / "out")
    assert {(row["asked"], row["outcome"]) for row in rows} == {("opening", "failed")}
    assert (rates[0]["n"], rates[0]["rate"], rates[0]["worst"], rates[0]["best"]) == (0, None, 0.0, 1.0)
    assert manifest.failures == ["the agent answered none of 7 problems: no"]


def test_tags_are_taken_off_and_kept(world):
    world["answers"][1] = last("Right answer", TAGGED + "12 it is.")
    _, rows, _ = run(world, world["path"] / "out", ("12",), slots=["motivation", "emotion"])
    first = next(row for row in rows if row["problem_id"].endswith("1"))
    assert (first["reply"], first["a_motivation"], first["u_emotion"], first["tags"]) == (
        "12 it is.",
        "helping",
        "tired",
        "well_formed",
    )
    assert (
        "Most frequent motivations of the first replies: helping 1" in (world["path"] / "out/summary.txt").read_text()
    )


def test_the_same_call_gives_the_same_bytes_and_a_summary(world):
    first = run(world, world["path"] / "1", ("Twelve!",))[0]
    again = run(world, world["path"] / "2", ("Twelve!",), block=3)[0]
    assert first.content_hash == again.content_hash
    summary = (world["path"] / "1" / "summary.txt").read_text()
    line = next(line.split() for line in summary.splitlines() if line.startswith("all "))
    assert line[:8] == ["all", "question", "last", "7", "1", "3", "1", "16.7%"]


def test_finished_blocks_are_not_asked_again(world, monkeypatch):
    whole = run(world, world["path"] / "whole", ("Twelve!",))[0]
    asked: list[str] = []

    def stopping(speaker, block, *rest):
        asked.extend(one.id[-1] for one in block)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return talk(speaker, block, *rest)

    monkeypatch.setattr("sage_eval.maths.talk", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(world, world["path"] / "out", ("Twelve!",))
    resumed = run(world, world["path"] / "out", ("Twelve!",))[0]
    assert asked == ["1", "2", "3", "4", "5", "6", "4", "5", "6", "7"]
    assert (resumed.content_hash, resumed.counts) == (whole.content_hash, whole.counts)


def test_generated_problems_are_rated_by_kind(tmp_path):
    asked = problems(0, 16)
    answers = [{"when": {"messages": 1}, "say": ["Oh?"]}]
    answers += [last(one.question, f"That makes {one.answer if one.kind == 'add' else 1}.") for one in asked]
    script = tmp_path / "agent.json"
    script.write_text(json.dumps({"model": "fake", "answers": answers}), encoding="utf-8")
    context = Context(seed=0)
    run_stage(STAGE, {"agent_uri": f"scripted:{script}", "count": 16}, {}, tmp_path / "out", context=context)
    rates = read_table(tmp_path / "out", "maths_rates").to_pylist()
    found = {
        row["kind"]: (row["n"], row["solved"]) for row in rates if (row["after"], row["rule"]) == ("question", "last")
    }
    summary = (tmp_path / "out" / "summary.txt").read_text()
    assert [line.split() for line in summary.splitlines() if line.startswith("add ")] == [["add", *["2", "(100%)"] * 4]]
    assert found == {"all": (16, 2)} | {kind: (2, 2 if kind == "add" else 0) for kind in TEMPLATES}


# -- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [MathsConfig, StatesConfig])
def test_a_cost_is_bounded_only_where_there_is_a_price(config):
    with pytest.raises(ValidationError, match="max_cost needs input_price or output_price"):
        config(max_cost=1.0)
    assert config(max_cost=1.0, output_price=0.1).max_cost == 1.0


def test_the_budget_is_for_all_attempts_together(tmp_path):
    """Finished blocks were paid too, small talk included: the same command again makes no further call.

    The first call of all fails, which ends its problem; it is not made again.
    """
    fails_first = ChatServer("It is twelve, I think.", schedule=lambda number, _: None if number else SERVER_ERROR)
    with fails_first as server:
        agent = f"openai:tiny@{server.url}?concurrency=1&retry_wait=0.01&attempts=1"
        config = {"agent_uri": agent, "count": 6, "block": 1, "output_price": 1_000_000.0}

        def asked(**more):
            context = Context(seed=0, journal=tmp_path / "journal.sqlite")
            run_stage(STAGE, {**config, **more}, {}, tmp_path / "out", context)

        with pytest.raises(BudgetStopError):
            asked(max_cost=25.0)
        made = server.count
        assert 4 < made < 11
        for _ in range(3):
            with pytest.raises(BudgetStopError):
                asked(max_cost=25.0)
        assert server.count == made
        asked(max_cost=1000.0)
        assert server.count == 11
