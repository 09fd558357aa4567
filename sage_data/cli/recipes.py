"""`sage run`, `sage plan`, `sage status`, `sage resume`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sage_data.cli.ending import end_with_failures, say_failed
from sage_data.errors import Terminated
from sage_data.progress import choose_progress
from sage_data.recipe.load import Recipe, find_recipe, load_recipe
from sage_data.recipe.plan import StagePlan, plan_run
from sage_data.recipe.run import Selection, choose, pages, run_recipe, saved_recipe, summaries
from sage_data.store.folder import Freshness
from sage_data.store.manifest import Manifest

_run_dir = click.option(
    "--run-dir", type=click.Path(path_type=Path), help="Folder of the run [default: runs/RECIPE-NAME]."
)
_set = click.option(
    "--set", "overrides", multiple=True, metavar="STAGE.KEY=VALUE", help="Change an option of the recipe."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="No progress.")
_progress = click.option("--progress/--no-progress", "live", default=True, help="Live progress bars.")
_seed = click.option("--seed", type=click.IntRange(min=0), help="Replace the recipe's seed.")


def _load(name: str, overrides: tuple[str, ...], seed: int | None) -> Recipe:
    seeds = () if seed is None else (f"seed={seed}",)
    return load_recipe(find_recipe(name), (*overrides, *seeds))


def _default_dir(recipe: Recipe, run_dir: Path | None) -> Path:
    return (run_dir or Path("runs") / recipe.name).absolute()


@click.command(epilog="\b\nExample:\n  sage run quickstart --set gated.min_compound=0.2")
@click.argument("recipe")
@_run_dir
@_set
@_seed
@click.option("--from", "start", metavar="STAGE", help="Run STAGE and all that reads from it again.")
@click.option("--only", metavar="STAGE", help="Run STAGE alone.")
@click.option("--force", multiple=True, metavar="STAGE", help="Run STAGE again even if it is fresh.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@_json
@_quiet
@_progress
def run(
    recipe: str,
    run_dir: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    start: str | None,
    only: str | None,
    force: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    live: bool,
) -> None:
    """Run RECIPE: a .yaml file, or the name of one that ships with sage. Stages that are fresh are skipped."""
    loaded = _load(recipe, overrides, seed)
    folder = _default_dir(loaded, run_dir)
    selection = Selection(only, start, force)
    if dry_run:
        chosen, forced = choose(loaded, selection)
        _print_plan([one for one in plan_run(loaded, folder, forced) if one.name in chosen], as_json)
        return
    _execute(loaded, folder, selection, as_json, quiet, live)


@click.command(epilog="\b\nExample:\n  sage plan quickstart")
@click.argument("recipe")
@_run_dir
@_set
@_seed
@_json
def plan(recipe: str, run_dir: Path | None, overrides: tuple[str, ...], seed: int | None, as_json: bool) -> None:
    """Say for each stage of RECIPE whether it is fresh, stale (and why), partial or missing."""
    loaded = _load(recipe, overrides, seed)
    _print_plan(plan_run(loaded, _default_dir(loaded, run_dir)), as_json)


@click.command(epilog="\b\nExample:\n  sage status runs/quickstart")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_json
def status(folder: Path, as_json: bool) -> None:
    """Say where the stages of a run FOLDER stand."""
    _print_plan(plan_run(saved_recipe(folder), folder.absolute()), as_json)


@click.command(epilog="\b\nExample:\n  sage resume runs/quickstart")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_json
@_quiet
@_progress
def resume(folder: Path, as_json: bool, quiet: bool, live: bool) -> None:
    """Go on with an interrupted run FOLDER, with the recipe it was started with."""
    _execute(saved_recipe(folder), folder.absolute(), Selection(), as_json, quiet, live)


def _execute(recipe: Recipe, folder: Path, selection: Selection, as_json: bool, quiet: bool, live: bool) -> None:
    progress = choose_progress(quiet=quiet, live=live)
    ran: list[str] = []

    def on_stage(name: str, manifest: Manifest, did_run: bool) -> None:
        if did_run:
            ran.append(name)
            progress.say(f"  done in {manifest.timings.get('total', 0):.1f} s; {_counts(manifest)}")
            for warning in manifest.warnings:
                click.echo(f"  warning: {name}: {warning}", err=True)
        say_failed(f"{name}: {failure}" for failure in manifest.failures)

    try:
        manifests = run_recipe(recipe, folder, selection, progress, on_stage)
    except (KeyboardInterrupt, Terminated):
        click.echo(f"{len(ran)} stages were finished; go on with: sage resume {_shown(folder)}", err=True)
        raise
    if as_json:
        hashes: dict[str, Any] = {name: manifest.content_hash for name, manifest in manifests.items()}
        click.echo(json.dumps({"run": str(folder), "ran": ran, "content": hashes}, indent=2))
    else:
        _print_end(recipe, folder, len(ran), len(manifests) - len(ran))
    end_with_failures([f"{name}: {one}" for name, manifest in manifests.items() for one in manifest.failures])


def _print_end(recipe: Recipe, folder: Path, ran: int, fresh: int) -> None:
    for name, text in summaries(recipe, folder):
        click.echo(f"\n== {name} " + "=" * max(0, 76 - len(name)) + f"\n{text}")
    for page in pages(recipe, folder):
        click.echo(f"\npage: {_shown(page)}")
    click.echo(f"\n{ran} stages ran, {fresh} were fresh; the run lies in {_shown(folder)}")


def _shown(folder: Path) -> str:
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def _counts(manifest: Manifest) -> str:
    parts = [f"{one.unit}: {one.came_in:,} in, {one.kept:,} kept" for one in manifest.counts]
    return "; ".join(parts) or f"{len(manifest.files)} files"


_MARKS = {Freshness.FRESH: "=", Freshness.STALE: "~", Freshness.PARTIAL: "-", Freshness.MISSING: "+"}


def _print_plan(plans: list[StagePlan], as_json: bool) -> None:
    if as_json:
        rows = [
            {"stage": one.name, "uses": one.uses, "state": str(one.state), "reasons": list(one.reasons)}
            for one in plans
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max((len(one.name) for one in plans), default=0)
    for one in plans:
        reason = f"  {'; '.join(one.reasons)}" if one.reasons else ""
        click.echo(f"{_MARKS[one.state]} {one.name:<{width}}  {one.state:<8}{reason}")
    todo = sum(one.state is not Freshness.FRESH for one in plans)
    click.echo(f"{len(plans) - todo} of {len(plans)} stages fresh, {todo} to run")
