"""What holds while lm-eval runs: the Hub is shut, a mirror is the working directory, data caches are private.

The libraries read their environment once, when imported, so their own switches are set, and set back afterwards. The
working directory belongs to the whole process: nothing else may run in it meanwhile, and every path must be absolute.

    with shut_hub(True), inside(Path("mirror/")): ...
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from pathlib import Path
from typing import Any

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
"""For processes that the libraries start."""
SWITCHES = (
    ("huggingface_hub.constants", "HF_HUB_OFFLINE"),
    ("datasets.config", "HF_HUB_OFFLINE"),
    ("datasets.config", "HF_DATASETS_OFFLINE"),
)


@contextmanager
def shut_hub(shut: bool) -> Iterator[None]:
    """Forbid the Hub for the length of a block."""
    if not shut:
        yield
        return
    found = [(importlib.import_module(name), switch, True) for name, switch in SWITCHES]
    before = {name: os.environ.get(name) for name in OFFLINE_VARIABLES}
    os.environ.update(dict.fromkeys(OFFLINE_VARIABLES, "1"))
    try:
        with swapped(found):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def inside(mirror: Path | None) -> AbstractContextManager[None]:
    """Work inside a mirror, with an empty cache of its own; without a mirror nothing changes."""
    return nullcontext() if mirror is None else _inside(mirror.resolve())


@contextmanager
def _inside(mirror: Path) -> Iterator[None]:
    # `datasets` caches by the relative name: another mirror's copy of allenai/ai2_arc would be taken for this one's.
    settings = importlib.import_module("datasets.config")
    with (
        tempfile.TemporaryDirectory(prefix="sage-mirror-") as cache,
        swapped([(settings, "HF_DATASETS_CACHE", Path(cache))]),
        chdir(mirror),
    ):
        yield


@contextmanager
def swapped(switches: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give attributes of modules other values for the length of a block."""
    before = [(module, name, getattr(module, name)) for module, name, _ in switches]
    for module, name, value in switches:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
