"""The world's files: planted truth that agrees with itself, dirt that is there, formats read the plain way."""

from __future__ import annotations

import bz2
import gzip
import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.errors import ConfigError
from sage_data.reddit.reasons import LINE_LIMIT_BYTES, CommentReason, LineReason
from sage_data.sample.base import KINDS, base_documents
from sage_data.sample.characters import USER_EMOTIONS
from sage_data.sample.dumps import month_start, write_dumps
from sage_data.sample.situations import HEADER, situations
from sage_data.sample.tasks import OPTIONS, TASKS
from sage_data.sample.threads import KEEP, PLANS, Ids, outcome, plant
from sage_data.stage import Context, run_stage
from sage_data.store.manifest import read_manifest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SIZES = {"threads": 400, "train": 130, "valid": 20, "test": 130, "task_documents": 30, "base_documents": 60}
Rows = list[dict[str, Any]]


PAPER_REASONS = ("too_few_turns", "too_short_utterances", "no_question", "low_sentiment")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "sample"
    run_stage("sage_data.sample", SIZES, {}, folder, Context(seed=3))
    return folder


def read(path: Path) -> list[bytes]:
    data = path.read_bytes()
    opened = {".zst": zstd.decompress, ".bz2": bz2.decompress, ".gz": gzip.decompress}[path.suffix](data)
    assert opened.endswith(b"\n")
    return opened[:-1].split(b"\n")


def dumps(world: Path, kind: str = "RC") -> dict[str, list[bytes]]:
    return {path.name: read(path) for path in sorted((world / "dumps").glob(f"{kind}_*"))}


def is_json_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode("utf-8")), dict)
    except ValueError:
        return False


def gold(world: Path, name: str) -> Rows:
    rows: Rows = pq.read_table(world / "gold" / f"{name}.parquet").to_pylist()
    return rows


