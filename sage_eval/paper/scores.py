"""Recomputes a benchmark table from its printed scores and standard errors: differences, z, p, Holm, what n allows.

results = recompute(rows, about)
findings = discrepancies(rows, about)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import erfc, sqrt
from statistics import NormalDist

from sage_eval.paper.about import About, Difference
from sage_eval.paper.counts import differences, documents, few_enough, right_answers
from sage_eval.paper.findings import Finding, ScoreResult, Severity
from sage_eval.paper.printed import Printed
from sage_eval.paper.tables import ScoreRow
from sage_eval.stats.families import holm
from sage_eval.tables import show_p


def recompute(rows: Sequence[ScoreRow], about: About) -> list[ScoreResult]:
    """Test every row as if its two scores were independent; p-values are adjusted over all rows."""
    tests = [_test(row, 0.0) for row in rows]
    adjusted = holm([None if test is None else test[2] for test in tests])
    return [_result(row, test, p, about) for row, test, p in zip(rows, tests, adjusted, strict=True)]


def _test(row: ScoreRow, rounding: float) -> tuple[float, float, float] | None:
    """(standard error, z, p) of the difference; None without standard errors.

    Args:
        row: what is printed.
        rounding: -1 for the least z that rounding leaves open, 1 for the largest, 0 as printed.
    """
    if row.base_se is None or row.new_se is None:
        return None
    shrunk = [max(0.0, one.value - rounding * one.half) for one in (row.base_se, row.new_se)]
    error = sqrt(sum(one**2 for one in shrunk))
    difference = row.new.value - row.base.value
    size = max(0.0, abs(difference) + rounding * (row.base.half + row.new.half))
    if error == 0.0:
        return None
    z = size / error if difference >= 0 else -size / error
    return error, z, erfc(abs(z) / sqrt(2.0))


def _result(row: ScoreRow, test: tuple[float, float, float] | None, p_holm: float, about: About) -> ScoreResult:
    least, most = _test(row, 1.0), _test(row, -1.0)
    fits = implied(row)
    normal = NormalDist()
    quantiles = normal.inv_cdf(1.0 - about.alpha / 2.0) + normal.inv_cdf(about.power)
    difference = row.new.value - row.base.value
    return ScoreResult(
        row.task,
        row.base.value,
        row.new.value,
        difference,
        difference / row.base.value if row.base.value else None,
        None if test is None else test[0],
        None if test is None else test[1],
        None if test is None else test[2],
        None if least is None else least[2],
        None if most is None else most[2],
        p_holm,
        None if test is None else quantiles * test[0],
        row.n,
        None if fits is None else fits[0],
        None if fits is None else fits[1],
    )


def implied(row: ScoreRow) -> tuple[int, int | None] | None:
    """Numbers of documents that fit both standard errors, if the scores are shares of right answers."""
    pairs = [(row.base, row.base_se), (row.new, row.new_se)]
    found = [documents(score, error) for score, error in pairs if error is not None]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    tops = [top for _, top in known if top is not None]
    return max(low for low, _ in known), min(tops) if tops else None


def discrepancies(rows: Sequence[ScoreRow], about: About) -> list[Finding]:
    """Everything printed that other cells of its row contradict."""
    kind = difference_kind(rows, about)
    found: list[Finding] = []
    for row in rows:
        found += [*_granularity(row), *_errors(row)]
        if kind is not None:
            found += _difference(row, kind)
    return [*found, *_label(rows, kind, about)]


# -- n ----------------------------------------------------------------------------------------------------------------


def _granularity(row: ScoreRow) -> Iterator[Finding]:
    """A share of n right answers can only be a whole number of n-ths."""
    if row.n is None or not all(0.0 <= score.value <= 1.0 for score in (row.base, row.new)):
        return
    for name, score in (("base", row.base), ("new", row.new)):
        if not right_answers(score, row.n):
            below = int(score.value * row.n)
            yield Finding(
                "granularity",
                Severity.ERROR,
                f"{row.task}, {name}",
                score.text,
                f"{below} of {row.n} is {below / row.n:.5f}, {below + 1} is {(below + 1) / row.n:.5f}",
                f"no number of right answers among {row.n} gives {score.text}",
            )


def _errors(row: ScoreRow) -> Iterator[Finding]:
    """The standard error of a share tells the number of documents, which must be that of the test set."""
    pairs = (("base", row.base, row.base_se), ("new", row.new, row.new_se))
    for name, score, error in pairs:
        fits = None if error is None else documents(score, error)
        if error is None or fits is None:
            continue
        low, high = fits
        if row.n is not None and not low <= row.n <= (row.n if high is None else high):
            yield Finding(
                "standard-error",
                Severity.ERROR,
                f"{row.task}, {name}",
                f"{score.text} ({error.text})",
                f"such an error needs {low} to {high} documents",
                f"the test set has {row.n}; scores or errors are of other documents, or not of right answers",
            )
    fits = implied(row)
    if row.n is None and fits is not None and fits[1] is not None and fits[0] > fits[1]:
        yield Finding(
            "standard-error",
            Severity.ERROR,
            row.task,
            " and ".join(f"{score.text} ({error.text})" for _, score, error in pairs if error is not None),
            "the two errors need different numbers of documents",
            "both scores should be of the same documents",
        )


# -- differences ------------------------------------------------------------------------------------------------------


def difference_kind(rows: Sequence[ScoreRow], about: About) -> Difference | None:
    """What the printed differences are; None where none is printed.

    As declared. Else without any percent sign in the unit of the scores (shares do not differ by more than 1, so that
    larger figures are percent all the same); with one, relative or in points, whichever fits better.
    """
    printed = [row.diff for row in rows if row.diff is not None]
    if about.difference is not None or not printed:
        return about.difference
    shares = all(0.0 <= score.value <= 1.0 for row in rows for score in (row.base, row.new))
    if not any("%" in one.text for one in printed) and not (shares and any(abs(one.value) > 1.0 for one in printed)):
        return Difference.SCORE
    kinds = (Difference.RELATIVE, Difference.POINTS)
    wrong = {kind: [one.severity for row in rows for one in _difference(row, kind)] for kind in kinds}
    return min(wrong, key=lambda kind: (wrong[kind].count(Severity.ERROR), len(wrong[kind])))


def _exact(row: ScoreRow, kind: Difference) -> float | None:
    """The difference of the printed scores in percent, points or their own unit."""
    difference = row.new.value - row.base.value
    if kind is Difference.RELATIVE:
        return 100.0 * difference / row.base.value if row.base.value else None
    return _scale(kind) * difference


def _scale(kind: Difference) -> float:
    """What differences of shares are multiplied by."""
    return 1.0 if kind is Difference.SCORE else 100.0


def _range(row: ScoreRow, kind: Difference) -> tuple[float, float]:
    """Least and largest difference that the rounding of the scores leaves open."""
    low, high = row.new.low - row.base.high, row.new.high - row.base.low
    if kind is not Difference.RELATIVE:
        return _scale(kind) * low, _scale(kind) * high
    ratios = [
        100.0 * (new / base - 1.0)
        for new in (row.new.low, row.new.high)
        for base in (row.base.low, row.base.high)
        if base
    ]
    return min(ratios), max(ratios)


def _within(row: ScoreRow, diff: Printed, kind: Difference) -> bool:
    low, high = _range(row, kind)
    return low - diff.half - 1e-9 <= diff.value <= high + diff.half + 1e-9


def _difference(row: ScoreRow, kind: Difference) -> Iterator[Finding]:
    exact = _exact(row, kind)
    if row.diff is None or exact is None or row.diff.may_be(exact):
        return
    cut = ", cut off instead of rounded" if row.diff.cut_from(exact) else ""
    unit = "" if kind is Difference.SCORE else "%"
    said = f"{exact:+.{row.diff.decimals}f}{unit} from the printed scores ({exact:+.3f}{cut})"
    if not _within(row, row.diff, kind):
        low, high = _range(row, kind)
        why = f"rounding of the scores leaves {low:+.3f} to {high:+.3f} open"
        yield Finding("difference", Severity.ERROR, row.task, row.diff.text, said, why)
        return
    if row.n is None or not few_enough(row.base, row.new, row.n):
        return
    counted = differences(row.base, row.new, row.n, relative=kind is Difference.RELATIVE)
    pairs = [(value * _scale(kind) / 100.0, before, after) for value, before, after in counted]
    if not any(row.diff.may_be(value) for value, _, _ in pairs):
        nearest = sorted(pairs, key=lambda one: abs(one[0] - row.diff.value if row.diff else 0.0))[:2]
        counts = " or ".join(f"{value:+.3f} ({before} to {after} right)" for value, before, after in nearest)
        why = f"no whole numbers of right answers among {row.n} give it either; nearest are {counts}"
        yield Finding("difference", Severity.NOTE, row.task, row.diff.text, said, why)


def _label(rows: Sequence[ScoreRow], kind: Difference | None, about: About) -> Iterator[Finding]:
    """A heading that leaves open whether differences are relative."""
    shown = [row for row in rows if row.diff is not None]
    if about.difference_label is None or kind is not Difference.RELATIVE or not shown:
        return
    row = max(shown, key=lambda one: abs(one.diff.value) if one.diff else 0.0)
    yield Finding(
        "difference-relative",
        Severity.NOTE,
        f"column {about.difference_label}",
        f"{row.task}: {row.diff.text if row.diff else ''}",
        f"{100 * (row.new.value - row.base.value):+.1f} percentage points",
        "the differences are percent of the base score, which the heading does not say; of scores that are percentages "
        "themselves, a reader takes them for points",
    )


# -- what the numbers show --------------------------------------------------------------------------------------------


def shows(results: Sequence[ScoreResult], about: About) -> list[str]:
    """The table in sentences."""
    tested = [one for one in results if one.p is not None and one.z is not None]
    if not tested:
        return ["No standard errors are printed, so no difference can be told from noise."]
    beyond = [one for one in tested if one.p_holm < about.alpha]
    names = "; ".join(f"{one.task} (z = {one.z:.2f}, Holm {show_p(one.p_holm)})" for one in beyond)
    named = f": {names}" if beyond else ""
    found = [
        f"{len(beyond)} of {len(results)} tasks differ beyond noise at {about.alpha:g} after Holm{named}.",
        "All p are of unpaired tests. Both models answered the same documents, mostly alike: compared document by "
        "document, the same scores would as a rule give smaller p-values.",
        *_sizes(results, about),
        *_hanging(tested, about),
    ]
    quiet = [one for one in tested if one.p_holm >= about.alpha and one.detectable is not None]
    if quiet:
        worst = max(quiet, key=lambda one: one.detectable or 0.0)
        found.append(
            f"Of the other {len(quiet)}, none rules a loss out: a single such comparison finds "
            f"{100 * min(one.detectable or 0.0 for one in quiet):.1f} to {100 * (worst.detectable or 0.0):.1f} points "
            f"({worst.task}) with a power of {about.power:.0%}, and smaller ones less often."
        )
    return [*found, *_average(tested)]


def _sizes(results: Sequence[ScoreResult], about: About) -> Iterator[str]:
    """Whether the standard errors are those of so many documents."""
    known = [one for one in results if one.n is not None and one.n_low is not None]
    fit = sum((one.n_low or 0) <= (one.n or 0) <= (one.n_high or one.n or 0) for one in known)
    source = f" ({about.n_source})" if about.n_source else ""
    if known:
        yield f"The standard errors fit the number of documents{source} in {fit} of {len(known)} tasks."


def _hanging(tested: Sequence[ScoreResult], about: About) -> Iterator[str]:
    """Rows whose verdict depends on digits that were rounded away."""
    for one in tested:
        if one.p is None or one.p_low is None or one.p_high is None:
            continue
        adjusted = one.p_holm < about.alpha
        # The rank in Holm's order is taken as it stands.
        factor = one.p_holm / one.p if adjusted and one.p else 1.0
        low, high = min(1.0, factor * one.p_low), min(1.0, factor * one.p_high)
        if low < about.alpha <= high:
            which = "Holm-adjusted p" if adjusted else "p"
            yield (
                f"{one.task}: whether {which} is below {about.alpha:g} hangs on the rounding of the printed numbers, "
                f"which leaves {show_p(low)} to {show_p(high)} open ({show_p(factor * one.p)} as printed)."
            )


def _average(tested: Sequence[ScoreResult]) -> Iterator[str]:
    """All tasks taken together, each with the same weight."""
    if len(tested) < 2:
        return
    mean = sum(one.difference for one in tested) / len(tested)
    error = sqrt(sum((one.standard_error or 0.0) ** 2 for one in tested)) / len(tested)
    p = erfc(abs(mean) / error / sqrt(2.0))
    falls = sum(one.difference < 0 for one in tested)
    yield (
        f"{falls} of {len(tested)} tasks fall. Their plain average changes by {100 * mean:+.2f} points "
        f"(z = {mean / error:.2f}, p = {show_p(p)}, unpaired)."
    )
