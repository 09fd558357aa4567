"""`sage eval publish` with the true client against a Hub of our own: a dataset, a Space, and files for models."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from eval_folders import JUDGE, SITUATIONS, finish, replies, report, warehouse
from localhub import Fault, LocalHub

from sage_data.errors import PublishError
from sage_data.stage import run_stage
from sage_data.store.manifest import Manifest, read_manifest

pytestmark = pytest.mark.slow

for package in ("huggingface_hub", "datasets", "duckdb", "jinja2"):
    pytest.importorskip(package)

SPACE, ROWS = "me/board", "me/rows"
SHOWN = {
    "README.md",
    "index.html",
    "data.html",
    "explorer.html",
    "assets/site.css",
    "assets/site.js",
    "assets/explorer.js",
}
Eval = Callable[..., Manifest]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse and its report, with the stages beside them. Read only."""
    parent = tmp_path_factory.mktemp("evaluation")
    warehouse(parent)
    report(parent)
    return parent


@pytest.fixture
def publish(made: Path, tmp_path: Path, waits: list[float], unloaded: list[str]) -> Eval:
    """Publish both into a new output folder; keyword arguments are options."""
    numbers = iter(range(100))

    def published(
        *, out: str = "", where: Path = made, inputs: dict[str, Any] | None = None, **options: Any
    ) -> Manifest:
        given = {"report": where / "report", "warehouse": where / "warehouse", **(inputs or {})}
        final = tmp_path / "published" / (out or f"out{next(numbers)}")
        return run_stage("sage_eval.publish", {"space": SPACE, "dataset": ROWS, **options}, given, final)

    return published


