"""Takes over the pages of a report as the files of a Space.

These are files that its manifest names, of the kinds that pages are made of, and nothing else that lies there.

Where words stay here, every file is searched for them. A folder with a file that holds some is left out whole, for an
index beside it may hold them in pieces; a page that holds some, or reads such a folder, is replaced by a few lines
that say so. In the first page each text is replaced by a mark, and the page is searched again.

    pages = stage_pages(Path("report"), manifest, folder, spoken)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sage_data.errors import InputError, PublishError
from sage_data.publishing.staging import StagedFile, is_page_file, measure
from sage_data.stage import SUMMARY
from sage_data.store.manifest import Manifest
from sage_eval.publish.words import Spoken, texts_in

FIRST = "index.html"
"""The page that a Space shows."""
STUB = Path(__file__).parent / "withheld.html"
MARK = "(not published)"
SHOWN_WORDS = 3
"""Of what was found, in a message."""
_SCRIPT = re.compile(r"""\ssrc\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pages:
    """What a Space is made of."""

    files: tuple[StagedFile, ...]
    left_out: tuple[tuple[str, str], ...]
    """(file or folder of the report, why it is not published)."""


def stage_pages(report: Path, manifest: Manifest, folder: Path, spoken: Spoken | None) -> Pages:
    """Copy a report's pages into `folder`; `spoken` are the words that must not be in them, None if all may.

    Raises:
        InputError: the report has no first page, or a file is a link or not as the report wrote it.
        PublishError: the first page cannot be shown without words.
    """
    there, left_out = _allowed(report, manifest)
    replaced: dict[str, str] = {}
    if spoken is not None:
        there, replaced, withheld = _without_words(there, spoken)
        left_out |= withheld
    for name, path in sorted(there.items()):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(replaced[name].encode() if name in replaced else path.read_bytes())
    files = [StagedFile(name, None, None, None, *measure(folder / name)) for name in sorted(there)]
    return Pages(tuple(files), tuple(sorted(left_out.items())))


def _allowed(report: Path, manifest: Manifest) -> tuple[dict[str, Path], dict[str, str]]:
    """Name -> path of every file that pages are made of; name -> reason of the others that the report wrote."""
    there: dict[str, Path] = {}
    left_out: dict[str, str] = {}
    for entry in manifest.files:
        path = report / entry.path
        if entry.path == SUMMARY:
            left_out[entry.path] = "it is for the terminal"
        elif not is_page_file(entry.path):
            left_out[entry.path] = "it is of no kind that static pages are made of"
        elif not path.resolve().is_relative_to(report.resolve()) or measure(path) != (entry.bytes, entry.sha256):
            raise InputError(
                f"{path}: expected a file as the report's manifest names it; found one that is changed, or a link",
                next_step="write the report again: sage eval report WAREHOUSE --out REPORT",
            )
        else:
            there[entry.path] = path
    if FIRST not in there:
        raise InputError(
            f"{report}: expected a report with the page {FIRST}; found {', '.join(sorted(there)) or 'no page'}",
            next_step="give the folder that `sage eval report` wrote",
        )
    return there, left_out


def _without_words(there: Mapping[str, Path], spoken: Spoken) -> tuple[dict[str, Path], dict[str, str], dict[str, str]]:
    """(files that stay, new content of some of them, why others do not)."""
    holding = {name for name, path in there.items() if any(map(spoken.said_in, texts_in(path)))}
    folders = {PurePosixPath(name).parts[0] for name in holding if "/" in name}
    gone = {name for name in there if name.partition("/")[0] in folders or (name in holding and not _is_page(name))}
    reading = _readers({name: path for name, path in there.items() if name not in gone}, folders)
    pages = {name for name in reading | holding if _is_page(name)} - gone
    stub = STUB.read_text(encoding="utf-8")
    replaced = dict.fromkeys(pages - {FIRST}, stub)
    if FIRST in holding:
        replaced[FIRST] = spoken.taken_out(there[FIRST].read_text(encoding="utf-8"), MARK)
    left = spoken.said_in(replaced[FIRST]) if FIRST in replaced else None
    if FIRST in reading or left is not None:
        shown = f", such as {' '.join(left.split()[:SHOWN_WORDS])!r}..." if left else ""
        raise PublishError(
            f"{there[FIRST]}: the first page shows what was said in a way that it cannot be shown without{shown}",
            next_step="write the report with fewer words (sage eval report WAREHOUSE --dialogues 0 --out REPORT), or "
            "publish what was said: --text-release",
        )
    why = {f"{one}/": "it holds what was said" for one in folders}
    why |= {name: "it holds what was said" for name in gone if "/" not in name}
    why |= dict.fromkeys(pages - {FIRST}, "it shows what was said; a few lines stand in its place")
    if FIRST in replaced:
        why[f"texts in {FIRST}"] = f"they are what was said; {MARK!r} stands in their place"
    return {name: path for name, path in there.items() if name not in gone}, replaced, why


def _is_page(name: str) -> bool:
    return name.endswith(".html")


def _readers(there: Mapping[str, Path], folders: Iterable[str]) -> set[str]:
    """The pages that name one of the folders, or include a script that does."""
    texts = {name: path.read_text(encoding="utf-8") for name, path in there.items() if path.suffix != ".parquet"}
    wanted = tuple(f"{one}/" for one in folders)
    naming = {name for name, text in texts.items() if any(one in text for one in wanted)}
    return {
        name
        for name, text in texts.items()
        if _is_page(name)
        and (name in naming or naming.intersection(one.removeprefix("./") for one in _SCRIPT.findall(text)))
    }
