"""Datasets through the `datasets` library: saved to disk, or by address; columns tell the format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sage_data.corpora import hub
from sage_data.corpora.formats import Format
from sage_data.corpora.hub import Address, HubDataset, parse
from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.dialogues import read_dialogues

HI = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("hf://datasets/org/name", Address("org/name", None, None)),
        ("hf://datasets/org/name@refs%2Fpr%2F1", Address("org/name", "refs/pr/1", None)),
        ("hf://datasets/org/name@main/data/a.parquet", Address("org/name", "main", "data/a.parquet")),
    ],
)
def test_addresses(location: str, address: Address) -> None:
    assert parse(location) == address


def test_an_address_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected hf://datasets/"):
        parse("hf://datasets/")
    pytest.importorskip("datasets")
    with pytest.raises(ConfigError, match="another in --revision"):
        hub.open_hub("hf://datasets/org/name@one", None, "two", None)


def test_saved_to_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    made = {
        "train_sft": datasets.Dataset.from_list([{"messages": HI, "prompt_id": "a"}]),
        "test": datasets.Dataset.from_list([{"conversations": [{"from": "human", "value": "Hm"}]}]),
    }
    datasets.DatasetDict(made).save_to_disk(str(tmp_path / "saved"))
    run_stage("sage_data.corpora", {}, {"source": [tmp_path / "saved"]}, tmp_path / "out")
    found = list(read_dialogues(tmp_path / "out"))
    assert [(one.id, one.source.corpus, len(one.utterances)) for one in found] == [
        ("saved-train-a", "saved", 2),
        ("saved-test-saved:1", "saved", 1),
    ]
    run_stage("sage_data.corpora", {"split": "test"}, {"source": [tmp_path / "saved"]}, tmp_path / "one")
    assert len(list(read_dialogues(tmp_path / "one"))) == 1
    with pytest.raises(InputError, match="no split 'dev'; found train_sft, test"):
        run_stage("sage_data.corpora", {"split": "dev"}, {"source": [tmp_path / "saved"]}, tmp_path / "none")


def test_unknown_columns_and_lost_connections_are_said() -> None:
    with pytest.raises(InputError, match="found text, label"):
        list(hub.read(HubDataset("d:train", "train", [{"text": "x", "label": 1}]), Format.AUTO, "drop"))

    def rows() -> Any:
        yield {"messages": HI}
        raise ConnectionError("gone")

    items = hub.read(HubDataset("d:train", "train", rows()), Format.AUTO, "drop")
    next(items)
    with pytest.raises(InputError, match="broke off: ConnectionError: gone"):
        next(items)


def test_no_split_is_made_up_for_what_was_saved_without(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([{"messages": HI, "id": "a"}]).save_to_disk(str(tmp_path / "saved"))
    run_stage("sage_data.corpora", {}, {"source": [tmp_path / "saved"]}, tmp_path / "out")
    (found,) = read_dialogues(tmp_path / "out")
    assert (found.id, found.source.split) == ("saved-a", None)
