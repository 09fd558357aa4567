"""Recomputes a published table from its own numbers and lists every discrepancy, in words and with the evidence.

Counts in, verdict out: sums, percentages, sign tests and stars of a win table; differences, standard errors, z, p and
numbers of documents of a benchmark table; Holm over each; and claims of the text, where they are declared. The SAGE
paper's Tables 1 and 2 ship as examples.

    sage eval check-paper --example table1
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sage_data.errors import ConfigError, InputError
from sage_eval.paper import scores, wins
from sage_eval.paper.about import About, read_about
from sage_eval.paper.claims import check_scores, check_wins, discrepancies
from sage_eval.paper.findings import Report, numbered
from sage_eval.paper.tables import ScoreRow, WinRow, read_table

__all__ = ["EXAMPLES", "About", "Report", "check", "check_table", "example"]

EXAMPLES = ("table1", "table2")
"""Tables of the SAGE paper that ship as data."""
_TABLES = Path(__file__).parent / "tables"


def example(name: str) -> Path:
    """The CSV of a table that ships.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in EXAMPLES:
        raise ConfigError(f"no example {name!r}", next_step=f"choose one of {', '.join(EXAMPLES)}")
    return _TABLES / f"{name}.csv"


def check(path: Path, about: About | None = None) -> Report:
    """Read a table, with what is declared in the TOML file beside it, and check it.

    Raises:
        InputError: a file cannot be read, or a claim is about what the table does not have.
    """
    declared = about or read_about(path.with_suffix(".toml"))
    return check_table(read_table(path), declared, path)


def check_table(rows: Sequence[WinRow] | Sequence[ScoreRow], about: About, path: Path) -> Report:
    """Check a table that was read.

    Raises:
        InputError: stars without their levels, or a claim about what the table does not have.
    """
    title = about.title or path.name
    if isinstance(rows[0], WinRow):
        return _check_wins([row for row in rows if isinstance(row, WinRow)], about, path, title)
    return _check_scores([row for row in rows if isinstance(row, ScoreRow)], about, title)


def _check_wins(rows: list[WinRow], about: About, path: Path, title: str) -> Report:
    for row in rows:
        if row.stars and row.stars not in about.stars:
            raise InputError(
                f"{path}, line {row.line}, column stars: expected one of {', '.join(about.stars) or 'no marks'}, "
                f"found {row.stars!r}",
                next_step=f"say what it means: --star '{row.stars}=0.05', or in {path.with_suffix('.toml').name}",
            )
    results = wins.recompute(rows, about)
    n = wins.expected_n(rows, about)
    claims = check_wins(about, results, n)
    found = [*wins.discrepancies(rows, results, about), *discrepancies(claims)]
    return Report(
        title,
        about.source,
        n,
        about.alpha,
        about.power,
        dict(about.stars),
        None,
        tuple(results),
        tuple(wins.shows(results, about)),
        tuple(claims),
        numbered(found),
    )


def _check_scores(rows: list[ScoreRow], about: About, title: str) -> Report:
    results = scores.recompute(rows, about)
    claims = check_scores(about, results)
    found = [*scores.discrepancies(rows, about), *discrepancies(claims)]
    return Report(
        title,
        about.source,
        None,
        about.alpha,
        about.power,
        {},
        scores.difference_kind(rows, about),
        tuple(results),
        tuple(scores.shows(results, about)),
        tuple(claims),
        numbered(found),
    )
