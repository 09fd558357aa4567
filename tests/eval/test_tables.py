"""Plain-text tables and how numbers are written."""

import math

import pytest

from sage_eval.tables import show_e, show_interval, show_p, show_share, text_table


def test_the_first_columns_lean_left_the_others_right():
    table = text_table(("name", "n"), [("a", "1000"), ("long name", "7")])
    assert table.splitlines() == ["name          n", "---------  ----", "a          1000", "long name     7"]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        text_table(("a", "b"), [("1", "2"), ("3", "4", "5")])


@pytest.mark.parametrize(
    ("p", "log_p", "shown"),
    [
        (None, None, "-"),
        (1.0, 0.0, "1.00"),
        (0.2741, None, "0.27"),
        (0.0321, None, "0.032"),
        (1.19e-11, None, "1.2e-11"),
        (0.0, math.log(10) * -1505, "1e-1505"),
        (0.0, None, "<1e-300"),
        (1e-300, None, "1e-300"),
    ],
)
def test_p_values(p, log_p, shown):
    assert show_p(p, log_p) == shown


@pytest.mark.parametrize(
    ("e_value", "shown"),
    [
        (1.0, "1"),
        (19.53, "19.5"),
        (242.9, "243"),
        (0.0316, "0.0316"),
        (54321.0, "54321"),
        (1e12, "1e12"),
        (1e-9, "1e-9"),
    ],
)
def test_e_values(e_value, shown):
    assert show_e(math.log(e_value)) == shown


def test_shares_and_intervals():
    assert show_share(542, 2544) == "542 (21%)"
    assert show_share(0, 0) == "0"
    assert show_interval(0.1, 0.25) == "[0.100, 0.250]"
    assert show_interval(None, None) == "-"
