"""`sage eval check-paper`: recompute a published table and list what does not add up.

sage eval check-paper table1.csv --n 2544 --star '*=1e-10'
"""

from __future__ import annotations

from pathlib import Path

import click

from sage_data.errors import ConfigError
from sage_eval.paper import EXAMPLES, check, example
from sage_eval.paper.about import About, read_about
from sage_eval.paper.text import text

DISCREPANCIES = 1
"""Exit code with --strict when something does not add up."""
HELP = """Recompute a published table from its own numbers and list every discrepancy, in words.

\b
Two forms of CSV, told apart by their heading; columns in brackets may be left out.
  judge,model_a,model_b,wins_a,[percent_a],ties,[percent_ties],wins_b,[percent_b],[stars]
  task,base,[base_se],new,[new_se],[diff],[n]

What the table's caption and text say (n, the levels of stars, claims) stands in a TOML file of the same name beside
it, or in the options. `--copy DIR` writes an example of each form, or with --example that one alone, and checks none.

A difference (diff) with a percent sign is relative to the base score or in percentage points, whichever fits better;
without one it is in the unit of the scores. `difference = "relative"`, "points" or "score" in the TOML file settles it.
"""


@click.command("check-paper", help=HELP, epilog="\b\nExample:\n  sage eval check-paper --example table1")
@click.argument("table", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--example", "name", type=click.Choice(EXAMPLES), help="Check a table of the SAGE paper, as printed.")
@click.option(
    "--about", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of another name."
)
@click.option("--n", type=click.IntRange(min=1), help="Items in each row of a win table.")
@click.option("--star", "stars", multiple=True, metavar="MARK=LEVEL", help="Level of p that a mark stands for.")
@click.option(
    "--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Level of a difference [default: 0.05]."
)
@click.option(
    "--copy", type=click.Path(file_okay=False, path_type=Path), help="Write the examples' CSV and TOML there, and end."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--strict", is_flag=True, help="End with exit code 1 when anything does not add up.")
def check_paper(
    table: Path | None,
    name: str | None,
    about: Path | None,
    n: int | None,
    stars: tuple[str, ...],
    alpha: float | None,
    copy: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Check one table; see HELP."""
    if copy is not None:
        _copy_examples(table, name, copy)
        return
    path = _table(table, name)
    declared = read_about(about or path.with_suffix(".toml"))
    report = check(path, _overridden(declared, n, stars, alpha))
    click.echo(report.to_json() if as_json else text(report), nl=as_json)
    if strict and report.findings:
        raise click.exceptions.Exit(DISCREPANCIES)


def _table(table: Path | None, name: str | None) -> Path:
    if (table is None) == (name is None):
        raise ConfigError("expected a table or --example, one of the two", next_step="sage eval check-paper --help")
    return table if table is not None else example(name or "")


def _copy_examples(table: Path | None, name: str | None, folder: Path) -> None:
    """Write the named example, or all, and say what was written; nothing is written where any is there already."""
    if table is not None:
        raise ConfigError(f"--copy writes the examples; it has no use for {table}", next_step="leave the table out")
    tables = [example(one) for one in ([name] if name is not None else EXAMPLES)]
    sources = [one for path in tables for one in (path, path.with_suffix(".toml"))]
    if there := [folder / one.name for one in sources if (folder / one.name).exists()]:
        raise ConfigError(f"{there[0]}: is there already", next_step="choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for one in sources:
        (folder / one.name).write_bytes(one.read_bytes())
        click.echo(f"wrote {folder / one.name}")


def _overridden(about: About, n: int | None, stars: tuple[str, ...], alpha: float | None) -> About:
    levels = dict(about.stars)
    for one in stars:
        mark, equals, level = one.partition("=")
        try:
            levels[mark] = float(level)
        except ValueError as error:
            raise ConfigError(f"--star: expected MARK=LEVEL, found {one!r}") from error
        if not equals or not mark or not 0.0 < levels[mark] < 1.0:
            raise ConfigError(f"--star: expected a mark and a level between 0 and 1, found {one!r}")
    given = {"n": n, "stars": levels, "alpha": alpha}
    return about.model_copy(update={key: value for key, value in given.items() if value is not None})
