"""Finds the dialogues without text in what was published, downloaded or staged, and reads them part by part.

A published dataset is `<config>/<split>-00000-of-0000N.parquet` beside a README; one config's folder, one file, or the
folder of the stage that staged it will do too. What counts is the columns, not the names.

    shards = find_withheld(Path("published/dataset"), config=None, split=None)
    for table in read_parts(shards): ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, DamagedFileError, InputError
from sage_data.inputs import INSIDE
from sage_data.publishing.withholding import WITHHELD_SCHEMA
from sage_data.store.dialogues import DIALOGUE_SCHEMA
from sage_data.store.files import TEMPORARY
from sage_data.store.manifest import Origin
from sage_data.store.shards import REJECTED

PART_ROWS = 16_384
"""Dialogues that are rebuilt together: few enough to hold with their text, many enough to be worth a shard."""
_SOURCE_ID = re.compile(r"utterances\.list\.[^.]+\.source_id")
"""Parquet's name for the column of comment ids: writers differ in what they call the entries of a list."""
_NUMBERED = re.compile(r"(?P<split>.+?)-(?P<index>[0-9]{5,})(?:-of-(?P<count>[0-9]{5,}))?\.parquet")
_FRONT_MATTER = re.compile(r"---\r?\n(?P<yaml>.*?)\r?\n---\r?\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Shard:
    """One file of withheld dialogues."""

    path: Path
    split: str
    count: int | None
    """How many shards its name says the split has, when it says so."""


def find_withheld(place: Path, config: str | None, split: str | None) -> list[Path]:
    """The files of one split of one config, in order.

    Raises:
        ConfigError: there are several configs or splits, and none or an unknown one is named.
        InputError: there is no dialogue without text, or a shard is missing.
        DamagedFileError: a file is no Parquet.
    """
    found = [_shard(path) for path in _parquet_files(place) if _is_withheld(path)]
    if not found:
        raise _nothing(place)
    folder = _choose("config", {one.path.parent.name for one in found}, config, place)
    inside = [one for one in found if one.path.parent.name == folder]
    if len(places := {str(one.path.parent) for one in inside}) > 1:
        raise ConfigError(
            f"{place}: expected one config {folder!r}, found several: {', '.join(sorted(places))}",
            next_step="give the folder of one of them",
        )
    name = _choose("split", {one.split for one in inside}, split, place)
    return _complete([one for one in inside if one.split == name])


def _complete(shards: Sequence[_Shard]) -> list[Path]:
    """Paths of the shards of one split, in order, once there are as many as their names say."""
    stated = {one.count for one in shards if one.count is not None}
    if stated and stated != {len(shards)}:
        raise InputError(
            f"{shards[0].path.parent}: expected {max(stated):,} shards of {shards[0].split}, as their names say; found "
            f"{len(shards):,}",
            next_step="download the dataset again",
        )
    return sorted(one.path for one in shards)


def read_parts(shards: Sequence[Path]) -> Iterator[pa.Table]:
    """Rows of `WITHHELD_SCHEMA`, at most `PART_ROWS` at once; cut at the same rows every time.

    Raises:
        InputError: a file has other columns.
        DamagedFileError: a file is no Parquet.
    """
    for path, table in _pieces(shards):
        try:
            yield table.select(WITHHELD_SCHEMA.names).cast(WITHHELD_SCHEMA)
        except (KeyError, ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(
                f"{path}: expected the columns that `sage data publish` writes for dialogues without text, found "
                f"others: {error}",
                next_step="download the dataset again, or upgrade sage-dialogue",
            ) from error


def read_source_ids(shards: Sequence[Path]) -> Iterator[pa.StringArray]:
    """Comment ids (utterances,) of each part that `read_parts` gives, and nothing else of it."""
    for _, table in _pieces(shards, _SOURCE_ID):
        listed = table["utterances"].combine_chunks()
        yield pa.compute.struct_field(pa.compute.list_flatten(listed), "source_id").cast(pa.string())


def stated_origin(place: Path) -> Origin:
    """What a downloaded dataset says of itself in the front matter of its README: name and licence."""
    for folder in (place, *place.absolute().parents[:INSIDE]):
        if (folder / "README.md").is_file():
            stated = _front_matter((folder / "README.md").read_text(encoding="utf-8", errors="replace"))
            name, license_id = stated.get("pretty_name"), stated.get("license")
            return Origin(name=str(name or folder.name), license=str(license_id or "unknown"), note="Tags and choice.")
    return Origin(name=place.stem, license="unknown", note="Tags and choice.")


def _front_matter(readme: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    matched = _FRONT_MATTER.match(readme)
    try:
        value = YAML(typ="safe", pure=True).load(matched["yaml"]) if matched else None
    except YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def _pieces(shards: Sequence[Path], only: re.Pattern[str] | None = None) -> Iterator[tuple[Path, pa.Table]]:
    for path in shards:
        try:
            with pq.ParquetFile(path) as file:
                names = [column.path for column in map(file.schema.column, range(len(file.schema)))]
                columns = None if only is None else [name for name in names if only.fullmatch(name)]
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group, columns=columns)
                    for start in range(0, table.num_rows, PART_ROWS):
                        yield path, table.slice(start, PART_ROWS)
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged(path, error) from error


def _parquet_files(place: Path) -> list[Path]:
    """Parquet files at or below a place, but for rejected rows and what is hidden."""
    if place.is_file():
        return [place]
    found = []
    for path in place.rglob("*.parquet"):
        inside = path.relative_to(place).parts
        hidden = any(part.startswith(".") or part == REJECTED for part in inside)
        if path.is_file() and not hidden and not path.name.startswith(TEMPORARY):
            found.append(path)
    return sorted(found)


def _is_withheld(path: Path) -> bool:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error
    return "text_sha256" in _utterance_fields(schema)


def _utterance_fields(schema: pa.Schema) -> list[str]:
    """Names of the fields of an utterance; none where a table has no utterances."""
    if "utterances" not in schema.names or not pa.types.is_list(schema.field("utterances").type):
        return []
    inner = schema.field("utterances").type.value_type
    return [inner.field(place).name for place in range(inner.num_fields)]


def _shard(path: Path) -> _Shard:
    named = _NUMBERED.fullmatch(path.name)
    if named is None:
        return _Shard(path, path.stem, None)
    return _Shard(path, named["split"], int(named["count"]) if named["count"] else None)


def _choose(kind: str, known: set[str], wanted: str | None, place: Path) -> str:
    """The one there is, or the one that was asked for."""
    if wanted is None and len(known) == 1:
        return next(iter(known))
    if wanted in known:
        return str(wanted)
    raise ConfigError(
        f"{place}: expected {'one ' + kind if wanted is None else f'the {kind} {wanted!r}'}, found "
        f"{', '.join(sorted(known))}",
        next_step=f"choose one: --{kind} {min(known)}",
    )


def _nothing(place: Path) -> InputError:
    whole = any(
        _utterance_fields(pq.read_schema(path)) == DIALOGUE_SCHEMA.field("utterances").type.value_type.names
        for path in _parquet_files(place)
    )
    if whole:
        return InputError(
            f"{place}: expected dialogues without text, found dialogues that have theirs",
            next_step="use them as they are",
        )
    return InputError(
        f"{place}: expected dialogues that were published without their text, found none",
        next_step="give the folder of the downloaded dataset, which holds <config>/train-00000-of-....parquet",
    )


def _damaged(path: Path, error: Exception) -> DamagedFileError:
    return DamagedFileError(f"{path}: not a readable Parquet file: {error}", next_step="download the dataset again")
