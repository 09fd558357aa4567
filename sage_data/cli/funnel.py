"""`sage data funnel`: draw the funnels of finished stages, one below the other.

sage data funnel dialogues/ kept/ --out funnel.svg
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from sage_data.errors import ConfigError, InputError
from sage_data.funnel import Step, joined, png, steps_of, svg
from sage_data.store.files import atomic_path

FUNNEL = "funnel.json"


@click.command(epilog="\b\nExample:\n  sage data funnel dialogues/ kept/ --out funnel.svg")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write: .svg or .png."
)
@click.option("--title", default="What was kept, and why the rest was not", show_default=True, help="Heading.")
def funnel(folders: tuple[Path, ...], out: Path, title: str) -> None:
    """Draw what came into each stage FOLDER, what was dropped for which reason, and what was kept.

    Give the folders in the order of the pipeline, such as those of `sage data reddit` and `sage data gate`.
    """
    if out.suffix not in (".svg", ".png"):
        raise ConfigError(f"--out {out}: expected a name that ends in .svg or .png, found {out.suffix or 'no ending'}")
    steps = joined([read_steps(folder) for folder in folders])
    drawn = svg(steps, title).encode() if out.suffix == ".svg" else png(steps, title)
    with atomic_path(out) as temporary:
        temporary.write_bytes(drawn)
    click.echo(f"wrote {out}", err=True)


def read_steps(folder: Path) -> list[Step]:
    """The steps of the funnel that a stage left in its folder.

    Raises:
        InputError: there is no funnel, or it cannot be read.
    """
    path = folder / FUNNEL
    if not path.is_file():
        raise InputError(f"{folder}: holds no {FUNNEL}", next_step="give folders of sage data reddit or sage data gate")
    try:
        return steps_of(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"{path}: not a funnel: {error}", next_step="run its stage again") from error
