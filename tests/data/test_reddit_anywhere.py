"""The Reddit stage on other machines and stores: the same bytes as here, also when a machine is lost on the way."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sage_data.reddit import SPILL
from sage_data.stage import run_stage

pytestmark = pytest.mark.slow


@pytest.fixture
def dumps(tmp_path: Path) -> list[Path]:
    """Twelve months of 4,000 comments in 40 threads that cross them."""
    source = random.Random(3)
    folder = tmp_path / "dumps"
    folder.mkdir()
    written = []
    for month in range(12):
        lines = []
        for n in range(month * 4_000, (month + 1) * 4_000):
            parent = f"t1_{source.randrange(n):x}" if n and source.random() < 0.7 else ""
            thread = f"t3_{source.randrange(40):x}"
            fields = {"id": f"{n:x}", "author": source.choice("abcde"), "body": f"said {n}?", "created_utc": n}
            fields |= {"link_id": thread, "parent_id": parent or thread, "subreddit": "books", "score": 1}
            lines.append(json.dumps(fields))
        path = folder / f"RC_2006-{month + 1:02}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written.append(path)
    return written


def test_processes_give_the_same_bytes(tmp_path: Path, dumps: list[Path]) -> None:
    here = run_stage("sage_data.reddit", {"workers": 1}, {"dumps": dumps}, tmp_path / "here")
    there = run_stage("sage_data.reddit", {"workers": 3}, {"dumps": dumps[::-1]}, tmp_path / "there")
    assert there.content_hash == here.content_hash
    assert {counts.unit: counts.kept for counts in here.counts}["dialogues"] > 100


def test_a_ray_cluster_gives_the_same_bytes_though_a_node_is_lost(
    tmp_path: Path, dumps: list[Path], ray_cluster: Any
) -> None:
    here = run_stage("sage_data.reddit", {"workers": 1}, {"dumps": dumps}, tmp_path / "here")
    made, second = ray_cluster
    on_ray = {"executor": "ray", "ray_address": made.address}
    whole = run_stage("sage_data.reddit", on_ray, {"dumps": dumps}, tmp_path / "whole")
    assert whole.content_hash == here.content_hash
    lost = threading.Event()

    def lose_a_node() -> None:
        spill = tmp_path / ".work" / "broken" / SPILL
        deadline = time.monotonic() + 60
        while not list(spill.glob("*-done.json")) and time.monotonic() < deadline:
            time.sleep(0.005)
        if len(list(spill.glob("*-done.json"))) < len(dumps):
            made.remove_node(second, allow_graceful=False)
            lost.set()

    thread = threading.Thread(target=lose_a_node)
    thread.start()
    broken = run_stage("sage_data.reddit", on_ray, {"dumps": dumps}, tmp_path / "broken")
    thread.join()
    assert lost.is_set(), "the run was over before the node was lost"
    assert (broken.content_hash, broken.counts) == (here.content_hash, here.counts)


def test_dumps_in_an_s3_store_give_the_same_bytes(tmp_path: Path, dumps: list[Path], s3_client: Any) -> None:
    s3_client.create_bucket(Bucket="reddit")
    for path in dumps:
        s3_client.upload_file(str(path), "reddit", f"comments/{path.name}")
    here = run_stage("sage_data.reddit", {}, {"dumps": dumps}, tmp_path / "here")
    there = run_stage("sage_data.reddit", {}, {"dumps": ["s3://reddit/comments"]}, tmp_path / "there")
    assert there.content_hash == here.content_hash
    fresh = run_stage("sage_data.reddit", {}, {"dumps": ["s3://reddit/comments"]}, tmp_path / "there")
    assert fresh.timings == there.timings, "unchanged dumps are not read again"
    s3_client.put_object(Bucket="reddit", Key=f"comments/{dumps[0].name}", Body=dumps[0].read_bytes()[:200_000])
    changed = run_stage("sage_data.reddit", {}, {"dumps": ["s3://reddit/comments"]}, tmp_path / "there")
    assert changed.content_hash != here.content_hash
