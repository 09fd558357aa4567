"""Columns as a card states them: in the YAML form that `datasets` reads back, and in words for people.

yaml_features(schema)      # [{"name": "id", "dtype": "string"}, ...]
described("dialogues", schema)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sage_data.errors import PublishError
from sage_data.publishing.card.meanings import meaning


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or one field inside it."""

    path: str
    """For example `utterances[].state.emotion`; `[]` stands for each element of a list."""
    type: str
    meaning: str


def yaml_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """A schema as the `features` of a card's `dataset_info`; `datasets` reads the same types from it as from Parquet.

    Raises:
        PublishError: a column has a type that has no such form here.
    """
    return [{"name": field.name, **_feature(field.type, field.name)} for field in schema]


def described(table: str, schema: pa.Schema) -> list[Column]:
    """Every column of a table and every field inside it, outer ones first, with its type and what it means."""
    return [Column(path, in_words(kind), meaning(table, path)) for path, kind in leaves(schema)]


def leaves(fields: pa.Schema | pa.StructType, above: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """Path and type of every column and of every field inside one."""
    for field in fields:
        path = f"{above}{field.name}"
        yield path, field.type
        inner, inside = field.type, path
        while _is_list(inner):
            inner, inside = inner.value_type, f"{inside}[]"
        if pa.types.is_struct(inner):
            yield from leaves(inner, f"{inside}.")


def in_words(kind: pa.DataType) -> str:
    """A type as people say it."""
    if _is_list(kind):
        return f"list of {in_words(kind.value_type)}"
    return "struct" if pa.types.is_struct(kind) else str(kind)


def _feature(kind: pa.DataType, name: str) -> dict[str, Any]:
    if _is_list(kind):
        inner = _feature(kind.value_type, name)
        key = "large_list" if pa.types.is_large_list(kind) else "list"
        short = next(iter(inner.values())) if list(inner) in (["dtype"], ["struct"]) else inner
        return {key: short}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **_feature(field.type, field.name)} for field in kind]}
    if pa.types.is_primitive(kind) and not pa.types.is_temporal(kind):
        return {"dtype": {"double": "float64", "float": "float32", "halffloat": "float16"}.get(str(kind), str(kind))}
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return {"dtype": str(kind)}
    raise PublishError(
        f"column {name!r}: expected text, numbers, lists or structs, found {kind}",
        next_step="leave the column out, or write it as text",
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
