"""What a run does after replies that cannot be used, and after an earlier run: ask again, stop, or spend nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from annotating import TURNS, Model, asked, dialogue, failed, good, is_repair, write_dialogues
from hypothesis import given, settings
from hypothesis import strategies as st
from test_annotation_llm_reply import ANYTHING, GOOD, JSON, MALFORMED, put, reply
from test_annotation_llm_reply import good as good_entries

from sage_data.chat import Completion, CompletionStatus, Conversation
from sage_data.dialogue import Dialogue, State, Utterance
from sage_data.errors import BackendError, BudgetStopError
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table

PRICES: dict[str, Any] = {"input_price": 1.0, "output_price": 2.0}
Reply = Callable[[Conversation], str | Completion]


def annotate(model: Model, folder: Path, out: Path, journal: str | None = None, **config: Any) -> Manifest:
    options = {"annotator": "llm", "model": "model:x", "pilot_rows": 5, **config}
    context = Context(seed=7, journal=out.parent / f"{journal or out.name}.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sage_data.chat.uri.open_chat", lambda uri: model)
        return run_stage("sage_data.annotation", options, {"dialogues": [folder]}, out, context)


def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def only(name: str, answer: str | Completion) -> Reply:
    """An answer for one dialogue, good ones for the others."""
    return lambda one: answer if f"({name})" in asked(one)[0]["text"] else good(one)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shards = [[dialogue(f"{shard}-{row}") for row in range(6)] for shard in range(3)]
    return write_dialogues(tmp_path / "in", *shards)


# --- whatever a model says ----------------------------------------------------------------------------------------

SAYS = st.one_of(
    st.sampled_from([text for text, _ in MALFORMED]),
    st.builds(lambda at, text: GOOD[:at] + text + GOOD[at:], st.integers(0, len(GOOD)), ANYTHING),
    st.builds(lambda at, name, value: reply(put(at, name, value)(good_entries())), st.integers(0, 4), ANYTHING, JSON),
    ANYTHING,
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(SAYS, SAYS), min_size=1, max_size=6))
def test_whatever_a_model_says_the_stage_ends_and_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]]
) -> None:
    """First replies and repairs: each row is kept or rejected, and a second run asks nothing."""
    place = tmp_path_factory.mktemp("any")
    talks = [Dialogue(f"talk-{at}", dialogue("any", *TURNS).utterances) for at in range(len(said))]
    folder = write_dialogues(place / "in", talks)
    met: dict[int, int] = {}

    def answer(conversation: Conversation) -> str:
        at = met.setdefault(conversation.seed, len(met))
        return said[at][is_repair(conversation)]

    manifest = annotate(Model(answer, window=1), folder, place / "out", "one", pilot_rows=0)
    kept = [one.id for one in read_dialogues(place / "out")]
    apart = list((place / "out" / "rejected").glob("*.parquet"))
    lost = read_table(place / "out" / "rejected", "dialogues")["id"].to_pylist() if apart else []
    assert sorted(kept + lost) == sorted(one.id for one in talks)
    idle = Model(answer)
    again = annotate(idle, folder, place / "again", "one", pilot_rows=0)
    assert (idle.calls, again.content_hash) == ([], manifest.content_hash)


# --- asking again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [CompletionStatus.TRUNCATED, CompletionStatus.REFUSED, CompletionStatus.EMPTY])
def test_a_finished_call_is_never_made_again_but_a_further_round_is(
    tmp_path: Path, folder: Path, status: CompletionStatus
) -> None:
    first = Model(only("1-2", failed(status)))
    annotate(first, folder, tmp_path / "out")
    assert len(first.calls) == 18
    idle = Model()
    annotate(idle, folder, tmp_path / "same", "out")
    assert idle.calls == []
    second = Model()
    manifest = annotate(second, folder, tmp_path / "out", retry_failed=1)
    assert len(second.calls) == 1
    assert second.calls[0].seed not in {one.seed for one in first.calls}
    assert manifest.failures == []


def test_an_error_of_the_server_is_asked_about_again_at_temperature_0_too(tmp_path: Path, folder: Path) -> None:
    down = only("1-2", failed(CompletionStatus.API_ERROR))
    manifest = annotate(Model(down), folder, tmp_path / "out", temperature=0.0)
    assert "the same command with --retry-failed 1 asks about 1 of them again" in manifest.failures[0]
    assert "temperature 0" not in manifest.failures[0]
    still = Model(down)
    manifest = annotate(still, folder, tmp_path / "out", temperature=0.0, retry_failed=1)
    assert len(still.calls) == 2
    assert "--retry-failed 2 asks about 1" in manifest.failures[0]
    well = Model()
    assert annotate(well, folder, tmp_path / "out", temperature=0.0, retry_failed=2).failures == []
    assert len(well.calls) == 1


def test_the_summary_says_which_failures_temperature_0_would_repeat(tmp_path: Path, folder: Path) -> None:
    def answer(conversation: Conversation) -> str | Completion:
        text = asked(conversation)[0]["text"]
        return failed(CompletionStatus.API_ERROR) if "-1)" in text else "no" if "-2)" in text else good(conversation)

    annotate(Model(answer), folder, tmp_path / "out", temperature=0.0)
    summary = (tmp_path / "out" / "summary.txt").read_text()
    assert "the same command with --retry-failed 1 asks about 6 of them again" in summary
    assert "at temperature 0 a model mostly says the same again, which will hardly help 3 of them" in summary


def test_what_cannot_be_asked_again_is_not_promised(tmp_path: Path) -> None:
    folder = write_dialogues(tmp_path / "in", [Dialogue("empty", ()), dialogue("full")])
    assert "--retry-failed" not in annotate(Model(), folder, tmp_path / "out").failures[0]
    stubborn = annotate(Model(only("full", "no")), folder, tmp_path / "most", pilot_rows=0, retry_failed=10)
    assert "1 of them failed in 11 rounds, the most there are" in stubborn.failures[0]


# --- a pilot that brings nothing ----------------------------------------------------------------------------------


def test_a_pilot_without_one_usable_reply_stops_the_run(tmp_path: Path, folder: Path) -> None:
    def answer(conversation: Conversation) -> str | Completion:
        return failed(CompletionStatus.TRUNCATED, "{") if "(0-" in asked(conversation)[0]["text"] else "Sorry!"

    model = Model(answer)
    with pytest.raises(BackendError) as caught:
        annotate(model, folder, tmp_path / "out", **PRICES)
    assert "not one reply to the 5 dialogues of the pilot could be used, so the other 13 were not" in str(caught.value)
    assert "not_json 3 times, as with '2-0'" in str(caught.value)
    assert "expected one JSON object, found 'Sorry!'" in str(caught.value)
    assert "holds replies to a JSON schema" in str(caught.value.next_step)
    assert "--pilot-rows 0" in str(caught.value.next_step)
    assert len(model.calls) == 2 + 2 * 3
    idle = Model(answer)
    with pytest.raises(BackendError):
        annotate(idle, folder, tmp_path / "out", **PRICES)
    assert idle.calls == []
    # On all the same, when that is what is wanted.
    assert len(annotate(Model(answer), folder, tmp_path / "out", pilot_rows=0).failures) == 1


def test_one_usable_reply_or_nothing_left_to_spend_on_goes_on(tmp_path: Path, folder: Path) -> None:
    annotate(Model(lambda one: good(one) if "(0-" in asked(one)[0]["text"] else "no"), folder, tmp_path / "some")
    assert report(tmp_path / "some")["dialogues"]["failed"] == 12
    few = write_dialogues(tmp_path / "few", [dialogue(str(at)) for at in range(5)])
    annotate(Model(lambda one: "no"), few, tmp_path / "none")
    assert report(tmp_path / "none")["dialogues"]["failed"] == 5


# --- the budget is for all attempts -------------------------------------------------------------------------------


def now_and_then(conversation: Conversation) -> str:
    """Bad first replies for a third of the dialogues."""
    poor = asked(conversation)[0]["text"].rstrip(")")[-1] in "14" and not is_repair(conversation)
    return "no" if poor else good(conversation)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9])
def test_after_a_budget_stop_the_same_command_makes_no_call(tmp_path: Path, share: float) -> None:
    """With repairs in between, wherever the pilot's dialogues stand, and whatever shards are finished."""
    shards = [[dialogue(f"{shard}-{row}") for row in range(20)] for shard in range(3)]
    folder = write_dialogues(tmp_path / "in", *shards)
    options: dict[str, Any] = {"pilot_rows": 15, **PRICES}
    whole = annotate(Model(now_and_then), folder, tmp_path / "whole", **options)
    cost = report(tmp_path / "whole")["cost_usd"]
    first = Model(now_and_then, window=1)
    with pytest.raises(BudgetStopError):
        annotate(first, folder, tmp_path / "out", max_cost=cost * share, **options)
    assert 0 < len(first.calls) < 72
    for order in range(2):
        idle = Model(now_and_then, window=3, order=order)
        with pytest.raises(BudgetStopError, match="spent before"):
            annotate(idle, folder, tmp_path / "out", max_cost=cost * share, **options)
        assert idle.calls == []
    rest = Model(now_and_then)
    manifest = annotate(rest, folder, tmp_path / "out", max_cost=cost * 1.1, **options)
    assert manifest.content_hash == whole.content_hash
    assert len(first.calls) + len(rest.calls) == 72


