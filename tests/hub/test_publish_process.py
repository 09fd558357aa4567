"""The command `sage data publish` as a process: killed anywhere, and loaded by `datasets` in both its modes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hub_folders import OWN, dialogue, dialogues, write_folder
from localhub import Fault, LocalHub

from sage_data.dialogue import Scenario
from sage_data.publishing.shaping import published_schema
from sage_data.store.dialogues import scenarios_to_table, to_table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
for package in ("huggingface_hub", "datasets", "jinja2"):
    pytest.importorskip(package)

REPO = "me/talk"
STAGED = {"README.md", "funnel.svg", "annotated/train-00000-of-00001.parquet"}
KILLS = {
    "create": Fault("POST", "/repos/create", stall=True),
    "xet token": Fault("GET", "/xet-write-token/", stall=True),
    "upload": Fault("PUT", "/lfs/", stall=True),
    "uploaded": Fault("PUT", "/lfs/", stall=True, lost=True),
    "commit": Fault("POST", "/commit/", stall=True),
    "committed": Fault("POST", "/commit/", stall=True, lost=True),
    "download": Fault("GET", "/resolve/", stall=True),
    "merge": Fault("POST", "/merge", stall=True),
    "merged": Fault("POST", "/merge", stall=True, lost=True),
}


def command(hub: LocalHub, tmp_path: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `sage data publish` with the Hub's address and token in its environment alone."""
    home = tmp_path / "home"
    return subprocess.Popen(
        [sys.executable, "-m", "sage_data.cli.main", "data", "publish", *arguments, "--repo", REPO],
        env={**os.environ, "HF_HOME": str(home), "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process said, once it ended well."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out, err


@pytest.mark.parametrize("place", KILLS)
def test_killed_anywhere_and_run_again(hub: LocalHub, tmp_path: Path, place: str) -> None:
    folder = write_folder(tmp_path / "annotated", [dialogues(20)])
    hub.faults.append(KILLS[place])
    by_lfs = {"HF_HUB_DISABLE_XET": "1"} if "upload" in place else {}
    arguments = (str(folder), "--out", str(tmp_path / "out"), "--merge")

    first = command(hub, tmp_path, *arguments, **by_lfs)
    assert hub.stalled.wait(60), "the planted place was reached"
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    finish(command(hub, tmp_path, *arguments, **by_lfs))

    repo = hub.repo(REPO)
    assert [set(commit.files) - {".gitattributes"} for commit in repo.history()] == [set(), STAGED]
    assert [pull.status for pull in repo.pulls] == ["merged"]
    assert [sorted(commit.files) for commit in repo.history("refs/pr/1")] == [[".gitattributes", *sorted(STAGED)]]


def test_two_configs_load_in_both_modes_with_one_schema_each(hub: LocalHub, tmp_path: Path) -> None:
    rows = to_table(dialogue(number, f"{number} " + os.urandom(600).hex()) for number in range(30_000))
    talk = write_folder(tmp_path / "talk", [rows])
    made = [Scenario(f"s{number}", f"Day {number}", "sad", "dev" if number % 3 else "train") for number in range(70)]
    scenarios = write_folder(tmp_path / "scenarios", [scenarios_to_table(made)], [OWN], name="scenarios")
    out = tmp_path / "out"
    said, _ = finish(
        command(hub, tmp_path, str(talk), str(scenarios), "--out", str(out), "--merge", "--shard-mib", "16")
    )

    assert "verified and merged" in said
    names = sorted(path for path in hub.repo(REPO).files() if path.startswith("talk/"))
    assert names == [f"talk/train-{index:05d}-of-00002.parquet" for index in range(2)]
    loaded = load(hub, tmp_path)
    assert loaded["talk"]["train"]["rows"] == 30_000
    assert {name: one["rows"] for name, one in loaded["scenarios"].items()} == {"train": 24, "dev": 46}
    for name, table in (("talk", rows), ("scenarios", scenarios_to_table(made))):
        for split in loaded[name].values():
            assert split["normal"] == split["streaming"] == plain(published_schema(table.schema))


def test_a_folder_called_like_the_repository_is_not_loaded_instead(hub: LocalHub, tmp_path: Path) -> None:
    decoy = tmp_path / "me" / "talk"
    decoy.mkdir(parents=True)
    (decoy / "train.csv").write_text("a,b\n1,2\n")
    folder = write_folder(tmp_path / "annotated", [dialogues(20)])
    finish(command(hub, tmp_path, str(folder), "--out", str(tmp_path / "out")))
    assert len(hub.repo(REPO).pulls) == 1


def plain(schema: pa.Schema) -> list[str]:
    """Names and types, without what Parquet readers call the entries of a list."""
    return [f"{field.name}: {field.type}".replace("element: ", "").replace("item: ", "") for field in schema]


LOADER = """
import json, sys
from datasets import load_dataset
from test_publish_process import plain
found = {}
for name in ("talk", "scenarios"):
    for split, rows in load_dataset("me/talk", name).items():
        stream = load_dataset("me/talk", name, split=split, streaming=True)
        first = [row for _, row in zip(range(5), stream)]
        assert first == [rows[index] for index in range(5)], (name, split)
        found.setdefault(name, {})[split] = {
            "rows": len(rows),
            "normal": plain(rows.features.arrow_schema),
            "streaming": plain(stream.features.arrow_schema),
        }
assert load_dataset("me/talk")["train"].column_names[0] == "id"
json.dump(found, sys.stdout)
"""


def load(hub: LocalHub, tmp_path: Path) -> dict[str, Any]:
    """What a user gets from `main`, in a process with an empty cache."""
    done = subprocess.run(
        [sys.executable, "-c", LOADER],
        env={**os.environ, "HF_HOME": str(tmp_path / "reader"), "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_token_is_in_no_argument_no_output_and_no_file(hub: LocalHub, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "annotated", [dialogues(20)])
    hub.faults += [Fault("POST", "/commit/", status=503), Fault("POST", "/merge", status=400)]
    process = command(hub, tmp_path, str(folder), "--out", str(tmp_path / "out"), "--merge", "--debug")
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" in err
    again = command(hub, tmp_path, str(folder), "--out", str(tmp_path / "out"), "--merge")
    said = finish(again)

    token = hub.token
    assert token.encode() not in shown
    assert token not in "".join([out, err, *said])
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "hub" not in path.relative_to(tmp_path).parts]
    assert not [path for path in kept if token.encode() in path.read_bytes()]
