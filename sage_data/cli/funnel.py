"""`sage data funnel`: draw the funnels of finished stages, one below the other.

sage data funnel dialogues/ kept/ --out funnel.svg
sage data funnel chains/ --out funnel.svg
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from sage_data.errors import ConfigError, InputError
from sage_data.funnel import Step, chain_steps, joined, png, steps_of, svg
from sage_data.store.files import atomic_path
from sage_data.store.manifest import Manifest, as_ancestor, read_manifest

FUNNEL = "funnel.json"


@click.command(
    epilog="\b\nExample:\n  sage data funnel dialogues/ kept/ --out funnel.svg\n"
    "  sage data funnel chains/ --out funnel.svg"
)
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write: .svg or .png."
)
@click.option("--title", default="What was kept, and why the rest was not", show_default=True, help="Heading.")
@click.option("--alone", is_flag=True, help="Of a single folder, draw its own stage only, not those above it.")
def funnel(folders: tuple[Path, ...], out: Path, title: str, alone: bool) -> None:
    """Draw what came into each stage FOLDER, what was dropped for which reason, and what was kept.

    Give the last folder of a pipeline to draw all stages above it; or several folders, in the order of the pipeline, to
    draw just those.
    """
    if out.suffix not in (".svg", ".png"):
        raise ConfigError(f"--out {out}: expected a name that ends in .svg or .png, found {out.suffix or 'no ending'}")
    steps = None if alone or len(folders) > 1 else steps_above(folders[0])
    steps = steps or joined([read_steps(folder) for folder in folders])
    drawn = svg(steps, title).encode() if out.suffix == ".svg" else png(steps, title)
    with atomic_path(out) as temporary:
        temporary.write_bytes(drawn)
    click.echo(f"wrote {out}", err=True)


def steps_above(folder: Path) -> list[Step]:
    """The funnel over a finished stage and all stages above it; empty when there are none above that count anything.

    Raises:
        InputError: its manifest cannot be read.
    """
    manifest = read_manifest(folder)
    if manifest is None or not any(one.counts for one in manifest.lineage):
        return []
    return chain_steps([*manifest.lineage, as_ancestor(manifest)])


def read_steps(folder: Path) -> list[Step]:
    """The steps of one stage's own funnel: of the one it left in its folder, else of its manifest's counts.

    Raises:
        InputError: there is no funnel and nothing was counted, or the funnel cannot be read.
    """
    path = folder / FUNNEL
    if not path.is_file():
        return _counted(folder, read_manifest(folder))
    try:
        return steps_of(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"{path}: not a funnel: {error}", next_step="run its stage again") from error


def _counted(folder: Path, manifest: Manifest | None) -> list[Step]:
    if manifest is None or not manifest.counts:
        raise InputError(
            f"{folder}: holds no {FUNNEL}, and no manifest with counts",
            next_step="give finished folders, such as those of sage data reddit or sage data gate",
        )
    return chain_steps([as_ancestor(manifest)])
