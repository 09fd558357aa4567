"""Finds VADER's lexicon and word lists offline and proves that they are those NLTK's analyzer is defined with.

The lexicon is third-party data (MIT) and not part of this project. It is looked for on `nltk.data.path` first; else it
is taken from the package `vaderSentiment`, of which the text file alone is read, never its scorer. That file differs
from NLTK's in six entries, which are set back, so both places give the same lexicon to the bit: its hash is checked.

The word lists of VADER's rules (boosters, negations, idioms) are NLTK's. Importing NLTK takes a second where scipy is
installed, longer than scoring 50,000 utterances, so neither lists nor lexicon import it in the usual case: the lists
are read from its source file, and folders on its path that are empty, or hold just the file that is known, are looked
at directly. In any other case NLTK decides.

    lexicon, constants = load_lexicon(), load_constants()
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import InputError, MissingDependencyError

NLTK_LEXICON_SHA256 = "a27de1cf826c623bc26445aa70a58a17322392fa818df9e365a5c00225a0542b"
"""Hash of the parsed lexicon in NLTK's data package `vader_lexicon`: 7,502 entries."""

_ARCHIVE, _MEMBER = "sentiment/vader_lexicon.zip", "vader_lexicon/vader_lexicon.txt"
_UNPACKED = "sentiment/vader_lexicon.txt"
NLTK_RESOURCES = (f"{_ARCHIVE}/{_MEMBER}", _UNPACKED)
"""Names under `nltk.data.path`: as NLTK's downloader stores it, and unpacked."""
VADER_MODULE = "nltk.sentiment.vader"
VADER_NAMES = {"B_INCR", "B_DECR", "C_INCR", "N_SCALAR", "NEGATE", "BOOSTER_DICT", "SPECIAL_CASE_IDIOMS", "PUNC_LIST"}
NLTK_PATH = "nltk.data.path"
_UNIX_ROOTS = (Path("/usr/share"), Path("/usr/local/share"), Path("/usr/lib"), Path("/usr/local/lib"))
"""Where NLTK looks last for a folder `nltk_data`."""

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


@dataclass(frozen=True, slots=True)
class Constants:
    """Word lists and numbers of VADER's rules; all words in lower case."""

    negations: frozenset[str]
    boosters: Mapping[str, float]
    """Word, or two words, that strengthen (positive) or weaken (negative) the word behind them."""
    idioms: Mapping[str, float]
    """Valence by phrase of two or three words."""
    marks: frozenset[str]
    """Runs of punctuation that are taken off a word."""
    capitals: float
    """What capitals add to a word's valence."""
    damper: float
    """What a booster of two words adds."""
    negation: float
    """Factor of a negated valence."""


def load_constants() -> Constants:
    """NLTK's constants, read from its source file; imported if NLTK has been, or if the source is not as expected."""
    values = None if VADER_MODULE in sys.modules else _constants_in_source()
    if values is None:
        values = vars(importlib.import_module(VADER_MODULE).VaderConstants)
    return Constants(
        negations=frozenset(values["NEGATE"]),
        boosters=values["BOOSTER_DICT"],
        idioms=values["SPECIAL_CASE_IDIOMS"],
        marks=frozenset(values["PUNC_LIST"]),
        capitals=values["C_INCR"],
        damper=values["B_DECR"],
        negation=values["N_SCALAR"],
    )


def _constants_in_source() -> Mapping[str, Any] | None:
    spec = importlib.util.find_spec("nltk")
    if spec is None or spec.origin is None:
        return None
    try:
        tree = ast.parse(Path(spec.origin).with_name("sentiment").joinpath("vader.py").read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    if not all(isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef | ast.Expr) for node in tree.body):
        return None  # something might change the constants later
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "VaderConstants":
            return _assigned(node.body)
    return None


def _assigned(body: Iterable[ast.stmt]) -> Mapping[str, Any] | None:
    """Values of `VADER_NAMES` in the body of a class, without running it; None: one is missing or computed."""
    values: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if not (isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name)):
            return None
        if target.id in VADER_NAMES:
            try:
                values[target.id] = ast.literal_eval(_WithValues(values).visit(node.value))
            except (KeyError, ValueError):
                return None
    return values if values.keys() == VADER_NAMES else None


class _WithValues(ast.NodeTransformer):
    """Puts values for names, so that an expression becomes a literal."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(self._values[node.id])


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
        InputError: there is one, but it is damaged.
    """
    folders = [folder for folder in nltk_folders() if _may_hold_lexicon(folder)]
    return _known_file(folders) or found_by_nltk() if folders else None


def nltk_folders() -> list[Path]:
    """`nltk.data.path`: as it is if NLTK has been imported, else as it would be."""
    if "nltk.data" not in sys.modules and os.name == "posix" and "APPENGINE_RUNTIME" not in os.environ:
        try:
            named = [Path(name).expanduser() for name in os.environ.get("NLTK_DATA", "").split(os.pathsep) if name]
            roots = [Path.home(), *(Path(sys.prefix, below) for below in ("", "share", "lib")), *_UNIX_ROOTS]
            return named + [root / "nltk_data" for root in roots]
        except RuntimeError:  # there is no home folder
            pass
    return [Path(folder or "") for folder in importlib.import_module("nltk.data").path]


def _may_hold_lexicon(folder: Path) -> bool:
    """False if NLTK finds nothing there. An entry of its path may be a zip file, and so may folders below it."""
    try:
        return folder.is_file() or (folder / "sentiment").exists() or (folder / "sentiment.zip").exists()
    except OSError:  # out of reach
        return False


def _known_file(folders: Sequence[Path]) -> Lexicon | None:
    """The first lexicon file, if it is NLTK's; whoever may have written it, the hash says what it is."""
    paths = [folder / name for name in (_ARCHIVE, _UNPACKED) for folder in folders]
    try:
        path = next(path for path in paths if path.is_file())
        valences = parse(_read(path), str(path))
    except (StopIteration, OSError, KeyError, ValueError, zipfile.BadZipFile, InputError):
        return None  # NLTK says what is wrong, or finds another one
    found = Lexicon(valences, sha256_of(valences), NLTK_PATH)
    comes_first = not any(folder.is_file() for folder in folders)
    return found if comes_first and found.sha256 == NLTK_LEXICON_SHA256 else None


def _read(path: Path) -> str:
    if path.suffix != ".zip":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return archive.read(_MEMBER).decode()


def found_by_nltk() -> Lexicon | None:
    """The lexicon as NLTK finds and reads it; None if it finds none.

    Raises:
        InputError: there is one, but it is damaged.
    """
    data = importlib.import_module("nltk.data")
    for resource in NLTK_RESOURCES:
        try:
            data.find(resource)
        except LookupError:
            continue
        except zipfile.BadZipFile as error:
            raise InputError(
                f"expected a zip file, found another or a damaged one: {resource} on {NLTK_PATH}",
                next_step="delete it, or download vader_lexicon again",
            ) from error
        valences = parse(data.load(resource, format="text", cache=False), f"{NLTK_PATH}: {resource}")
        return Lexicon(valences, sha256_of(valences), NLTK_PATH)
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
