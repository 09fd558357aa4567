"""EmpatheticDialogues -> scenarios: one situation to talk about from each conversation (paper section 3.4).

    sage data scenarios empatheticdialogues.tar.gz --out scenarios/
    sage data scenarios hf://datasets/ORG/NAME@refs%2Fconvert%2Fparquet --out scenarios/

Accepted: the original `.tar.gz`; a folder with `train`, `valid` and `test` as `.csv` or `.csv.gz`, or one such file;
a copy in Parquet as the Hub lays it out, there or here; and any folder of dialogues, whose users' first utterances are
then the situations. An id that an earlier split has too ends in `#2`.

Situations that stand in more than one split are reported in `leakage.json`, and dropped with `--leaked drop`. In the
corpus' train and valid there are 3, as `sage_data.scenarios.leaks` compares them; 2 of them to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from sage_data.dialogue import Split
from sage_data.errors import InputError
from sage_data.scenarios.fetching import fetched
from sage_data.scenarios.leaks import SPLITS, distinct, find_leaks, leaked_ids
from sage_data.scenarios.lines import BadLine, ScenarioFile, read_rows, scenarios_of
from sage_data.scenarios.sources import is_dialogues, read_files
from sage_data.stage import Context, Counts, Inputs, Need, Origin, Output, StageConfig
from sage_data.store.dialogues import scenarios_to_table

VERSION = 3
ORIGIN = Origin(
    name="EmpatheticDialogues",
    license="cc-by-nc-4.0",
    url="https://github.com/facebookresearch/EmpatheticDialogues",
    note="Rashkin et al., ACL 2019.",
)
INPUTS = (
    Need(
        "archive",
        "EmpatheticDialogues: its .tar.gz, or a folder with train / valid / test as .csv, .csv.gz or .parquet; or "
        "any folder of dialogues; also by URL",
        remote=True,
        origin=ORIGIN,
    ),
)
KNOWN: dict[Split, int] = {"train": 19_533, "dev": 2_770, "test": 2_547}
"""Conversations of each split, counted line by line in the original files."""
REJECT_SCHEMA = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])


class Config(StageConfig):
    """Which scenarios to take."""

    splits: tuple[Split, ...] | None = Field(
        default=None, min_length=1, description="Splits to take; null takes every split there is."
    )
    limit: int | None = Field(
        default=None, ge=1, description="Take at most this many scenarios of each split, in file order."
    )
    leaked: Literal["keep", "drop"] = Field(
        default="keep",
        description="What to do with a scenario whose situation also stands in a later split (train, dev, test): keep "
        "and report it, or drop it from the earlier split, so that the held-out one stays whole.",
    )
    split_if_unknown: Split | None = Field(
        default=None, description="Split of what tells none itself: one file of another name, or a folder of dialogues."
    )


def read_scenarios(stream: Iterable[bytes], file: str, split: Split) -> ScenarioFile:
    """Read the lines of one CSV file of the corpus.

    Raises:
        InputError: the first line is not the corpus' header.
        DamagedFileError: the file is cut short or corrupt.
    """
    return scenarios_of(read_rows(stream, file), file, split)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write one shard of scenarios per split, `leakage.json`, and a summary.

    Raises:
        InputError: there is no such corpus, or a wanted split is not there.
        DamagedFileError: a file is cut short or corrupt.
    """
    with fetched(inputs.one("archive")) as archive:
        _run(config, archive, out, context)


def _run(config: Config, archive: Path, out: Output, context: Context) -> None:
    with context.progress("scenarios", 1, "sources") as bar:
        files, repeated = distinct(read_files(archive, config.split_if_unknown))
        bar.advance(1)
    if repeated:
        out.warn(f"{repeated:,} scenarios have the id of one in an earlier split, and got a number behind it")
    chosen = _chosen(files, config.splits, archive)
    _warn_of_losses(chosen, archive, out)
    # Splits not taken count too: a training set must not hold what another stage tests on.
    leaks = [leak for leak in find_leaks(files) if not chosen.keys().isdisjoint(leak.ids)]
    drop = leaked_ids(leaks) if config.leaked == "drop" else set()
    out.write_json("leakage.json", [{"situation": leak.situation, "ids": leak.ids} for leak in leaks])
    if leaks:
        out.warn(f"{len(leaks)} situations stand in more than one split, see leakage.json; leaked: {config.leaked}")
    kept = {split: _write_split(out, split, file, config.limit, drop) for split, file in chosen.items()}
    out.write_text("summary.txt", _summary(chosen, kept, len(leaks)))


def _chosen(
    files: dict[Split, ScenarioFile], wanted: tuple[Split, ...] | None, archive: Path
) -> dict[Split, ScenarioFile]:
    """The wanted splits in the order of `SPLITS`; None wants all there are.

    Raises:
        InputError: a wanted split is not there.
    """
    taken = tuple(files) if wanted is None else wanted
    for split in taken:
        if split not in files:
            raise InputError(
                f"{archive}: no file for the split {split}; found {', '.join(files)}",
                next_step="leave `splits` out to take what is there",
            )
    return {split: files[split] for split in SPLITS if split in taken}


def _warn_of_losses(files: dict[Split, ScenarioFile], archive: Path, out: Output) -> None:
    """Say when a copy in Parquet lacks conversations: the best-known one was written by a quote-aware CSV reader."""
    if is_dialogues(archive) or not (archive.suffix == ".parquet" or next(archive.rglob("*.parquet"), None)):
        return
    for split, file in files.items():
        if (count := len(file.scenarios)) < KNOWN[split]:
            out.warn(
                f"{split}: {count:,} conversations, {KNOWN[split] - count:,} fewer than the {KNOWN[split]:,} of the "
                "original; quotes in its text swallowed the others when this copy was made"
            )


def _summary(files: dict[Split, ScenarioFile], kept: dict[Split, int], leaks: int) -> str:
    rows = [f"{'split':6} {'lines':>8} {'bad':>6} {'conversations':>14} {'kept':>8}"]
    for split, file in files.items():
        rows.append(f"{split:6} {file.lines:8,} {len(file.bad):6,} {len(file.scenarios):14,} {kept[split]:8,}")
    return "\n".join([*rows, f"situations in more than one split: {leaks}"]) + "\n"


def _write_split(out: Output, split: Split, file: ScenarioFile, limit: int | None, drop: set[tuple[Split, str]]) -> int:
    """Write the shard of one split; returns how many scenarios it holds."""
    clean = [one for one in file.scenarios if (split, one.id) not in drop]
    kept = clean[:limit]
    index = SPLITS.index(split)
    if out.has_shard("scenarios", index):
        return len(kept)
    dropped = {"leaked": len(file.scenarios) - len(clean), "limit": len(clean) - len(kept)}
    bad = len(file.bad)
    lines = Counts(unit="lines", came_in=file.lines, kept=file.lines - bad, dropped={}, quarantined=bad)
    scenarios = Counts(
        unit="scenarios",
        came_in=len(file.scenarios),
        kept=len(kept),
        dropped={reason: count for reason, count in dropped.items() if count},
        quarantined=0,
    )
    rejected = pa.Table.from_pylist([_bad_row(one) for one in file.bad], schema=REJECT_SCHEMA)
    out.write_shard("scenarios", index, scenarios_to_table(kept), counts=[lines, scenarios], rejected=rejected)
    return len(kept)


def _bad_row(bad: BadLine) -> dict[str, str | int]:
    return {"file": bad.file, "line": bad.line, "reason": bad.reason.value, "text": bad.text}
