"""Makes task files of lm-eval usable from any working directory.

lm-eval reads `data_files` relative to the working directory. Here they are relative to the YAML file that names them:
a copy of the tasks folder is made with those paths written out, and with a data cache of its own, so that nothing
stale is read and nothing is left behind. Hashes of documents and prompts do not depend on where the files lie.

    with resolved(Path("runs/demo/world/tasks")) as folder: ...
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sage_data.errors import InputError

LOCAL_FORMATS = ("csv", "json", "parquet", "text")
"""Values of `dataset_path` that read local `data_files`."""


@contextmanager
def resolved(tasks: Path) -> Iterator[Path]:
    """Copy a tasks folder with absolute `data_files`; the copy lasts as long as the block.

    Raises:
        InputError: the folder holds no YAML file, one cannot be read, names a data file that does not exist, or asks
            for code of a dataset to be run.
    """
    with tempfile.TemporaryDirectory(prefix="sage-tasks-") as temporary:
        copy, cache = Path(temporary, "tasks"), Path(temporary, "cache")
        shutil.copytree(tasks, copy)
        found = _yaml_files(copy)
        if not found:
            raise InputError(f"{tasks}: expected task files *.yaml, found none", next_step="sage data sample")
        for path in found:
            _resolve_file(path, tasks / path.relative_to(copy), cache)
        yield copy


def task_names(folder: Path) -> tuple[str, ...]:
    """Names of the single tasks that a resolved folder defines, sorted."""
    loaded = (YAML(typ="rt").load(path) for path in _yaml_files(folder))
    return tuple(
        sorted(task["task"] for task in loaded if isinstance(task, dict) and isinstance(task.get("task"), str))
    )


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern))


def _resolve_file(path: Path, original: Path, cache: Path) -> None:
    # The round-trip loader keeps tags such as `!function`, which only lm-eval can read.
    yaml = YAML(typ="rt")
    try:
        task = yaml.load(path)
    except YAMLError as error:
        raise InputError(f"{original}: not a readable YAML file: {error}") from error
    if not isinstance(task, dict):
        return
    if (task.get("dataset_kwargs") or {}).get("trust_remote_code"):
        raise InputError(
            f"{original}: asks for trust_remote_code, which stays off", next_step="take it out of dataset_kwargs"
        )
    if task.get("dataset_path") not in LOCAL_FORMATS:
        return
    options = task.setdefault("dataset_kwargs", {})
    options["cache_dir"] = str(cache)
    if "data_files" in options:
        options["data_files"] = _absolute(options["data_files"], original)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(task, file)


def _absolute(files: Any, original: Path) -> Any:
    """`data_files` may be a path, a list of paths, or a mapping of splits to either."""
    if isinstance(files, dict):
        return {split: _absolute(one, original) for split, one in files.items()}
    if isinstance(files, list):
        return [_absolute(one, original) for one in files]
    path = (original.parent / str(files)).resolve()
    if not path.is_file() and not list(path.parent.glob(path.name)):
        raise InputError(f"{original}: data file {files!r} does not exist beside it")
    return str(path)
