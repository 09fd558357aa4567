"""Finds what was said in files that were made from it, however it is escaped there.

Every text of `WINDOW` words or more is known by runs of `WINDOW` words; a file that holds one of them holds words.
Shorter texts are not told from what anybody writes.

    spoken = Spoken.read(Path("warehouse"))
    spoken.said_in(Path("report/data/dialogues/00000.js").read_text())   # "i never thought that he would"
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.publishing.scans import leaves
from sage_eval.publish.tables import shards_of

WINDOW = 6
"""Words in a row that are taken for somebody's own."""
REPLACED_WORDS = 3
"""A text of at least so many words is taken out of a page wherever it stands as a whole."""
SOURCES = {
    "scenarios": ("situation",),
    "turns": ("text",),
    "candidates": ("text", "content", "selector_reply"),
    "messages": ("content",),
    "steering": ("situation", "text", "content"),
    "judge_calls": ("raw",),
    "pair_verdicts": ("raw_ab", "raw_ba"),
    "maths_answers": ("asked", "reply"),
    "incarnation": ("reply",),
    "incarnation_judgements": ("raw",),
    "frequent_replies": ("reply",),
    "bench_samples": ("response",),
    "rejected": ("text",),
    "rewrites": ("original", "rewritten", "bridge"),
}
"""Table of the warehouse -> its columns of what people, models and judges said."""
_WORD = re.compile(r"[^\W_]+")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SPACE = re.compile(r"\\[nrtbf]")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said in a run."""

    texts: frozenset[str]
    runs: frozenset[int]
    """Hashes of runs of `WINDOW` words: of each text its first, its last, and every `WINDOW`th between."""

    @staticmethod
    def read(warehouse: Path) -> Spoken:
        """Everything that a warehouse's tables say was said."""
        return Spoken.of(text for column in _columns(warehouse) for text in pc.unique(column).to_pylist() if text)

    @staticmethod
    def of(texts: Iterable[str]) -> Spoken:
        """From the texts themselves."""
        kept = frozenset(texts)
        return Spoken(kept, frozenset(run for text in kept for run in _runs(words_of(text))))

    def said_in(self, text: str) -> str | None:
        """The first run of somebody's words in a file's text, or None when there is none."""
        words = words_of(text)
        for start in range(len(words) - WINDOW + 1):
            run = words[start : start + WINDOW]
            if hash(tuple(run)) in self.runs:
                return " ".join(run)
        return None

    def taken_out(self, page: str, mark: str) -> str:
        """A page of HTML with a mark in place of every text that stands in it as a whole."""
        words = words_of(page)
        starts = {tuple(words[at : at + REPLACED_WORDS]) for at in range(len(words) - REPLACED_WORDS + 1)}
        # Looking up how a text begins is quicker than looking for all of it, and there may be a million texts.
        there = [text for text in self.texts if tuple(words_of(text)[:REPLACED_WORDS]) in starts]
        for text in sorted(there, key=lambda one: (-len(one), one)):
            page = page.replace(_as_html(text), mark)
        return page


def _columns(warehouse: Path) -> Iterator[pa.Array]:
    for table, names in SOURCES.items():
        for path in shards_of(warehouse, table):
            there = [name for name in names if name in pq.read_schema(path).names]
            for name in there:
                yield pq.read_table(path, columns=[name])[name].cast(pa.string())


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without what HTML and JSON write for signs."""
    shown = _SPACE.sub(" ", _UNICODE.sub(lambda found: chr(int(found[1], 16)), text))
    return _WORD.findall(html.unescape(shown).lower())


def _runs(words: list[str]) -> Iterator[int]:
    last = len(words) - WINDOW
    if last >= 0:
        for start in {*range(0, last + 1, WINDOW), last}:
            yield hash(tuple(words[start : start + WINDOW]))


def _as_html(text: str) -> str:
    """As Jinja escapes it."""
    return html.escape(text, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def texts_in(path: Path) -> Iterator[str]:
    """What a file says: a text file as a whole, each string of a Parquet file."""
    if path.suffix != ".parquet":
        yield path.read_text(encoding="utf-8")
        return
    import numpy as np

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for _, strings, _ in leaves(column, np.arange(batch.num_rows), name):
                    yield from (one for one in strings.to_pylist() if one)
