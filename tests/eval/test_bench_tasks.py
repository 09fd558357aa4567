"""Task files whose data paths are relative to themselves."""

import pytest
from bench_material import write_tasks
from ruamel.yaml import YAML

from sage_data.errors import InputError
from sage_eval.bench.tasks import resolved


def test_data_files_become_absolute_and_the_rest_stays(tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    before = {path: path.read_bytes() for path in tasks.rglob("*") if path.is_file()}
    with resolved(tasks) as folder:
        animals, sums = (YAML(typ="rt").load(folder / name) for name in ("animals.yaml", "sums.yaml"))
        assert animals["dataset_kwargs"]["data_files"] == {"test": str(tasks / "data" / "animals.jsonl")}
        assert sums["dataset_kwargs"]["data_files"] == {"test": [str(tasks / "data" / "sums.jsonl")]}
        assert animals["process_docs"].tag.value == "!function"
        assert (folder / "steps.py").is_file()
        assert animals["doc_to_text"] == "Question: {{question}}\nAnswer:"
    assert not folder.exists()
    assert {path: path.read_bytes() for path in tasks.rglob("*") if path.is_file()} == before


def test_tasks_of_the_hub_are_left_alone(tmp_path):
    text = "task: mine\ndataset_path: baber/piqa\ninclude: other.yaml\n"
    (tmp_path / "mine.yaml").write_text(text)
    with resolved(tmp_path) as folder:
        assert (folder / "mine.yaml").read_text() == text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "found none"),
        ({"a.yaml": "dataset_path: json\ndataset_kwargs: {data_files: gone.jsonl}\n"}, "gone.jsonl"),
        ({"a.yaml": "task: [unclosed\n"}, "not a readable YAML"),
    ],
)
def test_refuses_folders_that_cannot_be_run(tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said), resolved(tmp_path):
        pass