def test_repeating_the_command_spends_no_more_than_the_budget_and_what_is_in_flight(
    tmp_path: Path, folder: Path
) -> None:
    """Several calls at once may stop a little early or late; further attempts use up the rest, and no more."""
    annotate(Model(), folder, tmp_path / "whole", **PRICES)
    cost = report(tmp_path / "whole")["cost_usd"]
    calls = []
    for order in range(6):
        model = Model(window=4, order=order)
        with pytest.raises(BudgetStopError):
            annotate(model, folder, tmp_path / "out", max_cost=cost / 2, **PRICES)
        calls.append(len(model.calls))
    assert calls[0] >= 8
    assert 9 <= sum(calls) <= 12
    assert calls[2:] == [0] * 4


# --- counts -------------------------------------------------------------------------------------------------------


def test_what_a_kept_state_undoes_is_not_counted(tmp_path: Path) -> None:
    known = State("declared")
    talk = dialogue("talk").utterances
    partly = [Utterance(one.role, one.text, None if index == 2 else known) for index, one in enumerate(talk)]
    folder = write_dialogues(tmp_path / "in", [Dialogue("talk", tuple(partly))])
    manifest = annotate(Model(), folder, tmp_path / "out")
    (states,) = [one for one in manifest.counts if one.unit == "states"]
    assert (states.came_in, states.kept, states.dropped) == (5, 1, {"had one already": 4})
    assert "4 utterances had a state already" in (tmp_path / "out" / "summary.txt").read_text()
    assert report(tmp_path / "out")["utterances"] == {
        "annotated": 1,
        "rewritten": 1,
        "bridges": 0,
        "mean_similarity": 1.0,
    }
    (row,) = read_table(tmp_path / "out", "asked").to_pylist()
    assert (row["utterances"], row["annotated"], row["rewritten"], row["bridges"]) == (5, 1, 1, 0)
    assert [one["index"] for one in read_table(tmp_path / "out", "rewrites").to_pylist()] == [2]
    anew = annotate(Model(), folder, tmp_path / "anew", existing="replace")
    assert report(tmp_path / "anew")["utterances"]["annotated"] == 5
    assert "states" not in {one.unit for one in anew.counts}


