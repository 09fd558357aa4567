"""The stage contract: what a stage is given, what it may write, and how it is run.

A stage is a module with

    VERSION = 1                                   bumped when the same config and inputs would give other bytes
    INPUTS = (Need("dialogues", "what it reads"), ...)
    RESOURCES = (path, ...)                       optional: prompt or lexicon files that belong to its fingerprint;
                                                  or a function of the config that gives them
    class Config(StageConfig): ...
    def run(config, inputs, out, context) -> None

and is used three ways with one code path: `run_stage` from Python, a `sage` sub-command, a step of a recipe.
"""

from __future__ import annotations

import hashlib
import importlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from sage_data.chat.meter import Meter
from sage_data.chat.protocol import ChatBackend
from sage_data.errors import ConfigError, MissingDependencyError, StageError
from sage_data.inputs import Input, Inputs, Need, check_inputs, maker, resolve_input, resolve_path
from sage_data.progress import Bar, Progress, SilentProgress
from sage_data.store.files import atomic_path, sha256_file, sha256_json, write_json, write_text
from sage_data.store.folder import StageFolder
from sage_data.store.journal import Journal, JournaledChat
from sage_data.store.manifest import (
    MANIFEST,
    Ancestor,
    Counts,
    InputEntry,
    Manifest,
    Origin,
    as_ancestor,
    content_hash,
    damage,
    list_files,
)
from sage_data.store.shards import REJECTED, shard_name, total_counts, write_table

__all__ = [
    "Context",
    "Counts",
    "Input",
    "Inputs",
    "Need",
    "Origin",
    "Output",
    "StageConfig",
    "load_stage",
    "resolve_path",
    "run_stage",
]

SUMMARY = "summary.txt"
"""What a stage writes here is printed when it ends alone, or when its recipe shows it."""
RECORDED_PACKAGES = (
    "sage-dialogue",
    "datasets",
    "duckdb",
    "huggingface_hub",
    "lm-eval",
    "nltk",
    "openai",
    "peft",
    "polars",
    "py3langid",
    "pyarrow",
    "rensa",
    "scipy",
    "torch",
    "transformers",
    "trl",
)


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
            ConfigError: `@name` names no input.
        """
        # Opened late, so that stages without a model never look for entry points.
        from sage_data.chat.uri import open_chat

        scheme, _, rest = uri.partition(":")
        if rest.startswith("@"):
            name, question, query = rest[1:].partition("?")
            rest = f"{inputs.one(name).path}{question}{query}"
        backend = open_chat(f"{scheme}:{rest}")
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


def resources(module: StageModule, config: StageConfig) -> dict[str, str]:
    """Folder and file name -> sha256 of the prompt and lexicon files that the stage uses with this config."""
    stated: Sequence[Path] | Callable[[StageConfig], Sequence[Path]] = getattr(module, "RESOURCES", ())
    paths = stated(config) if callable(stated) else stated
    return {f"{path.parent.name}/{path.name}": sha256_file(path) for path in paths}


def fingerprint(module: StageModule, config: StageConfig, inputs: Inputs, seed: int) -> str:
    """Hash of everything the stage's bytes depend on."""
    return sha256_json(describe(module, config, inputs, seed))


def backend_files(value: Any) -> dict[str, str]:
    """Backend URI -> hash of the local file or folder it names, for every such URI in a config's values."""
    if isinstance(value, dict):
        return backend_files(list(value.values()))
    if isinstance(value, list):
        return {uri: digest for one in value for uri, digest in backend_files(one).items()}
    if not isinstance(value, str) or ":" not in value:
        return {}
    path = Path(value.partition(":")[2].partition("?")[0])
    return {value: resolve_path(path).fingerprint} if path.name and path.exists() else {}


def counted_config(config: StageConfig) -> dict[str, Any]:
    """A config as plain data without its volatile fields: the part of it that bytes depend on."""
    counted: dict[str, Any] = _without_addresses(config.model_dump(mode="json", exclude=set(config.volatile)))
    return counted


