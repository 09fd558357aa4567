"""Looks for what must not be published: names of people, ways to reach them, and keys to their accounts.

Every string of every column is searched, nested ones too, and every line of the card. What a scan finds is a shape, not
a proof, and each misses something; `SCANS` says what. Findings are counted by kind, with a few redacted examples.

    findings = scan_table(pq.read_table("small-talk/train-00000-of-00001.parquet"), "train-00000-of-00001.parquet")
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import unescape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|\\u([0-9a-fA-F]{4})|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")
EXAMPLES = 3
SHOWN = 3
"""Characters of a finding that are shown; the rest is not repeated anywhere."""


class Kind(StrEnum):
    """What a scan looks for."""

    USERNAME = "username"
    EMAIL = "email"
    PHONE = "phone"
    URL_ID = "url-id"
    KEY = "key"
    PRIVATE_KEY = "private-key"


SECRETS = frozenset({Kind.KEY, Kind.PRIVATE_KEY})
"""What not even a publisher's own words may hold."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How one kind is recognised."""

    about: str
    """What is found; it stands on cards, so no scan may find anything in it."""
    misses: str
    """What is not."""
    pattern: re.Pattern[str]
    hint: str
    """A regular expression without look-around that stands in every text the pattern is found in."""


_PERSONAL = "facebook|instagram|twitter|x|tiktok|linkedin|snapchat|tumblr|vk|onlyfans|youtube|twitch|patreon|flickr"
_BEHIND = "u|user|users|profile|profiles|people|in|status|statuses|comments|members?|channel|add"
_NAMED = "id|uid|user|username|user_?id|profile_?id|account_?id|member_?id|fbid|story_fbid|author"
_REDDIT = (
    r"\breddit\.com/(?:u|user|r/\w+/(?:comments|s))/[\w.~%-]{2,}|\bredd\.it/\w{3,}|"
    r"(?<![\w/.])/?r/\w+/comments/\w{2,}"
)
_NUMBERS = (r"\+\d{1,3}(?:[ .()-]{0,2}\d){7,12}", r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
_KEYS = (
    r"hf_[A-Za-z0-9]{20,}",
    r"sk-[A-Za-z0-9_-]{20,}",
    r"gh[oprsu]_[A-Za-z0-9]{30,}",
    r"github_pat_\w{30,}",
    r"glpat-[\w-]{20,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"AIza[\w-]{35}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
)

SCANS: Mapping[Kind, Scan] = {
    Kind.USERNAME: Scan(
        "a Reddit user's name behind /u/ or /user/, with or without the first slash",
        "bare names, @names, and names of other sites",
        re.compile(r"(?<![\w/.])(?:/?u\\?/|/user/)[\w-]{3,20}(?![\w-])", re.ASCII | re.IGNORECASE),
        r"(?i)(?:u|u\\|/user)/[\w-]{3}",
    ),
    Kind.EMAIL: Scan(
        "an e-mail address",
        "addresses in words (name at site dot com), and hosts without a dot",
        re.compile(r"[\w.+%-]+[@\uff20][\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}"),
        r"\S[@\x{ff20}]\S",
    ),
    Kind.PHONE: Scan(
        "a telephone number with a country code, or in North American form with separators",
        "numbers without separators, local numbers of other countries, digits in words",
        re.compile(rf"(?<![\w+.-])(?:{'|'.join(_NUMBERS)})(?![\w-])"),
        r"\d[ .()-]{0,2}\d",
    ),
    Kind.URL_ID: Scan(
        "a link to a person's page or post: a path on a site of personal pages, or an address with an id of either",
        "shortened links, and sites whose addresses are built otherwise",
        re.compile(
            rf"(?:\b(?:{_PERSONAL})\.com/@?[\w.-]{{2,}}|\bt\.me/\w{{3,}}|{_REDDIT}|"
            rf"(?:https?://|www\.)[^\s)>\]\"]*?(?:/(?:{_BEHIND})/[\w.~%-]{{2,}}|[?&](?:{_NAMED})=[\w.%-]+))",
            re.IGNORECASE,
        ),
        r"(?i)\.com/|t\.me/|redd\.it/|/comments/|https?://|www\.",
    ),
    Kind.KEY: Scan(
        "the shape of an access key: Hugging Face, OpenAI and alike (sk-), GitHub, GitLab, AWS, Google, Slack, JWT",
        "passwords, and keys without a prefix of their own",
        re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_KEYS)})"),
        "|".join(_KEYS),
    ),
    Kind.PRIVATE_KEY: Scan(
        "the head of a private key block",
        "keys whose head was cut off",
        re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
        "PRIVATE KEY",
    ),
}


@dataclass(frozen=True, slots=True)
class Example:
    """One finding, redacted."""

    file: str
    place: str
    """Column and row (counted from 0) of a table, or line of a text file (counted from 1)."""
    shown: str


