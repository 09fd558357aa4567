"""The stages against an obviously right program: same dialogues, same counts, and both as the gold file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import naive
import pyarrow.parquet as pq
import pytest
from canonical import sha256_of, stage_lines
from naive_comments import Post
from naive_gates import asks
from naive_threads import chains_of

from sage_data.stage import Context, run_stage

TINY = {"train": 5, "valid": 5, "test": 5, "task_documents": 2, "base_documents": 10}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """World, dialogues and gated dialogues of 400 threads, in three compressions."""
    folder = tmp_path_factory.mktemp("runs")
    run_stage("sage_data.sample", {"threads": 400, **TINY}, {}, folder / "world", Context(seed=6))
    run_stage("sage_data.reddit", {}, {"dumps": [folder / "world" / "dumps"]}, folder / "dialogues")
    run_stage("sage_data.gates", {}, {"dialogues": [folder / "dialogues"]}, folder / "kept")
    return folder


@pytest.fixture(scope="module")
def result(runs: Path) -> naive.Result:
    return naive.run(dumps(runs))


def dumps(runs: Path) -> list[Path]:
    return sorted((runs / "world" / "dumps").glob("RC_*"))


def test_dialogues_are_those_of_the_gold_file(runs: Path, result: naive.Result) -> None:
    gold = pq.read_table(runs / "world" / "gold" / "dialogues.parquet").to_pylist()
    expected = {
        tuple(row["comment_ids"]): (row["texts"], row["thread"], row["place"], row["created_utc"])
        for row in gold
        if row["outcome"] == "keep"
    }
    rows = [json.loads(line) for line in result.lines]
    found = {
        tuple(row["source_ids"]): (row["texts"], row["thread"], row["subreddit"], row["created_utc"]) for row in rows
    }
    assert len(rows) == len(found) > 100
    assert found == expected


def test_counts_are_those_of_the_gold_file(runs: Path, result: naive.Result) -> None:
    gold = json.loads((runs / "world" / "gold" / "funnel.json").read_text(encoding="utf-8"))
    del gold["plans"]
    found = result.summary()
    assert {name: found[name] for name in gold} == gold


def test_stages_keep_the_same_dialogues(runs: Path, result: naive.Result) -> None:
    assert stage_lines(runs / "kept") == result.lines
    assert sha256_of(stage_lines(runs / "kept")) == result.sha256


def test_stages_count_the_same(runs: Path, result: naive.Result) -> None:
    counts = result.counts
    threads: dict[str, Any] = json.loads((runs / "dialogues" / "funnel.json").read_text(encoding="utf-8"))
    lines, comments = threads["lines"], threads["comments"]
    assert lines["came_in"] == counts.lines
    assert nonzero(lines["dropped"]) == {"blank": counts.blank}
    assert nonzero(lines["quarantined_by_reason"]) == counts.quarantined
    assert comments["came_in"] == counts.comments
    assert nonzero(comments["dropped"]) == {**counts.comments_dropped, "single": counts.single}
    gates: dict[str, Any] = json.loads((runs / "kept" / "funnel.json").read_text(encoding="utf-8"))
    assert threads["dialogues"]["kept"] == gates["came_in"] == counts.dialogues
    assert nonzero(gates["dropped"]) == counts.dialogues_dropped
    assert gates["kept"] == counts.kept


def nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def test_scoring_everything_first_keeps_the_same(runs: Path, result: naive.Result) -> None:
    everything = naive.run(dumps(runs), naive.Mode.VADER_EVERYTHING)
    assert everything.sha256 == result.sha256
    assert everything.counts == result.counts
    assert everything.scored > result.scored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Really?", True),
        ('"Really?" :) \U0001f44d\U0001f3fd', True),
        ("what?!", True),
        ("what!?", True),
        ("what!", False),
        ("what?...", False),
        ("(or is it?)*", True),
        ("is it?:)", True),
        ("?", True),
        ("", False),
        (":)", False),
    ],
)
def test_questions(text: str, expected: bool) -> None:
    assert asks(text) is expected


def post(id: str, author: str, parent: str = "", time: int = 0) -> Post:
    return Post(id, author, f"said in {id}", time, "t3_x", f"t1_{parent}" if parent else "t3_x", "books", "RC_a")


def ids(*posts: Post) -> list[list[str]]:
    return sorted([one.id for one in chain] for chain in chains_of(posts))


def test_longest_continuation_takes_the_chain() -> None:
    forked = [post("1", "ann"), post("2", "bob", "1"), post("3", "cat", "1"), post("4", "ann", "3")]
    assert ids(*forked) == [["1", "3", "4"], ["2"]]
    assert ids(*forked[:3]) == [["1", "2"], ["3"]]


def test_third_person_and_self_reply_start_anew() -> None:
    assert ids(post("1", "ann"), post("2", "bob", "1"), post("3", "cat", "2")) == [["1", "2"], ["3"]]
    assert ids(post("1", "ann"), post("2", "ann", "1"), post("3", "bob", "2")) == [["1"], ["2", "3"]]


def test_circle_starts_at_its_oldest() -> None:
    circle = (post("1", "ann", "3", time=9), post("2", "bob", "1", time=3), post("3", "ann", "2", time=5))
    assert ids(*circle) == [["1"], ["2", "3"]]


def test_depth_is_no_limit() -> None:
    deep = [post("0", "ann")]
    deep += [post(str(place), "ann" if place % 2 == 0 else "bob", str(place - 1)) for place in range(1, 5000)]
    assert [len(chain) for chain in chains_of(deep[::-1])] == [5000]
