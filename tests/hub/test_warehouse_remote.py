"""A warehouse on a Hub or in an S3 bucket opens by its URL: fetched once, checked byte by byte, then closed as ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_s3 import local_s3
from localhub import LocalHub
from planted_run import small_run

from sage_data.errors import ConfigError, DamagedFileError, InputError, MissingDependencyError
from sage_data.stage import run_stage
from sage_eval.warehouse import connect, query
from sage_eval.warehouse.query import QueryError, ask
from sage_eval.warehouse.remote import cache_folder, fetch

pytestmark = pytest.mark.slow

COUNT = "SELECT count(*) FROM turns"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("run")
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(parent)}, parent / "warehouse")
    return parent / "warehouse"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with local_s3(monkeypatch) as client:
        yield client


def _put(client: Any, folder: Path, below: str = "run/warehouse", bucket: str = "runs") -> None:
    client.create_bucket(Bucket=bucket)
    for path in sorted(folder.iterdir()):
        if path.is_file():
            client.upload_file(str(path), bucket, f"{below}/{path.name}")


def _published(hub: LocalHub, api: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """The commit of a dataset repository that holds a warehouse."""
    # The client reads the address when it is imported, which an earlier test may have done.
    from huggingface_hub import constants

    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    api.create_repo("me/run", repo_type="dataset", exist_ok=True)
    return str(api.upload_folder(repo_id="me/run", repo_type="dataset", folder_path=folder).oid)


def test_a_run_in_a_bucket_answers_as_the_local_one(s3: Any, warehouse: Path, cache: Path) -> None:
    _put(s3, warehouse)
    for url in ("s3://runs/run", "s3://runs/run/warehouse", "s3://runs/run/"):
        assert query(url, COUNT).rows() == query(warehouse, COUNT).rows() == [(18,)]
    assert [path.stat().st_mode & 0o777 for path in (cache / "warehouses").iterdir()] == [0o700] * 3


def test_near_and_far_open_together_by_name(s3: Any, warehouse: Path) -> None:
    _put(s3, warehouse)
    found = query(
        {"near": warehouse, "far": "s3://runs/run"}, "SELECT run, count(*) FROM all_runs.turns GROUP BY 1 ORDER BY 1"
    )
    assert found.rows() == [("far", 18), ("near", 18)]


def test_what_is_here_is_not_fetched_again_and_what_changed_is(
    s3: Any, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    _put(s3, warehouse)
    asked: list[str] = []
    real = s3fs.S3FileSystem.get_file

    def noted(self: Any, remote: str, *rest: Any, **options: Any) -> Any:
        asked.append(remote.rpartition("/")[2])
        return real(self, remote, *rest, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "get_file", noted)
    folder = fetch("s3://runs/run")
    first = len(asked)
    assert first > 40
    fetch("s3://runs/run")
    assert asked[first:] == ["manifest.json"]
    (folder / "turns-00000.parquet").write_bytes(b"spoilt")
    asked.clear()
    fetch("s3://runs/run")
    assert asked == ["manifest.json", "turns-00000.parquet"]
    assert query("s3://runs/run", COUNT).rows() == [(18,)]


def test_bytes_that_the_manifest_does_not_list_are_refused(s3: Any, warehouse: Path, cache: Path) -> None:
    _put(s3, warehouse)
    s3.put_object(Bucket="runs", Key="run/warehouse/turns-00000.parquet", Body=b"PAR1 of someone else PAR1")
    with pytest.raises(DamagedFileError, match=r"turns-00000\.parquet has other bytes than its manifest\.json lists"):
        connect("s3://runs/run")
    assert not list(cache.rglob("turns-*"))
    assert not list(cache.rglob(".tmp-*"))


def test_a_file_that_is_gone_is_named(s3: Any, warehouse: Path) -> None:
    _put(s3, warehouse)
    s3.delete_object(Bucket="runs", Key="run/warehouse/turns-00000.parquet")
    with pytest.raises(InputError, match="s3://runs/run: cannot be read: FileNotFoundError"):
        connect("s3://runs/run")


def test_only_what_belongs_to_a_warehouse_is_fetched(s3: Any, warehouse: Path, tmp_path: Path) -> None:
    manifest = json.loads((warehouse / "manifest.json").read_text(encoding="utf-8"))
    for path in ("../../escaped.parquet", "model.safetensors", "turns-00000.parquet/../../x"):
        manifest["files"].append({"path": path, "bytes": 1, "sha256": "0" * 64})
    _put(s3, warehouse)
    s3.put_object(Bucket="runs", Key="run/warehouse/manifest.json", Body=json.dumps(manifest).encode())
    folder = fetch("s3://runs/run")
    assert all(
        path.suffix == ".parquet" or path.name in ("manifest.json", "warehouse.json") for path in folder.iterdir()
    )
    assert not list(tmp_path.rglob("escaped*"))


def test_what_is_no_warehouse_or_has_no_manifest_is_refused(s3: Any, warehouse: Path) -> None:
    _put(s3, warehouse)
    with pytest.raises(InputError, match=r"expected a warehouse .* found none"):
        connect("s3://runs/elsewhere")
    with pytest.raises(InputError, match="no-such-bucket"):
        connect("s3://no-such-bucket/run")
    s3.delete_object(Bucket="runs", Key="run/warehouse/manifest.json")
    with pytest.raises(InputError, match=r"expected manifest\.json beside warehouse\.json, found none"):
        connect("s3://runs/run")


def test_a_dataset_of_the_hub_opens_at_a_revision(
    hub: LocalHub, api: Any, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = _published(hub, api, monkeypatch, warehouse)
    api.delete_file("turns-00000.parquet", repo_id="me/run", repo_type="dataset")
    assert query(f"hf://datasets/me/run@{commit}", COUNT).rows() == [(18,)]
    with pytest.raises(InputError, match="hf://datasets/me/run: cannot be read"):
        connect("hf://datasets/me/run")


def test_the_command_line_reads_the_hub(
    hub: LocalHub, api: Any, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = _published(hub, api, monkeypatch, warehouse)
    code = "from sage_data.cli.main import main; main()"
    given = [
        "eval",
        "sql",
        "--warehouse",
        f"a=hf://datasets/me/run@{commit}",
        "--csv",
        f"{COUNT.replace('turns', 'a.turns')}",
    ]
    run = subprocess.run(
        [sys.executable, "-c", code, *given], capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert (run.stdout, run.stderr, run.returncode) == ("count_star()\n18\n", "", 0)


@pytest.mark.parametrize(
    "attack",
    [
        "FROM read_parquet('s3://runs/run/warehouse/turns-00000.parquet')",
        "FROM 's3://runs/run/warehouse/turns-00000.parquet'",
        "FROM read_text('{cache}/manifest.json')",
        "FROM read_parquet('{cache}/turns-00000.parquet')",
        "ATTACH 's3://runs/run' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT sql FROM duckdb_views()",
        "FROM duckdb_secrets()",
        "FROM which_secret('s3://runs/run', 's3')",
    ],
)
def test_a_fetched_warehouse_is_as_closed_as_a_local_one(s3: Any, warehouse: Path, attack: str) -> None:
    _put(s3, warehouse)
    with connect({"far": "s3://runs/run"}) as connection, pytest.raises(QueryError):
        ask(connection, attack.format(cache=fetch("s3://runs/run")))


def test_a_url_with_a_password_or_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="may not hold a password") as caught:
        connect("s3://me:hush@host/run")
    assert "hush" not in str(caught.value)
    with pytest.raises(ConfigError, match="no file system for gopher://"):
        connect("gopher://host/run")


@pytest.mark.parametrize(
    ("url", "module", "extra"), [("s3://b/run", "s3fs", "s3"), ("hf://datasets/o/n", "huggingface_hub", "hub")]
)
def test_a_missing_package_is_named_with_its_extra(
    url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = pytest.importorskip("fsspec.registry")
    monkeypatch.setitem(sys.modules, module, None)
    for scheme in ("s3", "hf"):
        monkeypatch.delitem(registry._registry, scheme, raising=False)
    with pytest.raises(MissingDependencyError) as caught:
        connect(url)
    assert caught.value.next_step == f"pip install 'sage-dialogue[{extra}]'"


def test_a_local_warehouse_needs_no_network_and_no_cache(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refused(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert query(warehouse, COUNT).rows() == [(18,)]
    assert not cache_folder().exists()
