"""Published benchmarks: their data set on the Hub, the split that is asked, and how many questions that has.

read_benchmarks(None)["piqa"].documents  # 1838
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sage_data.errors import InputError

BENCHMARKS = Path(__file__).parent / "benchmarks.toml"
ALL = "all"
"""Config of a data set that holds what its other configs hold one by one, such as the subjects of mmlu."""


class Benchmark(BaseModel):
    """The data set of the Hub that a task of lm-eval asks its questions from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="For people.")
    dataset: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Repository, as OWNER/NAME.")
    config: str = "default"
    split: str
    documents: int | None = Field(None, ge=1, description="Questions in the split; not looked at when left out.")
    hub_task: str | None = Field(None, description="The task's id in the data set's eval.yaml, if it has one.")
    metric: str = Field("acc", description="The metric that counts.")
    filter: str = Field("none", description="The filter whose answers count.")


def read_benchmarks(more: Path | None) -> dict[str, Benchmark]:
    """lm-eval's name of a task -> its data set; what `more` says of a task is taken first.

    Raises:
        InputError: a file is not such TOML; the task and what is wrong with it are named.
    """
    found: dict[str, Benchmark] = {}
    for path in filter(None, (BENCHMARKS, more)):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            found |= {task: Benchmark.model_validate(table) for task, table in tables.items()}
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise InputError(
                f"{path}: expected TOML with a table for each task (name, dataset, split, ...): {error}",
                next_step='write for example: [my_task]\nname = "My task"\ndataset = "me/my-task"\nsplit = "test"',
            ) from error
    return found


@cache
def published_documents() -> dict[str, int]:
    """lm-eval's name of a task -> how many questions its published split has."""
    return {task: one.documents for task, one in read_benchmarks(None).items() if one.documents}


def published_rows(dataset: str, split: str, configs: Collection[str]) -> int | None:
    """How many rows a split of these configs has as published; None where that is not known of any."""
    known = [
        one.documents
        for one in read_benchmarks(None).values()
        if (one.dataset, one.split) == (dataset, split) and (one.config == ALL or one.config in configs)
    ]
    return sum(filter(None, known)) or None
