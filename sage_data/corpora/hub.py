"""Datasets of the Hugging Face Hub, or ones that `datasets` saved to disk, row by row.

    sage data load hf://datasets/ORG/NAME --split train_sft --revision main --out loaded/
    sage data load saved_to_disk/ --out loaded/

Rows are streamed, so nothing is downloaded whole; their columns tell the format. No code of a repository is ever run:
this version of `datasets` cannot, and it is not asked to. Which commit was read, and the licence that the card of that
commit states, become the origin of every row; of several licences, all are recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from sage_data.corpora import dailydialog, messages, sharegpt
from sage_data.corpora.formats import Format, detect_row
from sage_data.corpora.records import Items
from sage_data.corpora.speaking import System, dialogues_of
from sage_data.errors import ConfigError, InputError
from sage_data.stage import Origin

PREFIX = "hf://datasets/"
PAGES = "https://huggingface.co/datasets/"
CARD = "README.md"
UNKNOWN = "unknown"
"""Licence where nobody states one."""
_SAVED = ("dataset_dict.json", "state.json")
_REPOSITORY = re.compile(r"(?P<name>[^/@]+(?:/[^/@]+)?)(?:@(?P<revision>[^/]+))?(?:/(?P<inside>.+))?")


@dataclass(frozen=True, slots=True)
class HubDataset:
    """One split of a dataset, ready to be read."""

    name: str
    """Of the dataset, and of the file or split in it."""
    split: str | None
    """None where nothing says which it is."""
    rows: Iterable[Mapping[str, Any]]
    origins: tuple[Origin, ...] = ()
    """One for each licence that is stated; empty for what was saved to disk."""


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
        ConfigError: the address is none, or names another revision than the option, or a local folder has its name.
        InputError: there is no such dataset or split, or it cannot be reached.
        ModuleNotFoundError: `datasets` is not installed.
    """
    import datasets

    address = _asked(location, revision)
    try:
        builder = datasets.load_dataset_builder(
            address.repository, subset, revision=address.revision, data_files=address.inside
        )
        found = builder.as_streaming_dataset(split=split)
        commit = _commit(builder.base_path)
        origins = _origins(address.repository, commit, _card(address.repository, commit or address.revision))
    except Exception as error:
        # The Hub's client raises errors of many kinds: no network, no permission, no such name, no such split.
        raise InputError(
            f"{location}: cannot be read: {type(error).__name__}: {str(error)[:300]}",
            next_step="check the name, --split, --revision and the network; HF_TOKEN opens private ones",
        ) from error
    return _splits(address.repository, found, split, origins)


def _asked(location: str, revision: str | None) -> Address:
    """The address with the option's revision; refuses what would be read from elsewhere."""
    address = parse(location)
    if revision and address.revision and revision != address.revision:
        raise ConfigError(f"{location}: expected one revision, found another in --revision: {revision}")
    if Path(address.repository).exists():
        raise ConfigError(
            f"{location}: the folder {address.repository} here would be read instead",
            next_step="run it from another folder, or give the local folder's path",
        )
    return replace(address, revision=revision or address.revision)


def check_license(location: str, opened: Iterable[HubDataset], given: str | None) -> None:
    """Refuse a licence that is not the one that the dataset's card states.

    Raises:
        ConfigError: the card states another one.
    """
    stated = sorted({origin.license for one in opened for origin in one.origins} - {UNKNOWN})
    if given and stated and stated != [given.lower()]:
        raise ConfigError(
            f"{location}: its card states the licence {', '.join(stated)}, found --license {given}",
            next_step="leave --license out: the card's is recorded",
        )


def _commit(base: str | None) -> str | None:
    """The commit in a builder's `hf://datasets/ORG/NAME@COMMIT`; None when it reads from elsewhere."""
    return parse(base).revision if base and is_hub(base) else None


def _card(repository: str, revision: str | None) -> Any:
    """What the head of the dataset's card states; None without a card. `datasets` has fetched it already."""
    from huggingface_hub import DatasetCard, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return DatasetCard.load(hf_hub_download(repository, CARD, repo_type="dataset", revision=revision)).data
    except EntryNotFoundError:
        return None


def _origins(repository: str, commit: str | None, card: Any) -> tuple[Origin, ...]:
    """One origin for each licence that the card states, or one that is unknown."""
    stated = getattr(card, "license", None)
    listed = [one.lower() for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, str) and one]
    named = [getattr(card, name, None) for name in ("license_name", "license_link")]
    notes = [f"Revision {commit}."] if commit else []
    notes += [f"Its licence: {', '.join(str(one) for one in named if one)}."] if any(named) else []
    return tuple(
        Origin(name=repository, license=one, url=f"{PAGES}{repository}", note=" ".join(notes))
        for one in listed or [UNKNOWN]
    )


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
    return _splits(path.name, found, split, ())


def _splits(name: str, found: Any, split: str | None, origins: tuple[Origin, ...]) -> list[HubDataset]:
    if isinstance(found, dict):
        return [HubDataset(f"{name}:{one}", one, rows, origins) for one, rows in found.items()]
    told = split or str(getattr(found, "split", None) or "") or None
    return [HubDataset(f"{name}:{told}" if told else name, told, found, origins)]


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
        return dialogues_of(numbered, messages.from_row, system)
    if told is Format.SHAREGPT:
        return dialogues_of(numbered, sharegpt.from_row, system)
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
