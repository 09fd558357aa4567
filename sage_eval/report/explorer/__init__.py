"""The explorer's data: every judged pair of dialogues as small scripts, loaded as they are needed.

    written = write_explorer(connection, folder / "data", most=500)

One index holds what is listed and filtered (whole numbers, one column each); pages of scenarios hold what the list
shows; files of some scenarios each hold the dialogues; files of words and tags hold what is searched. No file's name
says anything about its content, and the same warehouse gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_eval.report.explorer.chunks import FEATURES, OWN, READ, Scenario, as_block, scenarios
from sage_eval.report.explorer.entries import SQL, Entries, number
from sage_eval.report.explorer.packed import as_json, rising, script
from sage_eval.report.explorer.words import LONGEST, Postings, shards, words_of
from sage_eval.warehouse.database import Connection

__all__ = ["RESOURCES", "Written", "write_explorer"]

RESOURCES: tuple[Path, ...] = tuple(sorted(SQL.glob("*.sql")))
CHUNK_CHARACTERS = 160_000
"""A file of dialogues is closed when it has reached this."""
PAGE_SCENARIOS = 2_000
"""Scenarios of which the list's words stand in one file."""
OPENING_CHARACTERS = 140
FACETS = ("motivation", "emotion", "reads", "topic")
"""Kinds of tags to filter by: the reply's motivation and emotion, the emotion it reads in the user, any topic."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, in counts."""

    judged: int
    """Pairs of dialogues that a judge saw."""
    alone: int
    """Dialogues shown although none did."""
    scenarios: int
    dialogues: int
    candidates: int
    """Candidates of their replies, the selected ones included."""
    states: int
    """Dialogues with a motivation, an emotion or a topic."""
    words: int
    """Different words that can be searched for."""
    files: int
    bytes: int


@dataclass(slots=True)
class _Folder:
    """Where the scripts go."""

    path: Path
    files: int = 0
    bytes: int = 0

    def write(self, name: str, json_text: str) -> None:
        data = script(name, json_text).encode("utf-8")
        target = self.path / f"{name}.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.files += 1
        self.bytes += len(data)


class _Searchable:
    """What can be searched and filtered by, gathered scenario by scenario."""

    def __init__(self) -> None:
        self.spoken = Postings()
        self.stated = Postings()
        self.tags = {facet: Postings() for facet in FACETS}
        self.candidates = 0
        self.states = 0

    def add(self, scenario: Scenario) -> None:
        self.stated.add(scenario.number, words_of(scenario.row["situation"] or ""))
        for dialogue, turns, candidates in scenario.dialogues:
            self.candidates += sum(map(len, candidates.values()))
            self.states += any(turn[name] for turn in turns for name in (*OWN, *READ))
            number = dialogue["dialogue"]
            self.spoken.add(number, (word for turn in turns for word in words_of(turn["text"])))
            replies = [turn for turn in turns if turn["role"] != "user"]
            found = {
                "motivation": (turn[OWN[0]] for turn in replies),
                "emotion": (turn[OWN[1]] for turn in replies),
                "reads": (turn[READ[1]] for turn in replies),
                "topic": (topic for turn in turns for name in (OWN[2], READ[2]) for topic in turn[name] or ()),
            }
            for facet, terms in found.items():
                self.tags[facet].add(number, (term for term in terms if term is not None))


def write_explorer(connection: Connection, folder: Path, most: int) -> Written:
    """Write every data file of the explorer below `folder`, which must be empty.

    Args:
        connection: an open warehouse; temporary tables are made in it.
        folder: where the scripts go.
        most: dialogues of each stage that are shown although no judge saw them.
    """
    entries = number(connection, most)
    files = _Folder(folder)
    searchable = _Searchable()
    starts, firsts = _write_scenarios(files, _gathered(connection, entries, searchable))
    beginnings, words = [], 0
    for index, shard in enumerate(shards(searchable.spoken, searchable.stated)):
        files.write(f"words/{index:04d}", as_json(shard))
        beginnings.append(shard["terms"][0])
        words += len(shard["terms"])
    for facet, postings in searchable.tags.items():
        files.write(f"tags/{facet}", as_json(_facet(postings)))
    listed = {
        **entries.as_index(),
        "chunks": rising(starts),
        "page": PAGE_SCENARIOS,
        "firsts": firsts,
        "words": beginnings,
        "longest": LONGEST,
        "features": list(FEATURES),
        "searched": searchable.candidates > 0,
    }
    files.write("index", as_json(listed))
    judged = sum(1 for pair in entries.pair.tolist() if entries.pairs[pair][1] is not None)
    return Written(
        judged=judged,
        alone=len(entries.pair) - judged,
        scenarios=len(entries.labels),
        dialogues=entries.dialogues,
        candidates=searchable.candidates,
        states=searchable.states,
        words=words,
        files=files.files,
        bytes=files.bytes,
    )


def _gathered(connection: Connection, entries: Entries, searchable: _Searchable) -> Iterator[Scenario]:
    for scenario in scenarios(connection, entries.sizes):
        searchable.add(scenario)
        yield scenario


def _write_scenarios(files: _Folder, found: Iterator[Scenario]) -> tuple[list[int], list[str | None]]:
    """Write dialogues and pages of scenarios; returns the first number of each file, and id of each page."""
    starts: list[int] = []
    firsts: list[str | None] = []
    blocks: list[str] = []
    page: list[list[Any]] = []
    first = size = 0
    for scenario in found:
        if not blocks:
            first = scenario.number
        if not page:
            firsts.append(scenario.row["scenario_id"])
        page.append([scenario.row["scenario_id"], _opening(scenario)])
        blocks.append(as_json(as_block(scenario)))
        size += len(blocks[-1])
        if size > CHUNK_CHARACTERS:
            _write_chunk(files, starts, first, blocks)
            size = 0
        if len(page) == PAGE_SCENARIOS:
            _write_page(files, firsts, page)
    if blocks:
        _write_chunk(files, starts, first, blocks)
    if page:
        _write_page(files, firsts, page)
    return starts, firsts


def _write_chunk(files: _Folder, starts: list[int], first: int, blocks: list[str]) -> None:
    files.write(f"dialogues/{len(starts):05d}", f"[{','.join(blocks)}]")
    starts.append(first)
    blocks.clear()


def _write_page(files: _Folder, firsts: list[str | None], page: list[list[Any]]) -> None:
    files.write(f"scenarios/{len(firsts) - 1:04d}", as_json(page))
    page.clear()


def _opening(scenario: Scenario) -> str:
    text = " ".join(scenario.opening().split())
    return text if len(text) <= OPENING_CHARACTERS else text[: OPENING_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _facet(postings: Postings) -> dict[str, Any]:
    terms = list(postings.terms())
    return {
        "terms": terms,
        "counts": [postings.counts[term] for term in terms],
        "dialogues": [postings.of(term) for term in terms],
    }
