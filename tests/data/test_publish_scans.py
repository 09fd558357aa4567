"""Scans find what is planted, in whatever column it lies, and say little of it."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.publishing import Override
from sage_data.publishing.card.escaping import markdown, plain
from sage_data.publishing.scans import (
    EXAMPLES,
    SCANS,
    SHOWN,
    Findings,
    Kind,
    holds,
    redact,
    scan_files,
    scan_said,
    scan_table,
    scan_text,
    unescaped,
)

FOUND = {
    Kind.USERNAME: [
        "thanks u/some_one",
        "/u/Some-One!",
        "ask U/abc, he knows",
        "(u/three)",
        "/user/some_one",
        r"u\/me_too",
    ],
    Kind.EMAIL: ["jane.doe+x@mail.example.org", "<a@b.co>", "mailto:müller@straße.de", "bob\uff20example.org"],
    Kind.PHONE: ["call (555) 867-5309", "555.867.5309", "1-555-867-5309", "+44 20 7946 0018", "+4915112345678"],
    Kind.URL_ID: [
        "https://www.reddit.com/user/someone",
        "https://twitter.com/jack/status/20",
        "see facebook.com/profile.php?id=4",
        "http://forum.example.org/viewtopic?user_id=12",
        "https://old.reddit.com/r/x/comments/abc123/title",
        "t.me/somebody",
        "reddit.com/u/someone",
        "old.reddit.com/user/someone",
        "reddit.com/r/books/comments/abc12/title",
        "np.reddit.com/r/books/s/Ab12Cd",
        "/r/books/comments/abc12",
        "redd.it/abc12",
    ],
    Kind.KEY: [
        "hf_" + "abcdefghij" * 3,
        "sk-proj-" + "A1b2C3d4E5" * 3,
        "ghp_" + "abcdefghij" * 4,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "xoxb-123456789012-abc",
        "AIza" + "abcde" * 7,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop",
    ],
    Kind.PRIVATE_KEY: ["-----BEGIN PRIVATE KEY-----", "-----BEGIN OPENSSH PRIVATE KEY-----"],
}
NOT_FOUND = [
    "I was up at 5:30 and ran 10 km in 2005-12-01.",
    "and/or, his/hers, w/u too, u/ alone",
    "at home @ six",
    "12345 people, 1134000000 seconds, 3.14159265",
    "https://example.org/a/page.html and www.example.org",
    "a hug/usual",
    "sk-8 boards, AKIA the car maker, hf_short",
    "BEGIN PUBLIC KEY",
    "{u_motivation: sharing, u_emotion: lonely, u_topic: [family]}",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "RC_2005-12.zst",
    "r/books and /r/books/, or reddit.com/r/books",
]
PLANTED = [(kind, text) for kind, texts in FOUND.items() for text in texts]


def kinds(findings: Findings) -> set[Kind]:
    return {kind for kind, count in findings.counts.items() if count}


@pytest.mark.parametrize(("kind", "text"), PLANTED)
def test_planted_finding_is_found_in_text_and_table(kind: Kind, text: str) -> None:
    found = Findings()
    scan_text(f"so, {text} it is", "README.md", found)
    assert kind in kinds(found)
    assert kind in kinds(scan_table(pa.table({"text": ["nothing", None, f"so, {text} it is"]}), "t"))


@pytest.mark.parametrize("text", NOT_FOUND)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert kinds(scan_table(pa.table({"text": [text]}), "t")) == set()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None, [{"role": "user", "text": "hi"}, {"role": "x", "text": "u/somebody"}]]),
        pa.array([[], [["a"], [], ["u/somebody", "b"]]]),
        pa.array([{"a": {"b": ["c"]}}, {"a": {"b": ["u/somebody"]}}]),
    ],
    ids=["dialogue", "lists", "structs"],
)
def test_nested_strings_are_searched_and_their_row_is_named(column: pa.Array) -> None:
    found = scan_table(pa.table({"x": column}), "f.parquet")
    assert found.counts[Kind.USERNAME] == 1
    (example,) = found.examples[Kind.USERNAME]
    assert example.file == "f.parquet"
    assert example.place.startswith("column x")
    assert example.place.endswith("row 1")


@given(st.lists(st.sampled_from([text for _, text in PLANTED] + NOT_FOUND), max_size=8), st.text(max_size=20))
def test_hint_never_hides_a_finding(parts: list[str], between: str) -> None:
    """The quick search by column finds as much as the exact one by line."""
    text = f" {between} ".join(parts).replace("\r", " ").replace("\x00", " ")
    exact = {kind: len(scan.pattern.findall(text)) for kind, scan in SCANS.items()}
    assert scan_table(pa.table({"text": [text]}), "t").counts == exact


def test_examples_are_few_and_redacted() -> None:
    found = scan_table(pa.table({"text": [f"person{number}@example.org" for number in range(50)]}), "f")
    assert found.counts[Kind.EMAIL] == 50
    assert len(found.examples[Kind.EMAIL]) == EXAMPLES
    said = found.in_words([Kind.EMAIL])
    assert "50 found" in said
    assert "person0" not in said
    assert redact("person0@example.org") == "per... (19 characters)"
    assert SHOWN == 3


def test_files_are_searched_by_their_published_names(tmp_path: Path) -> None:
    table, card = tmp_path / "x.parquet", tmp_path / "README.md"
    pq.write_table(pa.table({"text": ["fine"] * 300 + ["u/somebody"]}), table, row_group_size=100)
    card.write_text("# Talk\n\nAsk us@example.org or them@example.org\n")
    found = scan_files({"a/train.parquet": table, "README.md": card}, own=("us@example.org",))
    assert found.examples[Kind.USERNAME][0].place == "column text, row 300"
    assert found.counts[Kind.EMAIL] == 1
    assert found.examples[Kind.EMAIL][0].place == "line 3"
    assert found.blocking(["username"]) == [Kind.EMAIL]


@pytest.mark.parametrize("escape", [markdown, html.escape, str])
def test_what_is_escaped_is_found_as_it_is_shown(escape: Callable[[str], str]) -> None:
    found = Findings()
    key = "hf_" + "A1b2" * 8
    scan_text(escape(f"key {key}; mail bob@example.com or see https://reddit.com/user/bob_smith"), "README.md", found)
    assert [found.counts[kind] for kind in (Kind.KEY, Kind.EMAIL, Kind.URL_ID)] == [1, 1, 1]


@given(st.text(max_size=60))
def test_markdown_is_unescaped_to_what_it_was(text: str) -> None:
    assert unescaped(markdown(text)) == plain(text)


def test_own_words_may_reach_oneself_but_hold_no_key() -> None:
    own = ("me@example.org", "@misc{x,\n  note = {write to   jane_doe@example.org}\n}", "o", "sk-" + "a1" * 12)
    lines = [
        "ask me@example.org",
        "note = {write to jane_doe@example.org}",
        r"write to jane\_doe&#64;example.org",
        own[3],
    ]
    found = Findings()
    scan_text("\n".join(lines[:2]), "README.md", found, own)
    assert kinds(found) == set()
    scan_text("\n".join([*lines[2:], "ask joe@example.org"]), "README.md", found, own)
    assert [one.place for one in found.examples[Kind.EMAIL]] == ["line 1", "line 3"]
    assert found.counts[Kind.KEY] == 1


def test_options_are_searched_as_they_were_given() -> None:
    found = Findings()
    scan_said([("summary", "fine"), ("tags", "ask u/somebody")], found)
    assert found.examples[Kind.USERNAME][0].file == "option tags"


def test_very_words_are_found_wherever_they_lie(tmp_path: Path) -> None:
    table, card = tmp_path / "x.parquet", tmp_path / "README.md"
    pq.write_table(pa.table({"a": [[{"b": "an odd token here"}]]}), table)
    card.write_text(r"nothing but an\_odd\_one &amp; more")
    assert holds(card, "an_odd_one & more")
    assert holds(table, "odd token")
    assert not holds(table, "other")
    assert not holds(card, "odd token")


def test_every_kind_can_be_allowed_by_its_name() -> None:
    assert {kind.value for kind in Kind} < {override.value for override in Override}
    assert set(SCANS) == set(Kind)
    assert all(scan.about and scan.misses for scan in SCANS.values())


def test_what_a_scan_says_of_itself_is_found_by_none() -> None:
    """It stands on the card of whoever allows its findings, and the card is scanned too."""
    findings = Findings()
    for scan in SCANS.values():
        scan_text(f"{scan.about}\n{scan.misses}", "card", findings)
    assert not findings.blocking(())