def _without_addresses(value: Any) -> Any:
    """The same data with every backend named by what decides its answers."""
    from sage_data.chat.uri import stable_uri

    if isinstance(value, dict):
        return {key: _without_addresses(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_addresses(one) for one in value]
    return stable_uri(value) if isinstance(value, str) else value


def describe(module: StageModule, config: StageConfig, inputs: Inputs, seed: int) -> dict[str, Any]:
    """What goes into the fingerprint, part by part, so that a change can be named."""
    dumped = counted_config(config)
    return {
        "uses": module.__name__,
        "version": module.VERSION,
        "config": dumped,
        "resources": {**resources(module, config), **backend_files(dumped)},
        "seed": seed,
        "inputs": {
            name: [{"label": one.label, "fingerprint": one.fingerprint} for one in listed]
            for name, listed in inputs.items()
        },
    }


def run_stage(
    uses: str,
    config: StageConfig | Mapping[str, Any],
    inputs: Mapping[str, Sequence[Path | str | Input]],
    final: Path,
    context: Context | None = None,
    *,
    again: bool = False,
) -> Manifest:
    """Run one stage into the folder `final` and return its manifest.

    Inputs are local paths, or URLs where the stage's `Need` is `remote`.
    A finished, unchanged stage is not run again unless `again` is set; an attempt that was interrupted is gone on with.
    Only one process at a time may work on a folder; `sage_data.store.lock` sees to that.

    Raises:
        ConfigError: the config or inputs do not fit the stage, or `final` holds something that no stage wrote.
        StageError: the stage broke its contract.
        SageError: whatever the stage raises.
    """
    module = load_stage(uses)
    context = context or Context()
    given = config if isinstance(config, StageConfig) else module.Config.model_validate(dict(config))
    needs = {need.name: need for need in module.INPUTS}
    resolved = Inputs(
        {
            name: [one if isinstance(one, Input) else resolve_input(one, needs.get(name)) for one in some]
            for name, some in inputs.items()
        }
    )
    check_inputs(module.__name__, module.INPUTS, resolved)
    folder = StageFolder(final)
    folder.mend()
    described = describe(module, given, resolved, context.seed)
    if not again and (manifest := fresh_manifest(folder, sha256_json(described))) is not None:
        folder.discard()
        return manifest
    _check_target(final, resolved)
    return _execute(module, given, resolved, folder, described, context)


def fresh_manifest(folder: StageFolder, mark: str) -> Manifest | None:
    """The manifest of a finished folder that carries this fingerprint, is whole, and is not being made again."""
    manifest = folder.manifest()
    if manifest is None or manifest.fingerprint != mark or folder.attempt() == mark:
        return None
    return manifest if damage(folder.final, manifest) is None else None


def _check_target(final: Path, inputs: Inputs) -> None:
    """Refuse to replace what no stage wrote, or what the stage reads.

    Raises:
        ConfigError: `final` is such a place.
    """
    if final.is_file() or (final.is_dir() and any(final.iterdir()) and not (final / MANIFEST).is_file()):
        raise ConfigError(
            f"{final}: holds something that sage did not write, and would be replaced",
            next_step="choose another folder, or empty this one",
        )
    place = final.resolve()
    for _, listed in inputs.items():
        for one in listed:
            if one.url is None and _overlap(one.path.resolve(), place):
                raise ConfigError(f"{final}: the output would replace or lie inside the input {one.path}")


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _execute(
    module: StageModule,
    config: StageConfig,
    inputs: Inputs,
    folder: StageFolder,
    described: Mapping[str, Any],
    context: Context,
) -> Manifest:
    mark = sha256_json(described)
    out = Output(folder.begin(mark))
    for made in _makers(inputs):
        for failure in made.failures:
            out.warn(f"what it reads is not whole: {made.stage}: {failure}")
    started = time.monotonic()
    try:
        module.run(config, inputs, out, context)
    except ModuleNotFoundError as error:
        raise missing_package(module.__name__, error) from error
    finally:
        context.close()
    out.timing("total", time.monotonic() - started)
    files = list_files(out.path)
    if not files:
        raise StageError(f"stage {module.__name__} wrote nothing into {out.path}")
    manifest = Manifest(
        stage=folder.final.name,
        uses=module.__name__,
        version=module.VERSION,
        fingerprint=mark,
        content_hash=content_hash(files),
        config=described["config"],
        seed=context.seed,
        inputs={
            name: [InputEntry(label=one.label, fingerprint=one.fingerprint) for one in listed]
            for name, listed in inputs.items()
        },
        origins=_origins(module.INPUTS, inputs, out.origins),
        lineage=_lineage(inputs),
        resources=described["resources"],
        models=out.models,
        counts=out.counts(),
        warnings=out.warnings,
        failures=out.failures,
        files=files,
        packages=package_versions(),
        timings=out.timings,
    )
    folder.finish(manifest)
    return manifest


def _origins(needs: Sequence[Need], inputs: Inputs, own: Sequence[Origin]) -> list[Origin]:
    """What a stage's rows derive from: what its inputs do, and what it names itself."""
    stated = {need.name: need.origin for need in needs}
    found = list(own)
    for name, listed in inputs.items():
        for one in listed:
            made = maker(one)
            first = [stated[name]] if made is None else made.origins
            found += [origin for origin in first if origin is not None and origin not in found]
    return sorted(found, key=lambda origin: origin.model_dump_json())


def _lineage(inputs: Inputs) -> list[Ancestor]:
    """Every stage above, each once, before those that read from it."""
    found: dict[tuple[str, str], Ancestor] = {}
    for made in _makers(inputs):
        found |= {(one.stage, one.fingerprint): one for one in [*made.lineage, as_ancestor(made)]}
    return list(found.values())


def _makers(inputs: Inputs) -> list[Manifest]:
    """The manifests of the stages that made the inputs."""
    found = (maker(one) for _, listed in inputs.items() for one in listed)
    return [made for made in found if made is not None]


def package_versions() -> dict[str, str]:
    """Versions of Python and of the installed libraries that results may depend on."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def derive_seed(*parts: object) -> int:
    """A 63-bit seed that depends on every part and on nothing else (not on the process or platform)."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
