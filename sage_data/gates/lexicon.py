"""Finds VADER's lexicon offline and proves that it is the one NLTK's analyzer is defined with.

The lexicon is third-party data (MIT) and not part of this project. It is looked for on `nltk.data.path` first; else it
is taken from the package `vaderSentiment`, of which the text file alone is read, never its scorer. That file differs
from NLTK's in six entries, which are set back, so both places give the same lexicon to the bit: its hash is checked.

    lexicon = load_lexicon(NLTK_LEXICON_SHA256)
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sage_data.errors import InputError, MissingDependencyError

NLTK_LEXICON_SHA256 = "a27de1cf826c623bc26445aa70a58a17322392fa818df9e365a5c00225a0542b"
"""Hash of the parsed lexicon in NLTK's data package `vader_lexicon`: 7,502 entries."""

NLTK_RESOURCES = ("sentiment/vader_lexicon.zip/vader_lexicon/vader_lexicon.txt", "sentiment/vader_lexicon.txt")
"""Names under `nltk.data.path`: as NLTK's downloader stores it, and unpacked."""

PACKAGE = "vaderSentiment"
PACKAGE_FILE = "vader_lexicon.txt"
NLTK_ENTRIES: Mapping[str, float | None] = {
    ":P": None,
    ":p": 1.4,
    "badass": -0.6,
    "flawed": None,
    "heart": None,
    "hearts": None,
}
"""The entries in which the package's file differs, with NLTK's value; None: NLTK has no such entry."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Valence by lower-case token, from about -4 (most negative) to 4."""

    valences: Mapping[str, float]
    sha256: str
    """Hash of the parsed entries, whatever the file's line ends or order."""
    source: str
    """Where it was found: "nltk.data.path" or "vaderSentiment"."""


def load_lexicon(expected_sha256: str = NLTK_LEXICON_SHA256) -> Lexicon:
    """The first lexicon found, if it is the expected one.

    Raises:
        MissingDependencyError: there is no lexicon on this machine.
        InputError: the one found first is another one, or cannot be read.
    """
    found = from_nltk_path() or from_package()
    if found is None:
        raise MissingDependencyError(
            "expected VADER's lexicon on nltk.data.path or in the package vaderSentiment, found neither",
            next_step="pip install vaderSentiment",
        )
    if found.sha256 != expected_sha256:
        raise InputError(
            f"expected the VADER lexicon {expected_sha256}, found {found.sha256} ({len(found.valences)} entries) on "
            f"{found.source}",
            next_step="put NLTK's file back, or accept this one: --set lexicon_sha256=<its hash>",
        )
    return found


def from_nltk_path() -> Lexicon | None:
    """The lexicon on `nltk.data.path`, or None.

    Raises:
        InputError: there is one, but it cannot be parsed.
    """
    # NLTK takes a second to import, so only those who score pay for it.
    data = importlib.import_module("nltk.data")
    for resource in NLTK_RESOURCES:
        try:
            data.find(resource)
        except LookupError:
            continue
        valences = parse(data.load(resource, format="text"), f"nltk.data.path: {resource}")
        return Lexicon(valences, sha256_of(valences), "nltk.data.path")
    return None


def from_package() -> Lexicon | None:
    """The lexicon file of the package `vaderSentiment`, with NLTK's six entries set back; None: not installed.

    Raises:
        InputError: there is one, but it cannot be parsed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(PACKAGE_FILE)
    if not path.is_file():
        return None
    valences = parse(path.read_text(encoding="utf-8"), str(path))
    for token, valence in NLTK_ENTRIES.items():
        if valence is None:
            valences.pop(token, None)
        else:
            valences[token] = valence
    return Lexicon(valences, sha256_of(valences), PACKAGE)


def parse(text: str, where: str) -> dict[str, float]:
    """Token -> mean valence, from lines of tab-separated token, mean, deviation, ratings; a later line wins.

    Raises:
        InputError: a line has no number in its second column.
    """
    valences: dict[str, float] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.strip().split("\t")
        if fields == [""]:
            continue
        try:
            valences[fields[0]] = float(fields[1])
        except (IndexError, ValueError) as error:
            raise InputError(f"expected token, tab, number; found {line[:80]!r} in line {number} of {where}") from error
    return valences


def sha256_of(valences: Mapping[str, float]) -> str:
    """Hash of the entries, sorted by token."""
    return hashlib.sha256("\n".join(_lines(valences)).encode()).hexdigest()


def _lines(valences: Mapping[str, float]) -> Iterable[str]:
    return (f"{token}\t{valence!r}" for token, valence in sorted(valences.items()))
