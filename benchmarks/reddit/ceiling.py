"""The ceiling: decompress the dumps and parse every line into typed fields, and do nothing with what was read.

Large pieces are decompressed, cut at newlines, and each line is decoded by msgspec into the eight fields that the
stage reads: no check, no gate, nothing kept. It shares no code with the stage.

    python benchmarks/reddit/ceiling.py dumps/RC_*.zst
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from naive_comments import open_dump

PIECE_BYTES = 1 << 20


class Fields(msgspec.Struct, gc=False):
    """What is read from a line."""

    id: str
    author: str
    body: str
    created_utc: int | float | str
    link_id: str
    parent_id: str
    subreddit: str
    score: int | float | None = None


def count(path: Path) -> int:
    """Comments in one dump."""
    decode = msgspec.json.Decoder(Fields).decode
    tail, comments = b"", 0
    with open_dump(path) as file:
        while piece := file.read(PIECE_BYTES):
            *lines, tail = (tail + piece).split(b"\n")
            comments += parsed(lines, decode)
    return comments + parsed([tail], decode)


def parsed(lines: list[bytes], decode: Callable[[bytes], Fields]) -> int:
    """How many of these lines are comments."""
    comments = 0
    for line in lines:
        try:
            decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        comments += 1
    return comments


@click.command()
@click.argument("dumps", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
def main(dumps: tuple[Path, ...]) -> None:
    """Print the number of comments as JSON."""
    click.echo(json.dumps({"comments": sum(count(path) for path in dumps)}))


if __name__ == "__main__":
    main()