@pytest.mark.parametrize("lives", [None, 3])
def test_dialogues_that_are_alike_are_one_call_reported_and_priced_once(tmp_path: Path, lives: int | None) -> None:
    """Also where the run was interrupted between them, and where the pilot asked about one."""
    shards = [[dialogue("same"), *(dialogue(f"{at}-{row}") for row in range(3))] for at in range(3)]
    folder = write_dialogues(tmp_path / "in", *shards)
    models = [Model(window=1, lives=lives), Model()]
    if lives:
        with pytest.raises(KeyboardInterrupt):
            annotate(models[0], folder, tmp_path / "out", pilot_rows=0, **PRICES)
    annotate(models[-1], folder, tmp_path / "out", pilot_rows=0, **PRICES)
    calls = [call for model in models for call in model.calls]
    told = report(tmp_path / "out")
    assert len(calls) == told["calls"] == 10
    sent = sum(sum(len(message.content) for message in call.messages) // 4 for call in calls)
    assert told["prompt_tokens"] == sent
    assert told["utterances"] == {"annotated": 60, "rewritten": 48, "bridges": 12, "mean_similarity": 1.0}
    asked_about = read_table(tmp_path / "out", "asked").to_pylist()
    assert [one["calls"] for one in asked_about if one["id"] == "same"] == [1, 0, 0]
    annotate(Model(), folder, tmp_path / "pilot", **PRICES)
    estimate = json.loads((tmp_path / "pilot" / "estimate.json").read_text())
    assert estimate["dialogues"] == {"to_ask": 10, "pilot": 5, "remaining": 5}
    assert report(tmp_path / "pilot")["calls"] == 10
