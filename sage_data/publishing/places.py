r"""Texts without what only concerns the machine they come from: hosts, and the folders in front of a name.

Every path is cut down to its last part, whichever way its slashes lean and whether it has spaces in it. `NAME/NAME`
alone stays as it is: so the Hub calls a model, and so people write either/or. Where it is not clear how far a path
reaches, rather too much goes than too little.

    public("hf:/home/jane doe/models/small?batch=8")     # "hf:small?batch=8"
    public(r"C:\Users\jane\small")                       # "small"
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

ADDRESS = "(an address)"
MODEL = "model"
"""Column of published tables that names a model, which may have been a path."""
_FILE = re.compile(r"file://", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"']+")
_HOST = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|(?:[\w-]+\.)+[A-Za-z][\w-]*:\d+|localhost(?::\d+)?|(?<=@)[\w.-]+:\d+)"
    r"(?:/[^\s\"']*)?|\[[0-9A-Fa-f:]*::?[0-9A-Fa-f:]*\]:\d+(?:/[^\s\"']*)?"
)
_OPTIONS = re.compile(r"(?=[?&][\w-]+=)")
"""Where an option begins, as in `hf:PATH?batch=8&device=cpu`."""
_SLASHES = r"[/\\]"
_ANCHORED = re.compile(
    rf"(?:^|(?<=[\s\"'=:(,@|\[]))(?:~[\w.-]*|\.{{1,2}}|[A-Za-z]:)?{_SLASHES}(?:[^\n]*{_SLASHES})?(?=[^\n])"
)
"""From where a path visibly begins (/, ~/, ../, C:\\, \\\\server) to the last slash of the line."""
_RELATIVE = re.compile(rf"[^\n\"'=:(,@|\[/\\]+(?:/[^\n]*/|[^\n]*\\(?:[^\n]*{_SLASHES})?)(?=[^\n])")
"""A path that begins with a folder's name and has two slashes, or one that leans back."""
_WORDS = re.compile(r"\S+|\s+")


def public(text: str) -> str:
    """One setting, name or identity without hosts and folders."""
    return "".join(_without_folders(one) for one in _OPTIONS.split(_without_hosts(text)))


def public_sentence(text: str) -> str:
    """A message without hosts and folders; the words around a path that begins with a folder's name stay."""
    found = _ANCHORED.sub("", _without_hosts(text))
    return "".join(_RELATIVE.sub("", word) for word in _WORDS.findall(found))


def public_models(table: pa.Table, columns: Collection[str] = (MODEL,)) -> pa.Table:
    """A table whose given columns, where it has them, name models without hosts and folders."""
    for name in [one for one in table.column_names if one in columns]:
        column = table[name]
        coded = column.combine_chunks().cast(pa.string()).dictionary_encode()
        names = pa.array([public(one) for one in coded.dictionary.to_pylist()], pa.string())
        shown = pc.take(names, coded.indices).cast(column.type)
        table = table.set_column(table.column_names.index(name), table.schema.field(name), shown)
    return table


def _without_hosts(text: str) -> str:
    return _HOST.sub(ADDRESS, _URL.sub(ADDRESS, _FILE.sub("/", text)))


def _without_folders(text: str) -> str:
    kept = text.rstrip("/\\") if len(text) > 1 else text
    return _RELATIVE.sub("", _ANCHORED.sub("", kept)) or text[:1]
