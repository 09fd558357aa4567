"""The folder a stage writes into.

out.write_shard("dialogues", 0, table, counts=Counts(unit="dialogues", came_in=3, kept=3))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.errors import StageError
from sage_data.store.files import atomic_path, write_json, write_text
from sage_data.store.manifest import Counts, Origin
from sage_data.store.shards import REJECTED, shard_name, total_counts, write_table


class Output:
    """The folder a stage writes into. Whatever is finished in it survives a kill and need not be made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.models: dict[str, str] = {}
        self.origins: list[Origin] = []
        self.warnings: list[str] = []
        self.failures: list[str] = []
        self.timings: dict[str, float] = {}
        self._counted: list[str] = []

    def has(self, name: str) -> bool:
        """True when the file or folder `name` was finished by an earlier attempt."""
        return (self.path / name).exists()

    def has_shard(self, name: str, index: int) -> bool:
        """True when shard `index` of table `name` was finished by an earlier attempt; its counts still count."""
        if not self.has(shard_name(name, index)):
            return False
        self._counted.append(shard_name(name, index))
        return True

    def write_shard(
        self,
        name: str,
        index: int,
        table: pa.Table,
        *,
        counts: Counts | Sequence[Counts] = (),
        rejected: pa.Table | None = None,
    ) -> None:
        """Write shard `index` of table `name`; rejected rows go to `rejected/` first.

        Raises:
            StageError: the counts do not add up.
        """
        listed = [counts] if isinstance(counts, Counts) else list(counts)
        for one in listed:
            if not one.adds_up():
                raise StageError(f"{name} shard {index}: counts of {one.unit} do not add up: {one.model_dump()}")
        file = shard_name(name, index)
        if rejected is not None and rejected.num_rows:
            write_table(self.path / REJECTED / file, rejected)
        else:
            # An attempt that died before the shard was there may have rejected what this one keeps.
            (self.path / REJECTED / file).unlink(missing_ok=True)
        write_table(self.path / file, table, listed)
        self._counted.append(file)

    def write_table(self, file: str, table: pa.Table) -> None:
        """Write one Parquet file that is no shard."""
        write_table(self.path / file, table)

    def write_text(self, file: str, text: str) -> None:
        """Write a UTF-8 text file. What stands in `summary.txt` is printed when a recipe ends."""
        write_text(self.path / file, text)

    def write_json(self, file: str, value: Any) -> None:
        """Write an indented JSON file with sorted keys."""
        write_json(self.path / file, value)

    def folder(self, name: str) -> AbstractContextManager[Path]:
        """A subfolder that appears under its name only when the block ends without error."""

        @contextmanager
        def opened() -> Iterator[Path]:
            with atomic_path(self.path / name) as temporary:
                temporary.mkdir(parents=True)
                yield temporary

        return opened()

    def add_model(self, role: str, identity: str) -> None:
        """Record which model played a role, for the manifest."""
        self.models[role] = identity

    def add_origin(self, origin: Origin) -> None:
        """Record what rows of this stage derive from, besides what its inputs derive from."""
        if origin not in self.origins:
            self.origins.append(origin)

    def warn(self, message: str) -> None:
        """Record a warning for the manifest; it is also printed.

        Warnings and failures are not kept by an interrupted attempt. A stage that skips what an earlier attempt
        finished must find them anew, for example from the counts of its finished shards.
        """
        self.warnings.append(message)

    def fail(self, message: str) -> None:
        """Record that a part of the work failed although the stage goes on: its output is usable, but not all of it.

        The stage counts as finished; the command that ran it, or finds it fresh, prints this and ends with code 3.
        """
        self.failures.append(message)

    def timing(self, part: str, seconds: float) -> None:
        """Record seconds spent on a part; not part of the content hash."""
        self.timings[part] = round(self.timings.get(part, 0.0) + seconds, 3)

    def counts(self) -> list[Counts]:
        """Counts of all finished shards, added up by unit."""
        return total_counts(self.path / file for file in sorted(set(self._counted)))
