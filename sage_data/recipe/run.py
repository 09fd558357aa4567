"""Run a recipe: each stage that is not fresh, in order, one run at a time in its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from sage_data.errors import ConfigError
from sage_data.progress import Progress, SilentProgress
from sage_data.recipe.load import Recipe, dump_recipe, load_recipe
from sage_data.recipe.plan import plan_run, resolve_inputs
from sage_data.stage import SUMMARY, Context, fingerprint, fresh_manifest, load_stage, run_stage
from sage_data.store.files import atomic_path
from sage_data.store.folder import Freshness, StageFolder
from sage_data.store.lock import LOCK, run_lock
from sage_data.store.manifest import Manifest

RECIPE = "recipe.yaml"
JOURNAL = "journal.sqlite"
OnStage = Callable[[str, Manifest, bool], None]
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stages to run; empty means every stage that is not fresh."""

    only: str | None = None
    """Run this stage alone; what it reads must be fresh."""
    start: str | None = None
    """Run this stage again and everything that reads from it."""
    force: tuple[str, ...] = field(default=())
    """Run these again even if they are fresh."""


def go_offline() -> None:
    """Forbid the hub libraries any network access; must be called before they are imported."""
    for variable in OFFLINE_VARIABLES:
        os.environ[variable] = "1"


def run_recipe(
    recipe: Recipe,
    run_dir: Path,
    selection: Selection | None = None,
    progress: Progress | None = None,
    on_stage: OnStage | None = None,
) -> dict[str, Manifest]:
    """Bring the chosen stages of a recipe up to date and return the manifests of all that are.

    `on_stage(name, manifest, ran)` is called after each stage; `ran` is False for one that was fresh.

    Raises:
        LockedError: another run works in this folder.
        ConfigError: the selection names no stage.
        SageError: whatever a stage raises; finished stages and shards are kept.
    """
    selection, progress = selection or Selection(), progress or SilentProgress()
    chosen, forced = choose(recipe, selection)
    if recipe.offline:
        go_offline()
    done: dict[str, Manifest] = {}
    with run_lock(run_dir / LOCK):
        for name in recipe.stages:
            StageFolder(run_dir / name).mend()
        if selection.only:
            _check_fresh(recipe, run_dir, recipe.depends_on(selection.only))
        save_recipe(recipe, run_dir)
        for name in recipe.order():
            if name not in chosen:
                continue
            done[name] = _run_one(recipe, run_dir, name, name in forced, progress, on_stage)
    return done


def _run_one(
    recipe: Recipe, run_dir: Path, name: str, forced: bool, progress: Progress, on_stage: OnStage | None
) -> Manifest:
    uses, config = recipe.stages[name].uses, recipe.config(name)
    inputs = resolve_inputs(recipe, run_dir, name)
    folder = StageFolder(run_dir / name)
    mark = fingerprint(load_stage(uses), config, inputs, recipe.seed)
    fresh = not forced and fresh_manifest(folder, mark) is not None
    if not fresh:
        progress.say(f"{name}  ({uses})")
    context = Context(seed=recipe.seed, journal=run_dir / JOURNAL, report=progress)
    manifest = run_stage(uses, config, dict(inputs.items()), folder.final, context, again=forced)
    if on_stage is not None:
        on_stage(name, manifest, not fresh)
    return manifest


def _check_fresh(recipe: Recipe, run_dir: Path, names: Sequence[str]) -> None:
    states = {plan.name: plan.state for plan in plan_run(recipe, run_dir)}
    waiting = [f"{name} is {states[name]}" for name in names if states[name] is not Freshness.FRESH]
    if waiting:
        raise ConfigError(f"--only: what the stage reads must be fresh, but {', '.join(waiting)}")


def choose(recipe: Recipe, selection: Selection) -> tuple[set[str], set[str]]:
    """Names of the stages to bring up to date, and of those to run again even if fresh.

    Raises:
        ConfigError: a name is no stage, or `only` is combined with another choice.
    """
    for name in (selection.only, selection.start, *selection.force):
        if name is not None and name not in recipe.stages:
            raise ConfigError(f"no stage {name!r} in recipe {recipe.name}; it has {', '.join(recipe.stages)}")
    forced = set(selection.force)
    if selection.only and (selection.start or forced - {selection.only}):
        raise ConfigError("--only runs one stage; it cannot be combined with --from, or with --force for another stage")
    if selection.start:
        forced |= downstream(recipe, selection.start)
    return ({selection.only} if selection.only else set(recipe.stages)), forced


def downstream(recipe: Recipe, start: str) -> set[str]:
    """`start` and every stage that reads from it, directly or not."""
    found = {start}
    for name in recipe.order():
        if found & set(recipe.depends_on(name)):
            found.add(name)
    return found


def save_recipe(recipe: Recipe, run_dir: Path) -> None:
    """Keep the resolved recipe with the run, so that `sage resume` needs nothing else."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    with atomic_path(run_dir / RECIPE) as temporary, temporary.open("w", encoding="utf-8") as file:
        writer.dump(dump_recipe(recipe), file)


def saved_recipe(run_dir: Path) -> Recipe:
    """The recipe a run folder was made with.

    Raises:
        ConfigError: the folder holds none.
    """
    path = run_dir / RECIPE
    if not path.is_file():
        raise ConfigError(f"{run_dir}: not a run folder: it has no {RECIPE}", next_step="sage run RECIPE")
    return load_recipe(path)


def summaries(recipe: Recipe, run_dir: Path) -> list[tuple[str, str]]:
    """(stage, text of its summary) for the stages that the recipe shows and that wrote one."""
    found = []
    for name in recipe.show:
        path = run_dir / name / SUMMARY
        if path.is_file():
            found.append((name, path.read_text(encoding="utf-8").rstrip()))
    return found


def pages(recipe: Recipe, run_dir: Path) -> list[Path]:
    """Every `index.html` that a stage of the recipe wrote, in the order of the recipe."""
    return [path for name in recipe.stages if (path := run_dir / name / "index.html").is_file()]
