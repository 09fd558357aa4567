"""Where each of the paper's ten tasks finds its splits in a folder of original files, and how they become tables.

for part in local_parts(Path("benchmarks/"), ("piqa", "mmlu_anatomy")).parts: part.table()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from sage_data.errors import ConfigError, InputError
from sage_eval.bench.conventions import PAPER_TASKS, SUBJECTS
from sage_eval.bench.mirror import formats
from sage_eval.bench.mirror.layout import Split
from sage_eval.bench.mirror.reading import Record, json_lines, labelled_lines, mmlu_rows, tab_separated
from sage_eval.bench.wording import named

MMLU = "mmlu"
Reader = Callable[[Path], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Original:
    """The files of one task."""

    dataset: str
    config: str
    schema: pa.Schema
    convert: Callable[[Record], formats.Row]
    files: Mapping[str, tuple[str, ...]]
    """Split -> names that its file may have, anywhere below the folder."""
    scored: str
    """The split that lm-eval scores."""
    opened: tuple[str, ...] = ("train",)
    """Splits that lm-eval opens besides, for examples in the prompt, even when it needs none."""


@dataclass(frozen=True)
class Part:
    """One split to write."""

    split: Split
    schema: pa.Schema
    rows: tuple[formats.Row, ...] = ()

    def table(self) -> pa.Table:
        """Its rows; one that says so where the source has no such split."""
        return pa.Table.from_pylist(list(self.rows) or [formats.filler(self.schema)], schema=self.schema)


@dataclass(frozen=True)
class Found:
    """What a folder of original files yields."""

    parts: tuple[Part, ...]
    missing: tuple[str, ...]
    """Tasks without a file, of those that were not asked for by name."""


def _original(
    dataset: str,
    config: str,
    schema: pa.Schema,
    convert: Callable[[Record], formats.Row],
    scored: str,
    **files: tuple[str, ...],
) -> Original:
    return Original(dataset, config, schema, convert, files, scored)


def _mmlu(subject: str) -> Original:
    files = {"test": (f"{subject}_test.csv",), "dev": (f"{subject}_dev.csv",), "validation": (f"{subject}_val.csv",)}
    convert = partial(formats.mmlu, subject=subject)
    return Original("cais/mmlu", subject, formats.MMLU, convert, files, "test", ("dev",))


ORIGINALS: dict[str, Original] = {
    "hellaswag": _original(
        "Rowan/hellaswag",
        "default",
        formats.HELLASWAG,
        formats.hellaswag,
        "validation",
        validation=("hellaswag_val*.jsonl",),
        train=("hellaswag_train*.jsonl",),
    ),
    "arc_challenge": _original(
        "allenai/ai2_arc",
        "ARC-Challenge",
        formats.ARC,
        formats.arc,
        "test",
        test=("ARC-Challenge-Test.jsonl", "arc_challenge_test.jsonl"),
        train=("ARC-Challenge-Train.jsonl", "arc_challenge_train.jsonl"),
        validation=("ARC-Challenge-Dev.jsonl", "arc_challenge_dev.jsonl"),
    ),
    "arc_easy": _original(
        "allenai/ai2_arc",
        "ARC-Easy",
        formats.ARC,
        formats.arc,
        "test",
        test=("ARC-Easy-Test.jsonl", "arc_easy_test.jsonl"),
        train=("ARC-Easy-Train.jsonl", "arc_easy_train.jsonl"),
        validation=("ARC-Easy-Dev.jsonl", "arc_easy_dev.jsonl"),
    ),
    "winogrande": _original(
        "allenai/winogrande",
        "winogrande_xl",
        formats.WINOGRANDE,
        formats.winogrande,
        "validation",
        validation=("winogrande_dev*.jsonl", "winogrande*/dev.jsonl"),
        train=("winogrande_train_xl*.jsonl", "winogrande*/train_xl.jsonl"),
    ),
    "openbookqa": _original(
        "allenai/openbookqa",
        "main",
        formats.OPENBOOKQA,
        formats.openbookqa,
        "test",
        test=("openbookqa/test.tsv", "openbookqa/test.jsonl", "Main/test.jsonl"),
        train=("openbookqa/train.tsv", "openbookqa/train.jsonl", "Main/train.jsonl"),
        validation=("openbookqa/dev.tsv", "openbookqa/dev.jsonl", "Main/dev.jsonl"),
    ),
    "piqa": _original(
        "baber/piqa",
        "default",
        formats.PIQA,
        formats.piqa,
        "validation",
        validation=("piqa/valid.jsonl", "physicaliqa*/dev.jsonl"),
        train=("piqa/train.jsonl", "physicaliqa*/train.jsonl"),
    ),
    "social_iqa": _original(
        "lighteval/siqa",
        "default",
        formats.SIQA,
        formats.siqa,
        "validation",
        validation=("siqa/dev.jsonl", "social*iqa*/dev.jsonl"),
        train=("siqa/train.jsonl", "social*iqa*/train.jsonl"),
    ),
    "commonsense_qa": _original(
        "tau/commonsense_qa",
        "default",
        formats.COMMONSENSE_QA,
        formats.commonsense_qa,
        "validation",
        validation=("dev_rand_split.jsonl",),
        train=("train_rand_split.jsonl",),
    ),
    "gsm8k": _original(
        "openai/gsm8k",
        "main",
        formats.GSM8K,
        formats.gsm8k,
        "test",
        test=("gsm8k/test.jsonl", "gsm8k_test.jsonl"),
        train=("gsm8k/train.jsonl", "gsm8k_train.jsonl"),
    ),
    **{f"{MMLU}_{subject}": _mmlu(subject) for subject in sorted(SUBJECTS)},
}
"""Single task -> its files; the authors' own names, and those of common copies."""