def sent(tmp_path: Path, out: str = "out0") -> Path:
    return tmp_path / "published" / out


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_dry_run_is_the_default_and_asks_nothing(
    hub: LocalHub, publish: Eval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    publish()
    assert hub.seen == []
    assert names(sent(tmp_path) / "space") == SHOWN
    receipts = json.loads((sent(tmp_path) / "receipts.json").read_text())
    assert [(one["kind"], one["repo"], one["status"], one["private"]) for one in receipts] == [
        ("dataset", ROWS, "planned", True),
        ("space", SPACE, "planned", True),
    ]
    said = (sent(tmp_path) / "summary.txt").read_text()
    assert said.count("dry run: nothing was sent") == 2
    assert "scanned for username, email, phone, url-id, key, private-key: nothing found" in said
    assert "stays here of judge_calls: raw, error" in said
    assert "stays here: data/ (it holds what was said)" in said


def test_both_become_one_verified_pull_request_each(
    hub: LocalHub, publish: Eval, tmp_path: Path, unloaded: list[str]
) -> None:
    publish(dry_run=False)
    assert [len(hub.repo(name).pulls) for name in (ROWS, f"spaces/{SPACE}")] == [1, 1]
    assert all(hub.repo(name).private for name in (ROWS, f"spaces/{SPACE}"))
    for name in (ROWS, f"spaces/{SPACE}"):
        assert [set(one.files) for one in hub.repo(name).history()] == [{".gitattributes"}]

    publish(dry_run=False, merge=True)
    assert len(hub.asked("POST", "/commit/")) == 2
    for name, folder in ((ROWS, "dataset"), (f"spaces/{SPACE}", "space")):
        repo, staged = hub.repo(name), sent(tmp_path, "out1") / folder
        assert [pull.status for pull in repo.pulls] == ["merged"]
        assert {path: blob.data for path, blob in repo.files().items() if path != ".gitattributes"} == {
            path: (staged / path).read_bytes() for path in names(staged)
        }
    # Pages are compared byte by byte alone; only a dataset is loaded.
    assert unloaded == [hub.repo(ROWS).refs["refs/pr/1"]] * 2

    publish(dry_run=False, merge=True)
    receipts = json.loads((sent(tmp_path, "out2") / "receipts.json").read_text())
    assert [one["status"] for one in receipts] == ["published before"] * 2


FAULTS = {
    "412": [Fault("POST", "/spaces/.*/commit/", status=412, times=2)],
    "429": [Fault("POST", "/commit/", status=429, headers={"Retry-After": "30"}, times=2)],
    "lost": [Fault("POST", "/datasets/.*/commit/", lost=True), Fault("POST", "/spaces/.*/commit/", lost=True)],
}
MORE_FAULTS = {
    "409": [Fault("POST", "/commit/", status=409)],
    "merge lost": [Fault("POST", "/spaces/.*/merge", lost=True)],
    "create lost": [Fault("POST", "/repos/create", lost=True, times=2)],
}


@pytest.mark.parametrize(
    "faults",
    [pytest.param(faults, id=name) for name, faults in FAULTS.items()]
    + [pytest.param(faults, id=name, marks=pytest.mark.slow) for name, faults in MORE_FAULTS.items()],
)
def test_each_is_published_once_through_faults(
    hub: LocalHub, publish: Eval, waits: list[float], faults: list[Fault]
) -> None:
    hub.faults += [Fault(**vars(fault)) for fault in faults]
    publish(dry_run=False, merge=True, tables=["significance", "bench_metrics"])
    assert not [fault for fault in hub.faults if fault.times], "every fault was met"
    assert (30 in waits) == any("Retry-After" in fault.headers for fault in faults)
    for name in (ROWS, f"spaces/{SPACE}"):
        assert [pull.status for pull in hub.repo(name).pulls] == ["merged"]
        assert len(hub.repo(name).history()) == 2


def test_an_interruption_between_the_two_is_gone_on_with(hub: LocalHub, publish: Eval, tmp_path: Path) -> None:
    hub.faults.append(Fault("POST", "/spaces/.*/commit/", status=403))
    with pytest.raises(PublishError, match="403"):
        publish(out="same", dry_run=False, merge=True)
    publish(out="same", dry_run=False, merge=True)
    receipts = json.loads((sent(tmp_path, "same") / "receipts.json").read_text())
    assert [one["status"] for one in receipts] == ["published before", "merged"]


def test_pages_of_an_earlier_version_do_not_stay(hub: LocalHub, api: Any, publish: Eval, tmp_path: Path) -> None:
    publish(dry_run=False, merge=True, text_release=True)
    assert "data/dialogues/00000.js" in hub.repo(f"spaces/{SPACE}").files()
    api.upload_file(path_or_fileobj=b"mine", path_in_repo="notes.txt", repo_id=SPACE, repo_type="space")
    publish(dry_run=False, merge=True)
    assert set(hub.repo(f"spaces/{SPACE}").files()) == {*SHOWN, "notes.txt", ".gitattributes"}


def test_nothing_but_pages_of_the_manifest_is_sent(hub: LocalHub, publish: Eval) -> None:
    publish(dry_run=False, merge=True, text_release=True)
    files = set(hub.repo(f"spaces/{SPACE}").files()) - {".gitattributes"}
    assert files == {*SHOWN, "data/dialogues/00000.js", "data/words/00.js"}


def test_no_word_leaves_without_being_asked_for(hub: LocalHub, publish: Eval) -> None:
    publish(dry_run=False, merge=True)
    said = [*SITUATIONS, *replies("plain"), "I would say it is", "piano"]
    for name in (ROWS, f"spaces/{SPACE}"):
        for path, blob in hub.repo(name).files().items():
            held = blob.data
            if path.endswith(".parquet"):
                held = json.dumps(pq.read_table(io.BytesIO(blob.data)).to_pylist()).encode()
            assert not [text for text in said if text.encode() in held], path
            assert b"/home/jane" not in held
            assert b"10.0.0.7" not in held
    assert b"Not published" in hub.repo(f"spaces/{SPACE}").files()["explorer.html"].data


def test_tables_say_what_the_warehouse_says(hub: LocalHub, publish: Eval, made: Path) -> None:
    """Read by DuckDB over the Hub's own file system, as the card says."""
    import duckdb
    from huggingface_hub import HfFileSystem

    publish(dry_run=False, merge=True)
    with duckdb.connect() as connection:
        connection.register_filesystem(HfFileSystem(endpoint=hub.endpoint, token=hub.token, skip_instance_cache=True))
        there = f"hf://datasets/{ROWS}/*/*.parquet"
        configs = {one.split("/")[-2] for (one,) in connection.execute(f"SELECT file FROM glob('{there}')").fetchall()}
        for table in configs:
            shown = connection.sql(f"FROM 'hf://datasets/{ROWS}/{table}/*.parquet'").to_arrow_table()
            meant = pq.read_table(made / "warehouse" / f"{table}-00000.parquet")
            assert shown.num_rows == meant.num_rows > 0
            for name in shown.column_names:
                if name not in ("model", "judge", "judge_model"):
                    assert shown[name].to_pylist() == meant[name].to_pylist(), (table, name)
    assert {"significance", "pair_verdicts", "judge_calls", "bench_metrics", "runs", "funnel"} <= configs
    assert not configs & {"turns", "scenarios", "dialogues", "files"}
    shown = pq.read_table(io.BytesIO(hub.repo(ROWS).files()["judge_calls/train-00000-of-00001.parquet"].data))
    assert set(shown["judge_model"].to_pylist()) == {"openai:judge@(an address)"}
    assert JUDGE not in shown["judge_model"].to_pylist()


@pytest.mark.slow  # another process loads every config twice with `datasets`
def test_datasets_loads_what_was_published(hub: LocalHub, made: Path, tmp_path: Path, waits: list[float]) -> None:
    given = {"warehouse": made / "warehouse"}
    tables = ["significance", "judge_calls"]
    run_stage(
        "sage_eval.publish",
        {"dataset": ROWS, "dry_run": False, "merge": True, "tables": tables},
        given,
        tmp_path / "out",
    )
    assert {path.partition("/")[0] for path in hub.repo(ROWS).files() if path.endswith(".parquet")} == set(tables)
    assert json.loads((tmp_path / "out" / "receipts.json").read_text())[0]["status"] == "merged"


def test_a_true_report_is_published_without_its_words(made: Path, publish: Eval, tmp_path: Path) -> None:
    """The pages of this version: what was said is replaced where they show it."""
    run_stage("sage_eval.report", {"dialogues": 3}, {"warehouse": [made / "warehouse"]}, tmp_path / "run" / "report")
    whole = (tmp_path / "run" / "report" / "index.html").read_text()
    assert SITUATIONS[0] in whole
    publish(inputs={"report": tmp_path / "run" / "report"})
    shown = (sent(tmp_path) / "space" / "index.html").read_text()
    assert "(not published)" in shown
    assert not [text for text in SITUATIONS if text in shown]
    assert not [text for text in replies("plain") if "stool of room" in shown]


def test_a_changed_or_linked_page_is_refused(publish: Eval, made: Path, tmp_path: Path) -> None:
    from sage_data.errors import InputError

    folder = report(tmp_path, of=made / "warehouse")
    (folder / "data.html").write_text(
        "<!doctype html><title>Data</title><p>Nine scenarios.</p><script src='assets/site.js'></script>"
    )
    with pytest.raises(InputError, match=r"data\.html"):
        publish(inputs={"report": folder})
    (folder / "data.html").unlink()
    (folder / "data.html").symlink_to(tmp_path / "secret.html")
    with pytest.raises(InputError, match=r"data\.html"):
        publish(inputs={"report": folder})


def test_a_file_of_another_kind_stays_here_and_is_named(publish: Eval, made: Path, tmp_path: Path) -> None:
    folder = report(tmp_path, of=made / "warehouse")
    (folder / "assets" / "tool.exe").write_bytes(b"MZ")
    above = read_manifest(made / "warehouse")
    finish(folder, "sage_eval.report", above=[above] if above else [])
    publish(inputs={"report": folder}, license="cc-by-4.0")
    assert not (sent(tmp_path) / "space" / "assets" / "tool.exe").exists()
    assert (
        "assets/tool.exe (it is of no kind that static pages are made of)"
        in (sent(tmp_path) / "summary.txt").read_text()
    )
