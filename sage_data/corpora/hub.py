"""Datasets of the Hugging Face Hub, or ones that `datasets` saved to disk, row by row.

    sage data load hf://datasets/ORG/NAME --split train_sft --revision main --out loaded/
    sage data load saved_to_disk/ --out loaded/

Rows are streamed, so nothing is downloaded whole; their columns tell the format. No code of a repository is ever run:
this version of `datasets` cannot, and it is not asked to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sage_data.corpora import dailydialog, messages, sharegpt
from sage_data.corpora.formats import Format, detect_row
from sage_data.corpora.records import Items
from sage_data.corpora.speaking import System
from sage_data.errors import ConfigError, InputError

PREFIX = "hf://datasets/"
_SAVED = ("dataset_dict.json", "state.json")
_REPOSITORY = re.compile(r"(?P<name>[^/@]+(?:/[^/@]+)?)(?:@(?P<revision>[^/]+))?(?:/(?P<inside>.+))?")


@dataclass(frozen=True, slots=True)
class HubDataset:
    """One split of a dataset, ready to be read."""

    name: str
    """Of the dataset, and of the file or split in it."""
    split: str
    rows: Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Address:
    """What an address on the Hub names."""

    repository: str
    revision: str | None
    inside: str | None
    """A file or pattern in the repository; None for what its card declares."""


def is_hub(location: str) -> bool:
    """True for the address of a dataset on the Hub."""
    return location.startswith(PREFIX)


def is_saved(path: Path) -> bool:
    """True for a folder that `datasets` saved to disk."""
    return any((path / name).is_file() for name in _SAVED)


def parse(location: str) -> Address:
    """Read `hf://datasets/ORG/NAME[@REVISION][/FILE]`.

    Raises:
        ConfigError: it is no such address.
    """
    found = _REPOSITORY.fullmatch(location.removeprefix(PREFIX).rstrip("/"))
    if found is None:
        raise ConfigError(f"expected {PREFIX}ORG/NAME, with @REVISION and /FILE if need be; found {location}")
    # In an address a slash of a revision is written %2F: refs%2Fpr%2F1.
    revision = found["revision"].replace("%2F", "/") if found["revision"] else None
    return Address(found["name"], revision, found["inside"])


def open_hub(location: str, split: str | None, revision: str | None, subset: str | None) -> list[HubDataset]:
    """The splits of a dataset on the Hub.

    Raises:
        ConfigError: the address is none, or names another revision than the option.
        InputError: there is no such dataset or split, or it cannot be reached.
        ModuleNotFoundError: `datasets` is not installed.
    """
    import datasets

    address = parse(location)
    if revision and address.revision and revision != address.revision:
        raise ConfigError(f"{location}: expected one revision, found another in --revision: {revision}")
    asked = {"split": split, "revision": revision or address.revision, "data_files": address.inside}
    try:
        found = datasets.load_dataset(address.repository, subset, streaming=True, **asked)
    except Exception as error:
        # The Hub's client raises errors of many kinds: no network, no permission, no such name, no such split.
        raise InputError(
            f"{location}: cannot be read: {type(error).__name__}: {str(error)[:300]}",
            next_step="check the name, --split, --revision and the network; HF_TOKEN opens private ones",
        ) from error
    return _splits(address.repository, found, split)


def open_saved(path: Path, split: str | None) -> list[HubDataset]:
    """The splits of a dataset that was saved to disk.

    Raises:
        InputError: it cannot be read, or has no such split.
        ModuleNotFoundError: `datasets` is not installed.
    """
    import datasets

    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:
        # A damaged Arrow file or description raises errors of many kinds.
        raise InputError(f"{path}: not a dataset that was saved to disk: {type(error).__name__}: {error}") from error
    if split is not None and isinstance(found, dict):
        if split not in found:
            raise InputError(f"{path}: no split {split!r}; found {', '.join(found)}")
        found = found[split]
    return _splits(path.name, found, split)


def _splits(name: str, found: Any, split: str | None) -> list[HubDataset]:
    if isinstance(found, dict):
        return [HubDataset(f"{name}:{one}", one, rows) for one, rows in found.items()]
    told = split or str(getattr(found, "split", None) or "train")
    return [HubDataset(f"{name}:{told}", told, found)]


def read(dataset: HubDataset, chosen: Format, system: System) -> Items:
    """The dialogues of one split.

    Raises:
        InputError: its columns are of no known format, or reading broke off.
    """
    rows = _reached(dataset)
    first = next(rows, None)
    told = detect_row(first) if chosen is Format.AUTO else chosen
    numbered = enumerate(chain([] if first is None else [first], rows), 1)
    if told is Format.MESSAGES:
        return messages.from_rows(numbered, system)
    if told is Format.SHAREGPT:
        return sharegpt.from_rows(numbered, system)
    if told is Format.DAILYDIALOG:
        return dailydialog.from_rows(numbered)
    columns = ", ".join(first) if isinstance(first, Mapping) else "no row"
    raise InputError(
        f"{dataset.name}: expected a column of messages (role and content) or conversations (from and value), "
        f"found {columns}",
        next_step="download its files and give their format: --format",
    )


def _reached(dataset: HubDataset) -> Iterator[Mapping[str, Any]]:
    try:
        yield from dataset.rows
    except Exception as error:
        # See `open_hub`: a lost connection or a damaged file, under many names.
        raise InputError(
            f"{dataset.name}: reading broke off: {type(error).__name__}: {str(error)[:300]}",
            next_step="run again: finished shards are kept",
        ) from error
