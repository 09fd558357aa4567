"""The ShareGPT dialect: `conversations` of `from` and `value`, said by human and gpt under several names.

Files are JSON lines, a JSON array (read element by element, so that large ones need no memory), or Parquet.

    sage data load sharegpt.json --out loaded/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sage_data.corpora.records import Found, Item, Reason, Rejected
from sage_data.corpora.speaking import System, key_of, model_of, shown, spoken

LISTS = ("conversations", "conversation")


def from_row(row: Any, line: int, system: System = "drop") -> Item:
    """The dialogue of one record."""
    turns = next((row[name] for name in LISTS if isinstance(row.get(name), list)), None) if _is_map(row) else None
    if turns is None or not all(_is_map(one) for one in turns):
        return Rejected(line, Reason.NOT_A_RECORD, shown(row), "expected `conversations`, a list of `from` and `value`")
    item = spoken(((one.get("from"), one.get("value")) for one in turns), line, shown(row), system)
    return replace(item, key=key_of(row), model=model_of(row)) if isinstance(item, Found) else item


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)
