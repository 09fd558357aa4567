"""What a stage is and what it is given: its module, its settings, its context.

class Config(StageConfig): ...
def run(config, inputs, out, context): chat = context.chat("openai:MODEL@URL", inputs)
"""

from __future__ import annotations

import hashlib
import importlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from pydantic import BaseModel, ConfigDict

from sage_data.chat.meter import Meter
from sage_data.chat.protocol import ChatBackend
from sage_data.errors import ConfigError, MissingDependencyError
from sage_data.inputs import Inputs, Need
from sage_data.progress import Bar, Progress, SilentProgress
from sage_data.stage.output import Output
from sage_data.store.journal import Journal, JournaledChat

SUMMARY = "summary.txt"
"""What a stage writes here is printed when it ends alone, or when its recipe shows it."""


class StageConfig(BaseModel):
    """Base of every stage's `Config`: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    volatile: ClassVar[frozenset[str]] = frozenset()
    """Fields that change how the stage runs but none of its bytes, such as a number of workers.

    They belong neither to the fingerprint nor to the manifest, so changing one leaves a finished stage fresh, and an
    interrupted one is gone on with.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a volatile name that is no field, which would make a misspelt one count."""
        if unknown := cls.volatile - cls.model_fields.keys():
            raise TypeError(f"{cls.__qualname__}.volatile names no field: {', '.join(sorted(unknown))}")


@dataclass
class Context:
    """What a stage may ask of its run."""

    seed: int = 0
    journal: Path | None = None
    """File that keeps finished calls of backends that ask to be journaled (`journaled = True`); None keeps none."""
    report: Progress = field(default_factory=SilentProgress)
    _open: list[Any] = field(default_factory=list, init=False, repr=False)
    """Backends with connections or files that `close` ends."""

    def chat(self, uri: str, inputs: Inputs, meter: Meter | None = None) -> ChatBackend:
        """Open a chat backend; in `hf:@agent`, `@agent` stands for the path of the input `agent`.

        With a meter, its calls are counted and its budget is kept, whether or not there is a journal.

        Raises:
            BackendError: nothing answers to the URI.
            ConfigError: `@name` names no input that was given.
        """
        # Opened late, so that stages without a model never look for entry points.
        from sage_data.chat.uri import open_chat

        backend = open_chat(located(uri, inputs))
        kept = self.journal if getattr(backend, "journaled", False) else None
        if kept is None and meter is None:
            return backend
        journaled = JournaledChat(backend, None if kept is None else Journal(kept), meter)
        self._open.append(journaled)
        return journaled

    def close(self) -> None:
        """Close every backend that was opened; whoever ran the stage does."""
        while self._open:
            self._open.pop().close()

    def progress(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Bar]:
        """A progress bar for one part of the work; `total` None when it cannot be known."""
        return self.report.bar(label, total, unit)


def located(uri: str, inputs: Inputs) -> str:
    """A model's URI with the path of the input that it names in place of `@NAME`; any other as it is.

    Raises:
        ConfigError: `@NAME` names no input.
    """
    scheme, colon, rest = uri.partition(":")
    if not rest.startswith("@"):
        return uri
    name, question, query = rest[1:].partition("?")
    if not inputs.many(name):
        raise ConfigError(
            f"{scheme}:@{name}: expected a model in the input {name!r}, found no such input",
            next_step=f"give the input {name!r}, or a URI that names a model itself, such as openai:MODEL@URL",
        )
    return f"{scheme}{colon}{inputs.one(name).path}{question}{query}"


class StageModule(Protocol):
    """What `load_stage` returns: a module that follows the contract."""

    __name__: str
    VERSION: int
    INPUTS: tuple[Need, ...]
    Config: type[StageConfig]

    def run(self, config: Any, inputs: Inputs, out: Output, context: Context) -> None:
        """Do the work."""
        ...


def load_stage(uses: str) -> StageModule:
    """Import a stage by module name.

    Raises:
        ConfigError: there is no such module, or it is not a stage.
        MissingDependencyError: it needs a package that is not installed.
    """
    try:
        module = importlib.import_module(uses)
    except ModuleNotFoundError as error:
        if error.name is not None and uses.startswith(error.name):
            raise ConfigError(f"no stage module {uses!r}", next_step="check `uses:` in the recipe") from error
        raise missing_package(uses, error) from error
    missing = [name for name in ("VERSION", "INPUTS", "Config", "run") if not hasattr(module, name)]
    if missing:
        raise ConfigError(f"module {uses!r} is not a stage: it lacks {', '.join(missing)}")
    return cast(StageModule, module)


def missing_package(uses: str, error: ModuleNotFoundError) -> MissingDependencyError:
    """What to say when a stage needs a package that is not installed."""
    return MissingDependencyError(
        f"stage {uses} needs the package {error.name!r}, which is not installed",
        next_step="pip install 'sage-dialogue[all]'",
    )


def derive_seed(*parts: object) -> int:
    """A 63-bit seed that depends on every part and on nothing else (not on the process or platform)."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
