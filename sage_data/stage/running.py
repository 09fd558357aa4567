"""Runs one stage into its folder, and leaves a finished, unchanged one alone.

run_stage("sage_data.gates", {"min_compound_exclusive": 0.2}, {"dialogues": ["dialogues/"]}, Path("kept"))
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sage_data.errors import ConfigError, StageError
from sage_data.inputs import Input, Inputs, check_inputs, resolve_input
from sage_data.stage.contract import Context, StageConfig, StageModule, load_stage, missing_package
from sage_data.stage.fingerprint import describe
from sage_data.stage.output import Output
from sage_data.stage.provenance import lineage_of, makers, origins_of
from sage_data.store.files import sha256_json
from sage_data.store.folder import StageFolder
from sage_data.store.manifest import MANIFEST, InputEntry, Manifest, content_hash, damage, list_files

Given = Path | str | Input
"""How one input may be given."""
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


def run_stage(
    uses: str,
    config: StageConfig | Mapping[str, Any],
    inputs: Mapping[str, Given | Sequence[Given]],
    final: Path | str,
    context: Context | None = None,
    *,
    again: bool = False,
) -> Manifest:
    """Run one stage into the folder `final` and return its manifest.

    Inputs are local paths, or URLs where the stage's `Need` is `remote`: one, or several where it takes many.
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
            name: [one if isinstance(one, Input) else resolve_input(one, needs.get(name)) for one in _listed(some)]
            for name, some in inputs.items()
        }
    )
    check_inputs(module.__name__, module.INPUTS, resolved)
    folder = StageFolder(Path(final))
    folder.mend()
    described = describe(module, given, resolved, context.seed)
    if not again and (manifest := fresh_manifest(folder, sha256_json(described))) is not None:
        folder.discard()
        return manifest
    _check_target(folder.final, resolved)
    return _execute(module, given, resolved, folder, described, context)


def _listed(given: Given | Sequence[Given]) -> Sequence[Given]:
    return [given] if isinstance(given, str | Path | Input) else given


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
    for made in makers(inputs):
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
        origins=origins_of(module.INPUTS, inputs, out.origins),
        lineage=lineage_of(inputs),
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


def package_versions() -> dict[str, str]:
    """Versions of Python and of the installed libraries that results may depend on."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
