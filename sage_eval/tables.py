"""Lays out plain-text tables for summaries, and names numbers the same way in all of them.

For example:

    text_table(("judge", "n"), [("rubric:warm", "40")])
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Align columns; the first `left` columns lean left, the others right."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def lay(line: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lay(lines[0]), rule, *(lay(line) for line in lines[1:])])


def show_p(p: float | None, log_p: float | None = None) -> str:
    """Write a p-value with two digits; where it underflows, as a power of ten from its logarithm, or a bound."""
    if p is None:
        return "-"
    if p == 0.0:
        return "<1e-300" if log_p is None else f"1e{log_p / log(10.0):.0f}"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.2g}"


def show_e(log_e: float) -> str:
    """Write an e-value from its natural logarithm: with three digits, or as a power of ten where it is far from 1."""
    tens = log_e / log(10.0)
    if abs(tens) >= 6.0:
        return f"1e{tens:.0f}"
    return f"{exp(log_e):.0f}" if tens >= 3.0 else f"{exp(log_e):.3g}"


def show_share(count: int, n: int) -> str:
    """A count with its share of `n`: `542 (21%)`."""
    return f"{count} ({count / n:.0%})" if n else f"{count}"


def show_interval(low: float | None, high: float | None, form: str = ".3f") -> str:
    """Write an interval as `[low, high]`, or a dash when there is none."""
    return "-" if low is None or high is None else f"[{low:{form}}, {high:{form}}]"
