"""A mirror of benchmark data from a Hub: the true client over real HTTP, and no more files than the tasks read."""

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sage_eval.bench.mirror.hub import config_files

README = """\
---
configs:
- config_name: winogrande_xl
  data_files:
  - split: train
    path: xl/train-*
  - split: validation
    path: [xl/validation-*]
- config_name: winogrande_xs
  data_files: xs/*
---
# Winogrande
"""


def test_only_the_files_of_the_configs_that_are_read():
    configs = [
        {
            "config_name": "a",
            "data_files": [{"split": "test", "path": "a/t-*"}, {"split": "dev", "path": ["a/d-*", "a/e-*"]}],
        },
        {"config_name": "b", "data_files": {"test": "b/*"}},
        {"config_name": "c", "data_files": "c.csv"},
        {"config_name": "d"},
    ]
    readme = {"configs": configs}
    assert config_files(readme, ["a"]) == ["README.md", "a/t-*", "a/d-*", "a/e-*"]
    assert config_files(readme, ["b", "c"]) == ["README.md", "b/*", "c.csv"]
    assert config_files(readme, ["e"]) is None
    assert config_files({}, ["default"]) is None


@pytest.mark.slow
def test_a_mirror_from_the_hub(hub, api, tmp_path):
    pytest.importorskip("lm_eval")
    rows = [{"sentence": f"So _ was {n}.", "option1": "it", "option2": "he", "answer": "1"} for n in range(3)]
    folder = tmp_path / "dataset"
    for name, count in (("xl/train-0", 3), ("xl/validation-0", 2), ("xs/train-0", 1)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows[:count]), folder / f"{name}.parquet")
    (folder / "README.md").write_text(README)
    api.create_repo("allenai/winogrande", repo_type="dataset")
    commit = api.upload_folder(repo_id="allenai/winogrande", repo_type="dataset", folder_path=folder)
    main = [sys.executable, "-c", "from sage_data.cli.main import main; main()"]
    command = [*main, "eval", "bench", "mirror", "--tasks", "winogrande", "--quiet"]
    made = subprocess.run(
        [*command, "--hub", "--out", str(tmp_path / "mirror")], check=True, capture_output=True, text=True
    )
    assert "Fetching" not in made.stderr
    found = json.loads((tmp_path / "mirror" / "mirror.json").read_text())["splits"]
    assert [(one["split"], one["rows"], one["source"]) for one in found] == [
        ("train", 3, f"commit {commit.oid}"),
        ("validation", 2, f"commit {commit.oid}"),
    ]
    cached = [path.name for path in (tmp_path / "home").rglob("*.parquet")]
    assert sorted(cached) == ["train-0.parquet", "validation-0.parquet"]
    asked = len(hub.asked("GET", ""))
    subprocess.run([*command, "--out", str(tmp_path / "again")], check=True)
    assert len(hub.asked("GET", "")) == asked
    assert (tmp_path / "again" / "mirror.json").read_text() == (tmp_path / "mirror" / "mirror.json").read_text()