def comments(world: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Every usable line by file and line number."""
    bad = {(row["file"], row["line"]) for row in gold(world, "lines")}
    return {
        (name, number): json.loads(line)
        for name, lines in dumps(world).items()
        for number, line in enumerate(lines, 1)
        if line and (name, number) not in bad
    }


def test_same_seed_same_bytes(world: Path, tmp_path: Path) -> None:
    again = run_stage("sage_data.sample", SIZES, {}, tmp_path / "again", Context(seed=3))
    other = run_stage("sage_data.sample", SIZES, {}, tmp_path / "other", Context(seed=4))
    manifest = read_manifest(world)
    assert manifest is not None
    assert again.content_hash == manifest.content_hash != other.content_hash


def test_counts_add_up(world: Path) -> None:
    funnel = json.loads((world / "gold" / "funnel.json").read_text())
    assert funnel["lines"] == sum(map(len, dumps(world).values()))
    assert funnel["lines"] == funnel["blank"] + sum(funnel["quarantined"].values()) + funnel["comments"]
    chains = gold(world, "dialogues")
    inside = sum(len(row["comment_ids"]) for row in chains)
    assert funnel["comments"] == sum(funnel["comments_dropped"].values()) + inside
    assert Counter(row["outcome"] for row in chains) == {
        "single": funnel["single"],
        KEEP: funnel["kept"],
        **funnel["dialogues_dropped"],
    }
    assert funnel["kept"] + sum(funnel["dialogues_dropped"].values()) == funnel["dialogues"]
    assert sum(funnel["plans"].values()) == SIZES["threads"]


def test_every_reason_is_planted(world: Path) -> None:
    default_comment_reasons = {"duplicate", "deleted", "removed", "bot", "empty"}
    assert {row["reason"] for row in gold(world, "comments")} == default_comment_reasons
    assert default_comment_reasons < {str(reason) for reason in CommentReason}
    assert {row["reason"] for row in gold(world, "lines")} == {str(reason) for reason in LineReason}
    assert {row["outcome"] for row in gold(world, "dialogues")} == {KEEP, "single", *PAPER_REASONS}


def test_gold_comments_stand_where_they_are_said_to(world: Path) -> None:
    rows = comments(world)
    for row in gold(world, "comments"):
        assert rows[row["file"], row["line"]]["id"] == row["id"]
    ids = Counter(row["id"] for row in rows.values())
    doubled = {row["id"] for row in gold(world, "comments") if row["reason"] == "duplicate"}
    assert {name for name, count in ids.items() if count > 1} == doubled


def test_gold_lines_cannot_be_used(world: Path) -> None:
    listed = dumps(world)
    for row in gold(world, "lines"):
        line = listed[row["file"]][row["line"] - 1]
        if row["reason"] == LineReason.TOO_LONG_LINE:
            assert len(line) > LINE_LIMIT_BYTES
        elif row["reason"] == LineReason.BAD_JSON:
            assert not is_json_object(line)
        else:
            assert is_json_object(line)


def test_gold_dialogues_alternate_and_do_not_overlap(world: Path) -> None:
    by_id = {row["id"]: row for row in comments(world).values()}
    seen: Counter[str] = Counter()
    for chain in gold(world, "dialogues"):
        rows = [by_id[name] for name in chain["comment_ids"]]
        seen.update(chain["comment_ids"])
        authors = [row["author"] for row in rows]
        assert len(set(authors)) == min(2, len(rows))
        assert all(authors[index] == authors[index % 2] for index in range(len(rows)))
        assert all(then["parent_id"] == f"t1_{first['id']}" for first, then in pairwise(rows))
        assert {row["link_id"] for row in rows} == {chain["thread"]}
        assert int(float(rows[0]["created_utc"])) == chain["created_utc"]
    assert max(seen.values()) == 1


def test_the_dirt_of_the_years_is_there(world: Path) -> None:
    rows = list(comments(world).values())
    text = b"\n".join(line for lines in dumps(world).values() for line in lines)
    assert {type(row["created_utc"]) for row in rows} == {int, str, float}
    assert {type(row["edited"]) for row in rows} == {bool, int, float}
    assert {"name", "retrieved_on", "retrieved_utc"} < {key for row in rows for key in row}
    assert any(row["score"] is None for row in rows)
    assert b"&amp;" in text
    assert rb"\r\n" in text
    assert b"\r\n" in text
    ids = {row["id"] for row in rows}
    assert any(row["parent_id"].startswith("t1_") and row["parent_id"][3:] not in ids for row in rows)


def test_threads_cross_months_and_lines_are_out_of_order(world: Path) -> None:
    months: dict[str, set[str]] = {}
    disorder = 0
    last: dict[str, int] = {}
    for (name, _), row in comments(world).items():
        months.setdefault(row["link_id"], set()).add(name)
        created = int(float(row["created_utc"]))
        disorder += created < last.get(name, 0)
        last[name] = created
        month = name.removeprefix("RC_").partition(".")[0]
        assert month_start(month) <= created < month_start(month) + 31 * 86_400
    assert any(len(files) > 1 for files in months.values())
    assert disorder > 0


def test_submissions_are_there_but_not_all(world: Path) -> None:
    titles = {json.loads(line)["name"] for lines in dumps(world, "RS").values() for line in lines if line}
    assert 0.8 * SIZES["threads"] < len(titles) < SIZES["threads"]


@given(st.integers(0, 10**6), st.sampled_from(sorted(PLANS)))
def test_every_plan_accounts_for_every_comment(seed: int, plan: str) -> None:
    thread = plant(Random(seed), Ids(), plan)
    used = [draft.id for one in thread.gold for draft in one.comments]
    dropped = [draft.id for draft in thread.drafts if draft.drop]
    assert sorted(used + dropped) == sorted(draft.id for draft in thread.drafts)
    assert all(one.outcome == outcome(one.turns) for one in thread.gold)
    assert all(draft.author for draft in thread.drafts)
    if plan in (KEEP, *PAPER_REASONS):
        assert [one.outcome for one in thread.gold] == [plan]


def test_states_of_kept_dialogues(world: Path) -> None:
    kept = {row["id"]: len(row["comment_ids"]) for row in gold(world, "dialogues") if row["outcome"] == KEEP}
    states = gold(world, "states")
    assert Counter(row["dialogue"] for row in states) == kept
    assert all(row["role"] == ("assistant" if row["index"] % 2 else "user") for row in states)
    assert all(row["motivation"] and row["emotion"] and row["topics"] for row in states)
    assert len({row["emotion"] for row in states if row["role"] == "user"}) >= 8
    assert len({row["motivation"] for row in states if row["role"] == "user"}) >= 8


def test_situations_line_by_line(world: Path) -> None:
    states = gold(world, "scenario_states")
    for split in ("train", "valid", "test"):
        lines = (world / "scenarios" / f"{split}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == HEADER
        rows = [line.split(",") for line in lines[1:]]
        assert {len(row) for row in rows} == ({8, 9} if split == "test" else {8})
        assert list(dict.fromkeys(row[0] for row in rows)) == [one.id for one in situations(3, split, SIZES[split])]
        assert {row[2] for row in rows} <= set(USER_EMOTIONS)
        assert len(rows) == sum(row["split"] == split for row in states)


def test_situation_traps() -> None:
    some = list(situations(3, "train", 900))
    assert any(one.prompt.count('"') == 1 for one in some)
    assert any(len(one.turns) == 1 for one in some)
    assert len({one.prompt for one in some}) > 700
    train = {one.prompt for one in situations(3, "train", 130)}
    assert any(one.prompt in train for one in situations(3, "test", 130))
    assert all(one.turns[0].state.emotion == one.emotion for one in some)


def test_tasks(world: Path) -> None:
    for name in TASKS:
        docs = [json.loads(line) for line in (world / "tasks" / f"{name}.jsonl").read_text().splitlines()]
        assert len(docs) == SIZES["task_documents"]
        assert len({doc["text"] for doc in docs}) == len(docs)
        assert f"test: {name}.jsonl" in (world / "tasks" / f"{name}.yaml").read_text()
        for doc in docs:
            if "choices" in doc:
                assert len(set(doc["choices"])) == OPTIONS
                assert 0 <= doc["label"] < OPTIONS
            else:
                assert doc["answer"]


def test_base_documents_hold_the_words_of_the_tags_but_no_tag() -> None:
    documents = list(base_documents(3, 400))
    assert {kind for kind, _ in documents} == set(KINDS)
    text = "\n".join(one["content"] for _, messages in documents for one in messages)
    for word in ("u_motivation", "u_emotion", "u_topic", "a_motivation", "a_emotion", "a_topic", "{", "}", "[", "]"):
        assert word in text
    assert "{u_motivation: " in text
    assert not any(
        one["content"].startswith("{u_motivation") and ", u_emotion" in one["content"]
        for _, m in documents
        for one in m
    )
    assert all(m[-1]["role"] == "assistant" for _, m in documents)


@pytest.mark.parametrize("months", [("2012-12", "2012-11"), ("2012-11", "2012-11"), ("201211",), ("2012-13",)])
def test_months_must_be_in_order(months: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="month"):
        write_dumps(tmp_path, tmp_path / "gold", seed=1, threads=1, months=months)
