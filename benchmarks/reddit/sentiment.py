"""Measures the exact VADER scorer against NLTK's: same utterances, same process, one thread, every score compared.

Each scorer goes first in every other block of utterances. The first round starts with an empty memory; NLTK remembers
nothing, so its two rounds differ by chance alone. Exit code 1 on any difference.

    python benchmarks/reddit/sentiment.py                    # utterances of the sample world
    python benchmarks/reddit/sentiment.py comments.jsonl.zst # bodies of comments; any other file: a text a line
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

import click

from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.sentiment import CompoundScorer, nltk_analyzer
from sage_data.sample.talk import converse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK = 1_000
Score = Callable[[str], float]
Made = TypeVar("Made")


def main() -> int:
    """Prints speeds and ratios; 0 if all scores are equal."""
    parser = argparse.ArgumentParser(description="NLTK's VADER against ours, on the same utterances.")
    parser.add_argument("file", nargs="?", type=Path, help="FILE.jsonl.zst with a field body, or a text file")
    parser.add_argument(
        "--limit", type=int, default=20_000, metavar="N", help="use the first N utterances (%(default)s)"
    )
    options = parser.parse_args()
    texts = list(itertools.islice(_read(options.file) if options.file else _sample(), options.limit))
    ours_ready, ours = _timed(lambda: CompoundScorer(load_lexicon().valences))
    nltk_ready, nltk = _timed(lambda: nltk_analyzer(load_lexicon().valences))
    scorers: dict[str, Score] = {"NLTK": lambda text: nltk.polarity_scores(text)["compound"], "ours": ours.compound}
    click.echo(f"{len(texts):,} utterances, {sum(map(len, texts)) / max(1, len(texts)):.0f} characters each")
    click.echo(f"ready after {nltk_ready:.2f} (NLTK) and {ours_ready:.2f} CPU-seconds (ours)")
    click.echo(f"{'utterances per CPU-second':<28}{'NLTK':>10}{'ours':>10}{'ratio':>8}")
    different = sum(_round(name, texts, scorers) for name in ("first time", "again"))
    click.echo(f"scores that differ: {different}")
    return 1 if different else 0


def _read(path: Path) -> Iterator[str]:
    if path.suffix != ".zst":
        yield from path.read_text(encoding="utf-8").splitlines()
        return
    with zstd.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["body"]


def _sample() -> Iterator[str]:
    for number in itertools.count():
        yield from (turn.text for turn in converse(Random(f"sentiment:{number}"), 8))


def _timed(make: Callable[[], Made]) -> tuple[float, Made]:
    start = time.process_time()
    made = make()
    return time.process_time() - start, made


def _scores(score: Score, texts: Sequence[str]) -> list[float]:
    return [score(text) for text in texts]


def _round(name: str, texts: Sequence[str], scorers: dict[str, Score]) -> int:
    """Scores all texts with both, prints the speeds, and returns how many scores differ."""
    seconds = dict.fromkeys(scorers, 0.0)
    different = 0
    order = list(scorers.items())
    for start in range(0, len(texts), BLOCK):
        block, scores = texts[start : start + BLOCK], {}
        for who, score in order:
            spent, scores[who] = _timed(partial(_scores, score, block))
            seconds[who] += spent
        different += sum(theirs != own for theirs, own in zip(scores["NLTK"], scores["ours"], strict=True))
        order.reverse()
    speeds = {who: len(texts) / max(spent, 1e-9) for who, spent in seconds.items()}
    ratio = speeds["ours"] / speeds["NLTK"]
    click.echo(f"{name:<28}{speeds['NLTK']:>10,.0f}{speeds['ours']:>10,.0f}{ratio:>7.1f}x")
    return different


if __name__ == "__main__":
    sys.exit(main())