def local_parts(folder: Path, tasks: Sequence[str]) -> Found:
    """Read and convert every split that the tasks need; those that are named must be there.

    Args:
        folder: with the original files anywhere below.
        tasks: names of the ten tasks, `mmlu_SUBJECT`, or "paper"; whatever is found when empty.

    Raises:
        ConfigError: a task is none of these.
        InputError: the file that a named task scores is missing, there is nothing, or an item is wrong.
    """
    wanted = single_tasks(tasks)
    below = Below(folder, tuple(path for path in sorted(folder.rglob("*")) if path.is_file()))
    found: dict[str, tuple[Part, ...]] = {}
    for task in wanted:
        if parts := tuple(_parts(below, ORIGINALS[task])):
            found[task] = parts
    missing = [task for task in wanted if task not in found]
    if not found or (tasks and missing):
        names = ORIGINALS[missing[0]].files[ORIGINALS[missing[0]].scored]
        raise InputError(
            f"{folder}: no file for {named(missing)}; {missing[0]} would be in {' or '.join(names)}",
            next_step="put the files there, or name the tasks that are there in `tasks`",
        )
    return Found(tuple(part for parts in found.values() for part in parts), tuple(missing))


def single_tasks(tasks: Sequence[str]) -> list[str]:
    """The single tasks that names stand for; all when there are none.

    Raises:
        ConfigError: a name is none that has a converter.
    """
    named: list[str] = []
    for task in tasks or ("paper",):
        for one in PAPER_TASKS if task == "paper" else (task,):
            named += [f"{MMLU}_{subject}" for subject in sorted(SUBJECTS)] if one == MMLU else [one]
    if unknown := [one for one in named if one not in ORIGINALS]:
        raise ConfigError(
            f"no original format is known for {unknown[0]!r}; known: paper, {', '.join(PAPER_TASKS)}, mmlu_SUBJECT",
            next_step="leave out --from to mirror it from the Hub's cache",
        )
    return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Below:
    """The files of a folder."""

    folder: Path
    files: tuple[Path, ...]

    def find(self, names: Sequence[str]) -> Path | None:
        """The file that has one of the names.

        Raises:
            InputError: there are several.
        """
        found = [path for path in self.files if any(path.match(name) for name in names)]
        if len(found) > 1:
            listed = " and ".join(map(self.name, found))
            raise InputError(f"{self.folder}: {listed} could both be meant", next_step="leave one of them there")
        return found[0] if found else None

    def name(self, file: Path) -> str:
        """A file's path below the folder."""
        return file.relative_to(self.folder).as_posix()


def _parts(below: Below, original: Original) -> Iterator[Part]:
    """Every split of a task that is there, and a filler for each that lm-eval opens; none without a scored one."""
    if below.find(original.files[original.scored]) is None:
        return
    for split, names in original.files.items():
        file = below.find(names)
        if file is None and split not in original.opened:
            continue
        rows = () if file is None else tuple(map(original.convert, _reader(file)(file)))
        if file is not None and not rows:
            raise InputError(f"{file}: holds no item", next_step="copy the file again")
        source = "" if file is None else below.name(file)
        yield Part(Split(original.dataset, original.config, split, len(rows), source), original.schema, rows)


def _reader(file: Path) -> Reader:
    labels = file.with_name(f"{file.stem}-labels.lst")
    if labels.is_file():
        return partial(labelled_lines, labels=labels)
    return {".tsv": tab_separated, ".csv": mmlu_rows}.get(file.suffix, json_lines)
