"""Takes a task's data from the Hub's cache on this machine, or from the Hub, through `datasets` as lm-eval would.

In the cache a dataset lies as the snapshot of a commit, with the files that were once downloaded. It is read as a local
folder, which needs no network and no trust: datasets of today are data files, code of theirs is never run.

    for split, table in hub_parts(("piqa",), cache=Path("~/.cache/huggingface"), ask=False): ...
"""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stderr
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.errors import ConfigError, InputError
from sage_eval.bench.conventions import PAPER, PAPER_TASKS
from sage_eval.bench.index import index_tasks
from sage_eval.bench.leaves import DEFAULT_CONFIG, Leaf, leaves
from sage_eval.bench.mirror.layout import Split
from sage_eval.bench.offline import shut_hub


def hub_parts(tasks: Sequence[str], cache: Path | None, *, ask: bool) -> Iterator[tuple[Split, pa.Table]]:
    """Every split of every dataset that the tasks read.

    Args:
        tasks: names of tasks or groups of lm-eval, or "paper".
        cache: HF_HOME or its folder `hub`; the environment's when left out.
        ask: True asks the Hub, False its cache alone.

    Raises:
        ConfigError: a task has no dataset on the Hub.
        InputError: lm-eval knows no such task, or the dataset is not there.
    """
    names = [name for task in tasks for name in (PAPER_TASKS if task == PAPER else (task,))]
    manager = index_tasks(None, names)
    wanted = {(leaf.dataset, leaf.config): leaf for name in dict.fromkeys(names) for leaf in leaves(manager, name)}
    place = None if cache is None else _hub_folder(cache.expanduser().resolve())
    with tempfile.TemporaryDirectory(prefix="sage-mirror-") as temporary, shut_hub(not ask):
        snapshots: dict[str, Path] = {}
        for leaf in wanted.values():
            if leaf.dataset is None or not leaf.on_hub:
                raise ConfigError(f"{leaf.name} has no dataset on the Hub that could be mirrored")
            if leaf.dataset not in snapshots:
                configs = sorted({one.config for one in wanted.values() if one.dataset == leaf.dataset})
                snapshots[leaf.dataset] = _snapshot(leaf.dataset, configs, place, ask=ask)
            yield from _splits(leaf, snapshots[leaf.dataset], temporary)


def _quiet() -> AbstractContextManager[object]:
    """Keep the bars of the libraries from burying our own."""
    return redirect_stderr(io.StringIO())


def _hub_folder(cache: Path) -> Path:
    return cache / "hub" if (cache / "hub").is_dir() else cache


def _snapshot(dataset: str, configs: Sequence[str], cache: Path | None, *, ask: bool) -> Path:
    """The folder of a dataset's newest commit that is known."""
    hub = importlib.import_module("huggingface_hub")
    where = {"repo_type": "dataset", "cache_dir": cache, "local_files_only": not ask}
    try:
        with _quiet():
            readme = Path(hub.hf_hub_download(dataset, "README.md", **where))
            few = config_files(hub.metadata_load(readme) or {}, configs)
            return Path(hub.snapshot_download(dataset, revision=readme.parent.name, allow_patterns=few, **where))
    except (OSError, ValueError) as error:
        place = "the Hub" if ask else "the Hub's cache"
        raise InputError(
            f"{dataset}: not found in {place}: {type(error).__name__}",
            next_step="add --hub where there is a network, or convert local files with --from",
        ) from error


def config_files(readme: Mapping[str, Any], configs: Sequence[str]) -> list[str] | None:
    """Patterns of the files that some configs of a dataset are made of, by its README; None where it does not say."""
    declared = [one for one in readme.get("configs") or () if one.get("config_name") in configs]
    if len(declared) < len(configs):
        return None
    return ["README.md", *(path for one in declared for path in _paths(one.get("data_files")))]


def _paths(data_files: Any) -> Iterator[str]:
    """`data_files` may be a path, a list, or a mapping of splits to either; a split may be {split, path} too."""
    if isinstance(data_files, str):
        yield data_files
    elif isinstance(data_files, Mapping):
        for value in [data_files["path"]] if "path" in data_files else data_files.values():
            yield from _paths(value)
    else:
        for one in data_files or ():
            yield from _paths(one)


def _splits(leaf: Leaf, snapshot: Path, temporary: str) -> Iterator[tuple[Split, pa.Table]]:
    datasets = importlib.import_module("datasets")
    name = None if leaf.config == DEFAULT_CONFIG else leaf.config
    try:
        with _quiet():
            found: Any = datasets.load_dataset(str(snapshot), name, cache_dir=temporary)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{leaf.dataset} ({leaf.config}): its snapshot {snapshot.name[:12]} cannot be read: {error}",
            next_step="it may have been downloaded in part: add --hub where there is a network",
        ) from error
    for split, rows in found.items():
        table = rows.with_format("arrow")[:]
        yield Split(leaf.dataset or "", leaf.config, str(split), table.num_rows, f"commit {snapshot.name}"), table
