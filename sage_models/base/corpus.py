"""The base's corpus: dialogues in Parquet, split, written through the chat template, and packed into token windows."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedTokenizerBase

from sage_data.errors import InputError
from sage_data.stage import Counts
from sage_models.masking import CONTROL_TEXT

Messages = list[dict[str, str]]
PATTERN = "base_corpus*.parquet"


def read_corpus(folder: Path) -> list[Messages]:
    """Read the column `messages` (list of role and content) of every `base_corpus*.parquet`, in order.

    Raises:
        InputError: no such file, no such column, or no rows.
    """
    paths = sorted(folder.glob(PATTERN))
    rows: list[Messages] = []
    for path in paths:
        if "messages" not in pq.read_schema(path).names:
            raise InputError(f"{path}: expected a column `messages`, found {pq.read_schema(path).names}")
        rows.extend(pq.read_table(path, columns=["messages"])["messages"].to_pylist())
    if not rows:
        raise InputError(
            f"{folder}: expected dialogues in files {PATTERN}; found {len(paths)} files and no rows",
            next_step="sage data sample writes such a corpus",
        )
    return rows


@dataclass(frozen=True)
class Corpus:
    """The dialogues to learn from, and what became of the others."""

    rows: Sequence[Messages]
    places: tuple[int, ...]
    """Row number in the input (0-based) of each of `rows`."""
    dropped: tuple[int, ...]
    """Row numbers of those whose text would be read as control tokens."""

    @property
    def counts(self) -> Counts:
        """Dialogues that came in, were kept, were dropped."""
        reasons = {CONTROL_TEXT: len(self.dropped)} if self.dropped else {}
        came_in = len(self.places) + len(self.dropped)
        return Counts(unit="dialogues", came_in=came_in, kept=len(self.places), dropped=reasons)

    def table(self) -> pa.Table:
        """One row a dialogue that is learnt from: `row`, `messages`."""
        lengths = [len(row) for row in self.rows]
        return pa.table({"row": pa.array(self.places, pa.int64()), "messages": pa.array(lengths, pa.int64())})

    def rejected(self) -> pa.Table:
        """One row a dropped dialogue: `row`, `reason`."""
        reasons = [CONTROL_TEXT] * len(self.dropped)
        return pa.table({"row": pa.array(self.dropped, pa.int64()), "reason": pa.array(reasons, pa.string())})


def without_control(rows: Sequence[Messages], control: re.Pattern[str]) -> Corpus:
    """Drop the dialogues with a message in which `control` is found: it would end the message, or open another."""
    found = {place for place, row in enumerate(rows) if any(control.search(message["content"]) for message in row)}
    places = tuple(place for place in range(len(rows)) if place not in found)
    return Corpus([rows[place] for place in places], places, tuple(sorted(found)))


def split_corpus(rows: Sequence[Messages], held_out: float, seed: int) -> tuple[list[Messages], list[Messages]]:
    """Set a share of the dialogues apart: (training, held out); both keep the corpus's order, neither is empty.

    Raises:
        InputError: fewer than two dialogues.
    """
    if len(rows) < 2:
        raise InputError(f"expected at least 2 dialogues to train on and to hold out; found {len(rows)}")
    count = min(max(1, round(len(rows) * held_out)), len(rows) - 1)
    apart = set(random.Random(seed).sample(range(len(rows)), count))
    train = [row for index, row in enumerate(rows) if index not in apart]
    return train, [row for index, row in enumerate(rows) if index in apart]


def encode(rows: Sequence[Messages], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Token ids of each dialogue as the chat template writes it."""
    texts = [str(tokenizer.apply_chat_template(row, tokenize=False)) for row in rows]
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


@dataclass(frozen=True)
class Windows:
    """An endless, seeded stream of packed windows over the training dialogues.

    Each epoch shuffles the dialogues, joins them and cuts the stream into windows of `length` + 1 tokens (the last
    token of one window is the first of the next, so that every token is predicted once). What does not fill a window
    at an epoch's end is left to the next shuffle.
    """

    dialogues: Sequence[Sequence[int]]
    length: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Windows in one epoch, the same for every shuffle."""
        return (sum(map(len, self.dialogues)) - 1) // self.length

    def epoch(self, index: int) -> torch.Tensor:
        """Windows of epoch `index`: int64 (windows, length + 1)."""
        order = list(range(len(self.dialogues)))
        random.Random(f"{self.seed}/{index}").shuffle(order)
        stream = torch.tensor([token for place in order for token in self.dialogues[place]])
        return stream[: self.per_epoch * self.length + 1].unfold(0, self.length + 1, self.length)

    def batches(self, size: int, first: int, last: int) -> Iterator[torch.Tensor]:
        """Batches `first` to `last` - 1 of the stream, each (size, length + 1); the same however far one starts in."""
        epoch, window = divmod(first * size, self.per_epoch)
        current = self.epoch(epoch)[window:]
        for _ in range(first, last):
            while len(current) < size:
                epoch += 1
                current = torch.cat((current, self.epoch(epoch)))
            yield current[:size]
            current = current[size:]


def held_out_windows(dialogues: Sequence[Sequence[int]], length: int, pad: int) -> torch.Tensor:
    """The held-out dialogues joined and cut as in training; the last window is filled up with `pad`."""
    stream = [token for dialogue in dialogues for token in dialogue]
    count = max(1, math.ceil((len(stream) - 1) / length))
    stream += [pad] * (count * length + 1 - len(stream))
    return torch.tensor(stream).unfold(0, length + 1, length)
