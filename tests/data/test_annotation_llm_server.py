"""The annotator against a real server that misbehaves: nothing but a checked reply becomes an annotation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from annotating import dialogue, entries, write_dialogues
from chat_server import (
    BLANK_CONTENT,
    CUT_TEXT,
    HTML,
    NO_CHOICES,
    NULL_CONTENT,
    REFUSAL,
    SERVER_ERROR,
    UNAUTHORISED,
    Ask,
    ChatServer,
    Fault,
    always,
    shares,
    too_many,
    when,
)

from sage_data.errors import BackendError, BudgetStopError
from sage_data.stage import Context, run_stage
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table

QUICK = "retry_wait=0.01&retry_wait_max=0.1&breaker_wait=0.05&connect_timeout=2"


def reply(ask: Ask) -> str:
    return json.dumps({"utterances": entries(json.loads(ask.messages[3]["content"])["utterances"])})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dialogues(tmp_path / "in", *([dialogue(f"{shard}-{row}") for row in range(8)] for shard in range(3)))


def annotate(
    server: ChatServer, folder: Path, out: Path, options: str = "", journal: Path | None = None, **config: Any
) -> Manifest:
    given = {"annotator": "llm", "model": f"openai:tiny@{server.url}?{QUICK}{options}", "pilot_rows": 5, **config}
    context = Context(seed=7, journal=journal or out.parent / f"{out.name}.sqlite")
    return run_stage("sage_data.annotation", given, {"dialogues": [folder]}, out, context)


def test_limits_errors_and_drops_cost_time_but_no_row(tmp_path: Path, folder: Path) -> None:
    faults = {SERVER_ERROR: 0.2, too_many(retry_after="0"): 0.1}
    with ChatServer(reply, schedule=shares(faults, seed=3)) as server:
        manifest = annotate(server, folder, tmp_path / "out")
        # Every fault was met with another request, and nothing else was asked twice.
        assert server.count == 24 + sum(call.fault is not None for call in server.calls) > 24
        schema = server.calls[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["utterances"]["items"]["additionalProperties"] is False
    assert manifest.failures == []
    assert {one.unit: one.kept for one in manifest.counts} == {"dialogues": 24, "utterances": 120}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (BLANK_CONTENT, "empty"),
        (NULL_CONTENT, "empty"),
        (CUT_TEXT, "truncated"),
        (REFUSAL, "refused"),
        (HTML, "api_error"),
        (NO_CHOICES, "api_error"),
    ],
    ids=["blank", "null", "cut", "refusal", "html", "no choices"],
)
def test_what_is_no_answer_becomes_no_annotation(tmp_path: Path, folder: Path, fault: Fault, reason: str) -> None:
    with ChatServer(reply, schedule=when("(1-3)", fault)) as server:
        manifest = annotate(server, folder, tmp_path / "out")
        first = server.count
        rejected = read_table(tmp_path / "out" / "rejected", "dialogues")
        # The server is well again: what it said is not asked about again, its errors are, and so is a further round.
        server.schedule = lambda number, body: None
        annotate(server, folder, tmp_path / "again" / "out", journal=tmp_path / "out.sqlite")
        asked_again = server.count - first
        further = annotate(server, folder, tmp_path / "out", retry_failed=1)
        assert server.count - first == 1
    assert rejected["id"].to_pylist() == ["1-3"]
    assert rejected["reason"].to_pylist() == [reason]
    assert len(manifest.failures) == 1
    assert asked_again == (1 if reason == "api_error" else 0)
    assert further.failures == []


def test_a_wrong_key_ends_the_run_at_once(tmp_path: Path, folder: Path) -> None:
    """After as many calls as were open at one moment, not one for each of the 24 dialogues."""
    with ChatServer(reply, schedule=always(UNAUTHORISED), delay_s=0.05) as server:
        with pytest.raises(BackendError):
            annotate(server, folder, tmp_path / "out", "&concurrency=3", pilot_rows=0)
        assert 1 <= server.count <= 3


def test_half_a_character_in_a_reply_costs_one_repair(tmp_path: Path, folder: Path) -> None:
    """JSON lets halves of surrogate pairs through, also in names of fields, which the model is then shown."""

    def poisoned(ask: Ask) -> str:
        made = json.loads(reply(ask))
        if "(1-3)" in ask.messages[3]["content"] and len(ask.messages) == 4:
            made["utterances"][0]["emo\ud83dtion"] = "x"
        return json.dumps(made)

    with ChatServer(poisoned) as server:
        manifest = annotate(server, folder, tmp_path / "out")
        assert server.count == 25
        shown = next(call for call in server.calls if len(call.body["messages"]) > 4).last
    assert manifest.failures == []
    assert "unknown emo\\\\ud83dtion" in shown


def test_the_budget_stops_the_calls_and_goes_on_later(tmp_path: Path, folder: Path) -> None:
    prices = {"input_price": 1.0, "output_price": 2.0}
    with ChatServer(reply) as server:
        whole = annotate(server, folder, tmp_path / "whole", **prices)
        cost = json.loads((tmp_path / "whole" / "report.json").read_text())["cost_usd"]
        before = server.count
        with pytest.raises(BudgetStopError):
            annotate(server, folder, tmp_path / "out", "&concurrency=2", max_cost=cost / 2, **prices)
        part = server.count - before
        assert 10 <= part <= 15
        manifest = annotate(server, folder, tmp_path / "out", "&concurrency=2", max_cost=cost, **prices)
        assert server.count - before == 24
    names = [one.path for one in whole.files if not one.path.startswith(".")]
    assert [one.path for one in manifest.files] == names
    assert manifest.content_hash == whole.content_hash
