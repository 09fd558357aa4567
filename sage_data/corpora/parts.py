"""From inputs to parts: each file, or split of a dataset, with its format, its reader and what it derives from.

What lies in a folder and is of no known format, or of another split than asked for, is left out and said so.

    found = find_parts(inputs.many("source"), Wanted(split="test"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sage_data.corpora import dailydialog, hub
from sage_data.corpora.files import CorpusFile, split_of
from sage_data.corpora.formats import Format, detect, origins, reader
from sage_data.corpora.records import Items
from sage_data.corpora.speaking import System
from sage_data.dialogue import Split
from sage_data.errors import ConfigError, DamagedFileError, InputError
from sage_data.inputs import Input
from sage_data.stage import Origin
from sage_data.store.files import regular_files

TEXTS = frozenset({".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".tsv", ".csv"})
"""Endings, once unpacked, of files in a folder that are looked into."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that say what to read."""

    format: Format = Format.AUTO
    split: str | None = None
    revision: str | None = None
    subset: str | None = None
    system: System = "drop"
    license: str | None = None
    """Refused where a dataset of the Hub states another one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file, or one split of a dataset."""

    name: str
    stem: str
    """What ids that have no other are made of."""
    split: str | None
    format: Format
    """AUTO where only its rows tell."""
    origins: tuple[Origin, ...]
    """Empty for formats that anyone may use."""
    read: Callable[[], Items]


@dataclass(slots=True)
class Parts:
    """What there is to read."""

    parts: list[Part] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    """Name of a file that is not read -> why."""


def find_parts(given: Sequence[Input], wanted: Wanted) -> Parts:
    """Everything that the inputs hold, in the order given, the files of a folder by name; those of no split come last.

    So a sample that repeats records of a split is what counts as their duplicate, not the split.

    Raises:
        InputError: there is nothing to read, a named file is of no known format, or a dataset cannot be opened.
        ConfigError: a URL is not one of the Hub, or its card states another licence than the option.
        DamagedFileError: a file is damaged at its very beginning.
    """
    found = Parts()
    for one in given:
        if one.url is not None:
            found.parts += _of_hub(one.url, wanted)
        elif one.path.is_dir() and hub.is_saved(one.path):
            found.parts += _of_datasets(hub.open_saved(one.path, wanted.split), wanted)
        else:
            _add_files(one.path, wanted, found)
    if not found.parts:
        said = "; ".join(f"{name}: {why}" for name, why in list(found.left.items())[:5])
        raise InputError(
            f"expected a corpus of a known format, found none ({said or 'no file'})",
            next_step="give its files, and their format with --format; sage data load --help lists the formats",
        )
    found.parts.sort(key=lambda part: part.split is None)
    return found


def _of_hub(url: str, wanted: Wanted) -> list[Part]:
    if not hub.is_hub(url):
        raise ConfigError(f"expected a local path or {hub.PREFIX}ORG/NAME, found {url}", next_step="download it first")
    opened = hub.open_hub(url, wanted.split, wanted.revision, wanted.subset)
    hub.check_license(url, opened, wanted.license)
    return _of_datasets(opened, wanted)


def _of_datasets(datasets: Sequence[hub.HubDataset], wanted: Wanted) -> list[Part]:
    return [
        Part(
            one.name,
            one.name.partition(":")[0].rpartition("/")[2],
            split_of(one.split or "") or one.split,
            wanted.format,
            one.origins,
            partial(hub.read, one, wanted.format, wanted.system),
        )
        for one in datasets
    ]


def _add_files(path: Path, wanted: Wanted, found: Parts) -> None:
    """The files of a folder that can be told, or the one file that was named."""
    named = path.is_file()
    for file in (CorpusFile.at(one, path) for one in _candidates(path, wanted, found)):
        chosen = _format(file, wanted.format, named=named)
        if chosen is None and named:
            raise InputError(
                f"{path}: expected a known format, found none of them",
                next_step="say which it is: --format messages",
            )
        if chosen is None:
            found.left[file.name] = "of no known format"
        elif not _is_wanted(file.split, wanted.split):
            found.left[file.name] = f"split {file.split or 'unknown'}"
        else:
            found.parts.append(_part(file, chosen, wanted))


def _candidates(path: Path, wanted: Wanted, found: Parts) -> Iterator[Path]:
    """Files that may hold dialogues; those with labels of others are read with them."""
    if path.is_file():
        yield path
        return
    for one in regular_files(path):
        if one.name.startswith("."):
            continue
        if CorpusFile.at(one).ending not in TEXTS:
            found.left[one.name] = "no such file is read"
        elif _has_dialogues(one, wanted):
            found.left[one.name] = "labels, read with their dialogues"
        else:
            yield one


def _has_dialogues(path: Path, wanted: Wanted) -> bool:
    """True for a file of labels beside the dialogues of DailyDialog that they belong to."""
    owner = dailydialog.labelled_file(path)
    return owner is not None and _format(CorpusFile.at(owner), wanted.format, named=False) is Format.DAILYDIALOG


def _format(file: CorpusFile, chosen: Format, *, named: bool) -> Format | None:
    if chosen is not Format.AUTO:
        return chosen
    try:
        return detect(file)
    except DamagedFileError:
        if named or file.path.stat().st_size:
            raise
        return None  # an empty file in a folder, such as a mark that something is done


def _is_wanted(split: Split | None, wanted: str | None) -> bool:
    return wanted is None or (split is not None and split == (split_of(wanted) or wanted))


def _part(file: CorpusFile, chosen: Format, wanted: Wanted) -> Part:
    read = partial(reader(chosen, file, wanted.system), file)
    return Part(file.name, file.stem, file.split, chosen, tuple(origins(chosen, file)), read)
