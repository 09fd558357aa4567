"""Where every stage of a run stands: fresh, stale with the reason, partial, or missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sage_data.errors import InputError
from sage_data.inputs import Input, Inputs, Need, resolve_input, stage_content
from sage_data.recipe.load import Outside, Recipe, Reference
from sage_data.stage import describe, fresh_manifest, load_stage
from sage_data.store.files import sha256_json
from sage_data.store.folder import Freshness, StageFolder
from sage_data.store.manifest import Manifest, damage


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage of a plan."""

    name: str
    uses: str
    state: Freshness
    reasons: tuple[str, ...]
    """Why it is stale or what is missing; empty when fresh."""
    manifest: Manifest | None
    """The finished folder's manifest, if there is one (also when stale)."""


def plan_run(recipe: Recipe, run_dir: Path, forced: Collection[str] = ()) -> list[StagePlan]:
    """Look at every stage in the order it would run; nothing is changed. `forced` ones count as stale.

    Raises:
        InputError: an outside input does not exist, or a manifest is damaged.
    """
    plans: dict[str, StagePlan] = {}
    for name in recipe.order():
        plans[name] = _plan_stage(recipe, run_dir, name, plans, name in forced)
    return list(plans.values())


def _plan_stage(recipe: Recipe, run_dir: Path, name: str, plans: dict[str, StagePlan], forced: bool) -> StagePlan:
    folder = StageFolder(run_dir / name)
    uses = recipe.stages[name].uses
    manifest = folder.manifest()
    waiting = [other for other in recipe.depends_on(name) if plans[other].state is not Freshness.FRESH]
    if waiting:
        reasons = tuple(f"input {other} is {plans[other].state}" for other in waiting)
        return StagePlan(name, uses, _unfinished(folder, manifest, None), reasons, manifest)
    inputs = resolve_inputs(recipe, run_dir, name)
    module, config = load_stage(uses), recipe.config(name)
    now = describe(module, config, inputs, recipe.seed)
    mark = sha256_json(now)
    if forced:
        return StagePlan(name, uses, Freshness.STALE, ("forced",), manifest)
    if fresh_manifest(folder, mark) is not None:
        return StagePlan(name, uses, Freshness.FRESH, (), manifest)
    state = _unfinished(folder, manifest, mark)
    return StagePlan(name, uses, state, _reasons(folder, manifest, now, state), manifest)


def _reasons(folder: StageFolder, manifest: Manifest | None, now: dict[str, Any], state: Freshness) -> tuple[str, ...]:
    if state is Freshness.PARTIAL:
        return ("interrupted; goes on where it stopped",)
    if manifest is None:
        return ("not run yet",)
    broken = damage(folder.final, manifest)
    return changes(manifest, now) or ((broken,) if broken else ())


def _unfinished(folder: StageFolder, manifest: Manifest | None, mark: str | None) -> Freshness:
    attempt = folder.attempt()
    if attempt is not None and mark in (None, attempt):
        return Freshness.PARTIAL
    return Freshness.STALE if manifest is not None else Freshness.MISSING


def resolve_inputs(recipe: Recipe, run_dir: Path, name: str) -> Inputs:
    """The inputs of a stage whose predecessors are finished.

    Raises:
        InputError: one of them is missing.
    """
    step = recipe.stages[name]
    needs = {need.name: need for need in load_stage(step.uses).INPUTS}
    return Inputs(
        {key: [_resolve(one, run_dir, name, needs[key]) for one in listed] for key, listed in step.references().items()}
    )


def _resolve(reference: Reference, run_dir: Path, reader: str, need: Need) -> Input:
    if isinstance(reference, Outside):
        return resolve_input(reference.path, need)
    stage, _, raw = reference.partition("/")
    below = "/".join(part for part in PurePosixPath(raw).parts if part != ".")
    manifest = StageFolder(run_dir / stage).manifest()
    if manifest is None:
        raise InputError(f"stage {reader} reads {stage}, which is not finished", next_step=f"run stage {stage} first")
    try:
        return Input(run_dir / stage / below, stage, stage_content(manifest, need, below))
    except InputError as error:
        raise InputError(f"stage {reader} reads {reference}, but stage {stage} wrote no {below!r}") from error


def changes(manifest: Manifest, now: dict[str, Any]) -> tuple[str, ...]:
    """What differs between a finished stage and what would run now, in words."""
    before = manifest.model_dump(mode="json")
    found = [f"{key} {before[key]} -> {now[key]}" for key in ("uses", "version", "seed") if before[key] != now[key]]
    found += _differences("config", before["config"], now["config"])
    found += [f"file {name} changed" for name, _, _ in _unequal(before["resources"], now["resources"])]
    for name, old, new in _unequal(before["inputs"], now["inputs"]):
        labels = ", ".join(sorted({one["label"] for one in [*(old or []), *(new or [])]}))
        found.append(f"input {name} changed ({labels})")
    return tuple(found)


def _differences(label: str, before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [f"{label} {key}: {old!r} -> {new!r}" for key, old, new in _unequal(before, now)]


def _unequal(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    keys = sorted({*before, *now})
    return [(key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)]
