"""The naive reference: dumps to gated dialogues in plain Python, obviously right, with everything in memory.

It is what the stages are tested against, and the baseline that they are timed against. Two modes: `gated` asks VADER
last and stops at the first low score; `vader-everything` scores every comment as it is read, as a simple script would.

    python benchmarks/reddit/naive.py gated dumps/RC_*.zst --out kept/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from canonical import line_of, sha256_of, sorted_lines
from naive_comments import Counts, Post, add_one, read_comments
from naive_gates import Compound, drop_reason, nltk_compound
from naive_threads import by_thread, chains_of


class Mode(StrEnum):
    """When VADER is asked."""

    GATED = "gated"
    VADER_EVERYTHING = "vader-everything"


@dataclass(frozen=True, slots=True)
class Result:
    """What came out."""

    lines: list[str]
    """Kept dialogues in canonical form, sorted by id."""
    counts: Counts
    scored: int
    """Texts that VADER was asked about."""

    @property
    def sha256(self) -> str:
        """Hash of the kept dialogues."""
        return sha256_of(self.lines)

    def summary(self) -> dict[str, Any]:
        """Funnel, hash and number of scored texts."""
        return {**asdict(self.counts), "scored": self.scored, "sha256": self.sha256}


class Scorer:
    """Asks VADER, or remembers what it was told at reading time."""

    def __init__(self, compound: Compound) -> None:
        self._compound = compound
        self._by_text: dict[str, float] = {}
        self.scored = 0

    def __call__(self, text: str) -> float:
        """Compound of a text."""
        if text in self._by_text:
            return self._by_text[text]
        self.scored += 1
        return self._compound(text)

    def scoring(self, posts: Iterable[Post]) -> Iterator[Post]:
        """Score every comment that passes by; equal texts are scored again, as a simple script would."""
        for post in posts:
            self.scored += 1
            self._by_text[post.text] = self._compound(post.text)
            yield post


def run(paths: Sequence[Path], mode: Mode = Mode.GATED, line_limit: int | None = None) -> Result:
    """Read dumps, cut threads, gate dialogues; `line_limit` reads that many lines and no more."""
    counts, compound = Counts(), Scorer(nltk_compound())
    posts = read_comments(paths, counts, line_limit)
    threads = by_thread(compound.scoring(posts) if mode is Mode.VADER_EVERYTHING else posts)
    kept = []
    for thread in threads.values():
        for chain in chains_of(thread):
            if len(chain) == 1:
                counts.single += 1
                continue
            counts.dialogues += 1
            reason = drop_reason([post.text for post in chain], compound)
            if reason is None:
                counts.kept += 1
                kept.append(line_from(chain))
            else:
                add_one(counts.dialogues_dropped, reason)
    return Result(sorted_lines(kept), counts, compound.scored)


def line_from(chain: Sequence[Post]) -> str:
    """A chain as a dialogue: the first speaker is the user, the second the assistant."""
    first = chain[0]
    return line_of(
        id=f"reddit-{first.id}-{len(chain)}",
        roles=["user" if place % 2 == 0 else "assistant" for place in range(len(chain))],
        texts=[post.text for post in chain],
        source_ids=[post.id for post in chain],
        subreddit=first.subreddit,
        thread=first.thread,
        created_utc=first.created_utc,
        files=sorted({post.file for post in chain}),
    )


@click.command()
@click.argument("mode", type=click.Choice([str(one) for one in Mode]))
@click.argument("dumps", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write; made when missing.")
@click.option("--lines", type=click.IntRange(min=1), help="Stop after this many lines of all dumps together.")
def main(mode: str, dumps: tuple[Path, ...], out: Path, lines: int | None) -> None:
    """Write kept.jsonl and summary.json, and print the summary."""
    result = run(dumps, Mode(mode), lines)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "kept.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in result.lines)
    text = json.dumps(result.summary(), indent=2, sort_keys=True)
    (out / "summary.json").write_text(f"{text}\n", encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    main()