@dataclass(slots=True)
class Findings:
    """What was found, by kind."""

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    examples: dict[Kind, list[Example]] = field(default_factory=lambda: {kind: [] for kind in Kind})

    def add(self, kind: Kind, found: Iterable[str], file: str, place: str) -> None:
        """Count findings at one place, and keep the first few."""
        for one in found:
            self.counts[kind] += 1
            if len(self.examples[kind]) < EXAMPLES:
                self.examples[kind].append(Example(file, place, redact(one)))

    def blocking(self, allowed: Iterable[str]) -> list[Kind]:
        """Kinds that were found and are not allowed."""
        return [kind for kind, count in self.counts.items() if count and kind.value not in set(allowed)]

    def in_words(self, kinds: Sequence[Kind]) -> str:
        """One line a kind, and one an example."""
        lines = []
        for kind in kinds:
            lines.append(f"- {kind}: {self.counts[kind]:,} found ({SCANS[kind].about})")
            lines += [f"    {one.file}, {one.place}: {one.shown}" for one in self.examples[kind]]
        return "\n".join(lines)


def redact(found: str) -> str:
    """The first characters of what was found, and how long it is."""
    return f"{found[:SHOWN]}... ({len(found)} characters)"


def scan_files(paths: Mapping[str, Path], own: Sequence[str] = (), findings: Findings | None = None) -> Findings:
    """Search files by their published names, and add to what was found before.

    `own` are words that the publisher says of himself, such as a contact; keys are looked for in these too.
    """
    findings = Findings() if findings is None else findings
    for name, path in paths.items():
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                start = 0
                for batch in file.iter_batches():
                    scan_batch(batch, name, start, findings)
                    start += batch.num_rows
        else:
            scan_text(path.read_text(encoding="utf-8"), name, findings, own)
    return findings


def holds(path: Path, words: str) -> bool:
    """True when a file holds these very words: in its bytes, or in a text as it is shown."""
    if words.encode() in path.read_bytes():
        return True
    if path.suffix != ".parquet":
        return words in unescaped(path.read_text(encoding="utf-8"))
    with pq.ParquetFile(path) as file:
        return any(
            pc.any(pc.match_substring(strings, words)).as_py()
            for batch in file.iter_batches()
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            for _, strings, _ in leaves(column, np.arange(batch.num_rows), name)
        )


def scan_table(table: pa.Table, file: str) -> Findings:
    """Search every string of a table."""
    findings, start = Findings(), 0
    for batch in table.to_batches():
        scan_batch(batch, file, start, findings)
        start += batch.num_rows
    return findings


def scan_batch(batch: pa.RecordBatch, file: str, start: int, findings: Findings) -> None:
    """Search every string of a batch whose first row is row `start` of its file."""
    rows = np.arange(start, start + batch.num_rows)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        for path, strings, owners in leaves(column, rows, name):
            for kind, scan in SCANS.items():
                for index in np.flatnonzero(_hinted(strings, scan.hint)):
                    found = scan.pattern.findall(strings[int(index)].as_py())
                    findings.add(kind, found, file, f"column {path}, row {owners[index]}")


def _hinted(strings: pa.StringArray, hint: str) -> np.ndarray:
    """Which texts hold the hint (strings,); null texts do not."""
    hit: np.ndarray = pc.fill_null(pc.match_substring_regex(strings, hint), fill_value=False).to_numpy(
        zero_copy_only=False
    )
    return hit


def scan_text(text: str, file: str, findings: Findings, own: Sequence[str] = ()) -> None:
    """Search a text line by line, as a reader sees it; keys are looked for in its very signs too."""
    spoken = _own_lines(own)
    for number, line in enumerate(text.splitlines(), start=1):
        shown = unescaped(line)
        rest = _without(shown, spoken)
        for kind, scan in SCANS.items():
            found = scan.pattern.findall(shown if kind in SECRETS else rest)
            if kind in SECRETS and not found:
                found = scan.pattern.findall(line)
            findings.add(kind, found, file, f"line {number}")


def scan_said(said: Iterable[tuple[str, str]], findings: Findings, own: Sequence[str] = ()) -> None:
    """Search what a person said in options (name, words), before it was escaped for a card."""
    for name, words in said:
        scan_text(words, f"option {name}", findings, own)


def unescaped(text: str) -> str:
    r"""Markdown, HTML, JSON or YAML text as it is read: `&#64;` and `\u0040` are @, and marks that escape are gone."""
    return _ESCAPED.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    return found[1] or (chr(int(found[2], 16)) if found[2] else unescape(found[0]))


def _own_lines(own: Sequence[str]) -> list[str]:
    """Own words that may stand in a line and would be found there, the longest first."""
    lines = {" ".join(line.split()) for said in own for line in (said, *said.splitlines())}
    found = {line for line in lines if any(scan.pattern.search(line) for scan in SCANS.values())}
    return sorted(found, key=lambda line: (-len(line), line))


def _without(line: str, own: Sequence[str]) -> str:
    line = " ".join(line.split()) if own else line
    for said in own:
        line = line.replace(said, " ")
    return line


def leaves(array: pa.Array, rows: np.ndarray, path: str) -> Iterator[tuple[str, pa.Array, np.ndarray]]:
    """(path, strings, row of each) of every string column inside an array whose entries stand in `rows` (entries,)."""
    kind = array.type
    if pa.types.is_struct(kind):
        for index, child in enumerate(array.flatten()):
            yield from leaves(child, rows, f"{path}.{kind.field(index).name}")
    elif pa.types.is_list(kind):
        yield from leaves(pc.list_flatten(array), rows[pc.list_parent_indices(array).to_numpy()], path)
    elif pa.types.is_string(kind):
        yield path, array, rows
