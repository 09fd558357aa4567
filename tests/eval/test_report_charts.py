"""Charts put numbers where they belong."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_eval.report import charts, numbers


def test_a_stacked_bar_is_as_wide_as_its_counts() -> None:
    segments = charts.stacked({"a": 1, "none": 0, "b": 3})
    assert [(one.kind, one.count, one.x, one.width) for one in segments] == [
        ("a", 1, 0.0, 250.0),
        ("b", 3, 250.0, 750.0),
    ]


def test_a_bar_of_a_larger_whole_leaves_the_rest_empty() -> None:
    assert charts.stacked({"kept": 1}, 4)[0].width == 250.0
    assert charts.stacked({"kept": 0}, 0) == ()


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=6))
def test_parts_of_a_bar_follow_each_other(counts: dict[str, int]) -> None:
    segments = charts.stacked(counts)
    for left, right in pairwise(segments):
        assert right.x == pytest.approx(left.x + left.width, abs=0.02)
    if segments:
        assert segments[-1].x + segments[-1].width == pytest.approx(charts.WIDTH, abs=0.02)


def test_intervals_share_a_scale_with_zero_in_the_middle() -> None:
    wide, narrow = charts.whiskers([(-0.2, -0.1, 0.0), (0.05, 0.1, 0.15)])
    assert (wide.low, wide.middle, wide.high, wide.zero) == (20.0, 260.0, 500.0, 500.0)
    assert narrow.middle == 740.0


def test_intervals_of_nothing_but_zero_stand_in_the_middle() -> None:
    assert charts.whiskers([(0.0, 0.0, 0.0)])[0].middle == charts.WIDTH / 2
    assert charts.whiskers([]) == []


def test_a_sparkline_runs_from_left_to_right_with_the_largest_on_top() -> None:
    assert charts.sparkline([3.0, 1.0, 2.0]) == "M0 5L500 95L1000 50"
    assert charts.sparkline([2.0, 2.0]) == "M0 5L1000 5"
    assert charts.sparkline([2.0]) == ""


@given(st.lists(st.floats(-1e6, 1e6), max_size=2000))
def test_thinning_keeps_ends_mean_range_and_size(values: list[float]) -> None:
    points = charts.thin(values)
    assert len(points) == min(len(values), charts.MOST_POINTS)
    if values:
        assert (points[0], points[-1]) == (values[0], values[-1])
        assert min(values) - 1e-6 <= min(points) <= max(points) <= max(values) + 1e-6


def test_a_dose_response_curve_fills_its_plot() -> None:
    chart = charts.dose_chart([(0.0, 0.0, 0.0, 0.5), (2.0, 0.25, 0.5, 0.75), (4.0, 0.5, 1.0, 1.0)])
    left, right, top, bottom = charts.PLOT
    assert [point[:2] for point in chart.points] == [
        (left, bottom),
        ((left + right) / 2, (top + bottom) / 2),
        (right, top),
    ]
    assert [tick.label for tick in chart.x_ticks] == ["0", "2", "4"]
    assert [tick.label for tick in chart.y_ticks] == ["0%", "25%", "50%", "75%", "100%"]


def test_negative_doses_fill_the_plot_too() -> None:
    chart = charts.dose_chart([(-4.0, 0.0, 0.5, 1.0), (-3.0, 0.0, 0.5, 1.0), (-2.0, 0.0, 0.5, 1.0)])
    left, right, _, _ = charts.PLOT
    assert [point[0] for point in chart.points] == [left, (left + right) / 2, right]


def test_a_single_dose_has_a_point_and_no_line() -> None:
    chart = charts.dose_chart([(0.0, 0.1, 0.2, 0.3)])
    assert (chart.line, len(chart.points)) == ("", 1)


@pytest.mark.parametrize(
    ("p", "log_p", "written"),
    [
        (None, None, "–"),
        (1.0, 0.0, "1.00"),
        (0.034, None, "0.034"),
        (1.19e-11, None, "1.2 × 10⁻¹¹"),
        (0.0, -11_500.0, "4.1 × 10⁻⁴⁹⁹⁵"),
        (0.0, None, "0"),
        (9.97e-5, None, "1.0 × 10⁻⁴"),
    ],
)
def test_p_values_are_written_for_readers(p: float | None, log_p: float | None, written: str) -> None:
    assert numbers.p_value(p, log_p) == written


def test_signs_are_real_and_zero_has_none() -> None:
    assert [numbers.signed(value) for value in (-0.0123, 0.5, 0.0, -0.0001, None)] == [
        "\N{MINUS SIGN}0.012", "+0.500", "0.000", "0.000", "–",
    ]  # fmt: skip
    assert numbers.share(0.315, 1) == "31.5%"
    assert numbers.count(12345) == "12,345"
