"""The two phases of the Reddit stage: dumps to partitions of whole threads, then each partition to dialogues.

Phase 1 (`sort_into_partitions`) reads every dump once; phase 2 (`build_partition`) is a pure function of one partition.
Between the two, the partitions are held in memory.

    parted = sort_into_partitions(find_dumps(paths, "RC_*"), gates, 8)
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sage_data.dialogue import Dialogue, Role, Source, Utterance
from sage_data.errors import InputError
from sage_data.progress import Bar
from sage_data.reddit.comments import Predicate, cleaned, reject_reason
from sage_data.reddit.reader import BadLine, BlankLine, Comment, read_comments
from sage_data.reddit.reasons import SINGLE, CommentReason
from sage_data.reddit.threads import Policy, cut

CORPUS = "reddit"
_ROLES: tuple[Role, Role] = ("user", "assistant")

Gates = Sequence[tuple[CommentReason, Predicate]]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A comment that is in no dialogue, and why: a `CommentReason`, or `single`."""

    comment: Comment
    reason: str


@dataclass(slots=True)
class Partition:
    """The comments of some threads, whole threads only."""

    kept: list[Comment] = field(default_factory=list)
    """Cleaned comments that passed every gate; ids are distinct."""
    dropped: list[Dropped] = field(default_factory=list)


@dataclass(slots=True)
class DumpTally:
    """What became of the lines of one dump: lines = blank + bad + comments."""

    file: str
    lines: int = 0
    blank: int = 0
    bad: list[BadLine] = field(default_factory=list)

    @property
    def comments(self) -> int:
        """Lines that were read as comments."""
        return self.lines - self.blank - len(self.bad)


@dataclass(frozen=True, slots=True)
class Parted:
    """Result of phase 1."""

    partitions: list[Partition]
    tallies: list[DumpTally]
    """One a dump, in order of file name."""


@dataclass(frozen=True, slots=True)
class Built:
    """Result of phase 2 for one partition: came in = in dialogues + dropped by reason."""

    came_in: int
    """Comments in the partition, those dropped by gates included."""
    dialogues: list[Dialogue]
    """Sorted by time and id of the first utterance."""
    dropped: list[Dropped]
    """Sorted by file and line."""

    @property
    def reasons(self) -> dict[str, int]:
        """Comments dropped, by reason."""
        return dict(sorted(Counter(one.reason for one in self.dropped).items()))


def find_dumps(paths: Iterable[Path], pattern: str) -> list[Path]:
    """The dump files among `paths`: files as they are, folders by pattern; sorted by name.

    Raises:
        InputError: a folder holds no dump, or two dumps have the same name and could not be told apart later.
    """
    found: dict[str, Path] = {}
    for path in paths:
        inside = [path] if path.is_file() else sorted(one for one in path.glob(pattern) if one.is_file())
        if not inside:
            raise InputError(
                f"expected dump files named {pattern}, found none in {path}",
                next_step="give the files themselves, or another pattern with --set files=...",
            )
        for file in inside:
            if found.setdefault(file.name, file).resolve() != file.resolve():
                raise InputError(
                    f"expected dumps with different names, found two called {file.name}: {found[file.name]} and {file}",
                    next_step="rename one of them",
                )
    return [found[name] for name in sorted(found)]


def sort_into_partitions(files: Sequence[Path], gates: Gates, count: int, bar: Bar | None = None) -> Parted:
    """Phase 1: read the dumps in order of name, apply the comment gates, keep threads together.

    `bar` advances by the size of each finished file, in bytes.

    Raises:
        DamagedFileError: a dump is empty, cut short or corrupt; nothing of the run is used then.
    """
    partitions = [Partition() for _ in range(count)]
    tallies = []
    seen: set[str] = set()
    for file in files:
        tally = DumpTally(file.name)
        for parsed in read_comments(file):
            tally.lines += 1
            if isinstance(parsed, Comment):
                _admit(cleaned(parsed), partitions, seen, gates)
            elif isinstance(parsed, BlankLine):
                tally.blank += 1
            else:
                tally.bad.append(parsed)
        tallies.append(tally)
        if bar is not None:
            bar.advance(file.stat().st_size)
    return Parted(partitions, tallies)


def partition_of(thread: str, count: int) -> int:
    """Which of `count` partitions a thread belongs to; the same on every machine."""
    return zlib.crc32(thread.encode()) % count


def _admit(comment: Comment, partitions: Sequence[Partition], seen: set[str], gates: Gates) -> None:
    partition = partitions[partition_of(comment.thread, len(partitions))]
    reason = CommentReason.DUPLICATE if comment.id in seen else reject_reason(comment, gates)
    seen.add(comment.id)
    if reason is None:
        partition.kept.append(comment)
    else:
        partition.dropped.append(Dropped(comment, reason))


def build_partition(partition: Partition, policy: Policy) -> Built:
    """Phase 2: cut the threads of one partition into dialogues; chains of one comment are dropped as `single`."""
    kept = partition.kept
    chains = cut(kept, policy)
    dialogues = [to_dialogue([kept[number] for number in chain]) for chain in chains if len(chain) > 1]
    singles = [Dropped(kept[chain[0]], SINGLE) for chain in chains if len(chain) == 1]
    dropped = sorted([*partition.dropped, *singles], key=lambda one: (one.comment.file, one.comment.line))
    return Built(len(kept) + len(partition.dropped), dialogues, dropped)


def to_dialogue(chain: Sequence[Comment]) -> Dialogue:
    """A chain of comments as a dialogue: the first speaker is the user, speakers take turns."""
    first = chain[0]
    return Dialogue(
        id=f"{CORPUS}-{first.id}-{len(chain)}",
        utterances=tuple(
            Utterance(_ROLES[place % 2], comment.text, source_id=comment.id) for place, comment in enumerate(chain)
        ),
        source=Source(
            corpus=CORPUS,
            thread=first.thread,
            place=first.subreddit,
            created_utc=first.created_utc,
            files=tuple(sorted({comment.file for comment in chain})),
        ),
    )
