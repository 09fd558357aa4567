"""check-paper on made-up tables: what is right gives no finding, what was changed is found, bad cells are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from sage_data.errors import InputError
from sage_eval.paper import check, check_table
from sage_eval.paper.about import About, read_about
from sage_eval.paper.counts import documents, right_answers, share_error
from sage_eval.paper.printed import Printed
from sage_eval.paper.tables import ScoreRow, WinRow, read_table

STARS = {"***": 0.001, "**": 0.01, "*": 0.05}
QUICK = settings(deadline=None, max_examples=60)


def stars(wins_a, wins_b):
    p = binomtest(wins_b, wins_a + wins_b).pvalue if wins_a + wins_b else 1.0
    return next((mark for mark, level in STARS.items() if p < level), "")


def win_row(line, n, share, split, decimals):
    """A row that is right: of n pairs, a share is decisive, and of those a share is B's."""
    decisive = round(n * share)
    wins_b = round(decisive * split)
    counts = {"wins_a": decisive - wins_b, "ties": n - decisive, "wins_b": wins_b}
    percents = {name: Printed.parse(f"{100 * count / n:.{decimals}f}%") for name, count in counts.items()}
    return WinRow(
        line, f"judge {line}", "a", "b", *counts.values(), percents, stars(counts["wins_a"], counts["wins_b"])
    )


SHARES = st.floats(0.0, 1.0)
WINS = st.tuples(st.integers(20, 5000), st.integers(0, 3), st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=5))


def win_table(given):
    n, decimals, shares = given
    return n, [win_row(line, n, share, split, decimals) for line, (share, split) in enumerate(shares, 2)]


def found(rows, about):
    return check_table(rows, about, Path("made.csv")).findings


@given(WINS)
@QUICK
def test_a_right_win_table_gives_no_finding(made):
    n, rows = win_table(made)
    assert found(rows, About(n=n, stars=STARS)) == ()
    assert found(rows, About(stars=STARS)) == ()


@given(WINS, st.data())
@QUICK
def test_one_changed_count_is_found_in_its_row(made, data):
    n, rows = win_table(made)
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(["wins_a", "ties", "wins_b"]))
    by = data.draw(st.integers(-rows[place].counts[name], n).filter(bool))
    changed = {**rows[place].counts, name: rows[place].counts[name] + by}
    row = rows[place]
    rows[place] = WinRow(row.line, row.judge, "a", "b", *changed.values(), row.percents, row.stars)
    sums = [one for one in found(rows, About(n=n, stars=STARS)) if one.id.startswith("sum-")]
    assert [one.place for one in sums] == [row.place]


@given(WINS, st.data())
@QUICK
def test_one_changed_percentage_is_found(made, data):
    n, rows = win_table(made)
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(["wins_a", "ties", "wins_b"]))
    row = rows[place]
    old = row.percents[name]
    wrong = data.draw(st.floats(0, 100).map(lambda value: Printed.parse(f"{value:.{old.decimals}f}%")))
    if wrong.may_be(100 * row.counts[name] / n):
        return
    percents = {**row.percents, name: wrong}
    rows[place] = WinRow(row.line, row.judge, "a", "b", *row.counts.values(), percents, row.stars)
    (one,) = found(rows, About(n=n, stars=STARS))
    assert one.id.startswith("percent")
    assert row.place in one.place


@given(WINS, st.sampled_from([*STARS, ""]))
@QUICK
def test_one_changed_star_is_found(made, mark):
    n, rows = win_table(made)
    row = rows[0]
    if mark == row.stars:
        return
    rows[0] = WinRow(row.line, row.judge, "a", "b", *row.counts.values(), row.percents, mark)
    wrong = [one for one in found(rows, About(n=n, stars=STARS)) if "order" not in one.id]
    assert [one.place for one in wrong] == [row.place]
    more = STARS.get(mark, 1.0) < STARS.get(row.stars or "", 1.0)
    assert wrong[0].severity == ("error" if more else "note")


def score_row(line, n, before, after, decimals, relative):
    """A row that is right: numbers of right answers among n documents before and after."""
    base, new = round(n * before), round(n * after)
    shares = [Printed.parse(f"{count / n:.4f}") for count in (base, new)]
    errors = [Printed.parse(f"{share_error(count / n, n):.4f}") for count in (base, new)]
    change = 100 * (new - base) / (base if relative else n)
    return ScoreRow(
        line, f"task {line}", shares[0], shares[1], errors[0], errors[1], Printed.parse(f"{change:+.{decimals}f}%"), n
    )


MIDDLE = st.floats(0.05, 0.95)
SCORES = st.tuples(
    st.integers(1, 3),
    st.booleans(),
    st.lists(st.tuples(st.integers(50, 3000), MIDDLE, MIDDLE), min_size=1, max_size=4),
)


def score_table(made):
    decimals, relative, rows = made
    return relative, [score_row(line, *row, decimals, relative) for line, row in enumerate(rows, 2)]


@given(SCORES)
@QUICK
def test_a_right_benchmark_table_gives_no_finding(made):
    _, rows = score_table(made)
    assert found(rows, About()) == ()


@given(SCORES, st.integers(0, 3), st.floats(0.5, 50), st.booleans())
@QUICK
def test_one_changed_difference_is_found(made, place, by, up):
    relative, rows = score_table(made)
    row = rows[place % len(rows)]
    assert row.diff is not None
    wrong = Printed.parse(f"{row.diff.value + (by if up else -by):+.{row.diff.decimals}f}")
    if abs(wrong.value - row.diff.value) < 0.45:
        return
    rows[place % len(rows)] = ScoreRow(row.line, row.task, row.base, row.new, row.base_se, row.new_se, wrong, row.n)
    (one,) = found(rows, About(difference="relative" if relative else "points"))
    # Of a small base score, rounding leaves some room: then it is a note, that no number of right answers gives it.
    assert (one.place, one.id) == (row.task, "difference-1")


@given(SCORES, st.floats(2.0, 20.0), st.booleans())
@QUICK
def test_standard_errors_of_another_number_of_documents_are_found(made, times, more):
    _, rows = score_table(made)
    row = rows[0]
    assert row.n is not None
    n = max(2, round(row.n * times if more else row.n / times))
    rows[0] = ScoreRow(row.line, row.task, row.base, row.new, row.base_se, row.new_se, None, n)
    kinds = {one.id.rstrip("-0123456789") for one in found(rows, About())}
    assert "standard-error" in kinds


# -- numbers behind printed numbers -----------------------------------------------------------------------------------


@given(st.integers(1, 3000), st.data(), st.integers(0, 4))
@QUICK
def test_the_right_answers_behind_a_score_are_among_those_that_fit(n, data, decimals):
    count = data.draw(st.integers(0, n))
    printed = Printed.parse(f"{count / n:.{decimals}f}")
    fast = right_answers(printed, n)
    slow = [one for one in range(n + 1) if abs(one / n - printed.value) <= 0.5 * 10.0**-decimals + 1e-9]
    assert count in fast
    assert [one for one in fast if one <= n] == slow


@given(st.integers(20, 20000), MIDDLE)
@QUICK
def test_the_documents_behind_a_standard_error_are_among_those_that_fit(n, share):
    score, error = Printed.parse(f"{share:.3f}"), Printed.parse(f"{share_error(share, n):.3f}")
    low, high = documents(score, error)
    assert low <= n
    assert high is None or n <= high


def test_what_a_printed_number_may_stand_for():
    # Halves go both ways; the sign and the percent sign may be there.
    assert Printed.parse("27.0%").may_be(27.05)
    assert not Printed.parse("27.0%").may_be(27.06)
    assert Printed.parse("\u22122.5").value == -2.5
    assert Printed.parse("34.1").cut_from(34.159)
    assert not Printed.parse("34.2").cut_from(34.159)
    # 45 to 55 of 200 is 22.5% to 27.5%: all round to 25 within 2.5.
    assert list(Printed.parse("25%").counts(200)) == [49, 50, 51]


# -- planted errors in files ------------------------------------------------------------------------------------------

WIN_HEAD = "judge,model_a,model_b,wins_a,percent_a,ties,percent_ties,wins_b,percent_b,stars\n"


def write(tmp_path, rows, about="", head=WIN_HEAD):
    path = tmp_path / "t.csv"
    path.write_text(head + rows, encoding="utf-8")
    if about:
        path.with_suffix(".toml").write_text(about, encoding="utf-8")
    return path


def test_planted_errors_of_a_win_table_all_come_out(tmp_path):
    rows = (
        "j,a,b,40,40%,10,10%,50,50%,\n"  # right: p = .40
        "j,a,c,30,30%,10,10%,60,60%,*\n"  # right: 60 of 90, p = .002
        "j,a,d,45,45%,10,10%,45,45%,*\n"  # starred without any difference
        "j,a,e,20,20%,10,10%,60,70%,*\n"  # 10 missing in wins of B, which its percentage tells
        "j,a,f,20,25%,10,10%,70,70%,*\n"  # 25% is wrong
        "j,a,g,20,20%,10,10%,70,70%,\n"  # star forgotten
    )
    report = check(write(tmp_path, rows, 'n = 100\nstars = { "*" = 0.05 }\n'))
    seen = [(one.id.rpartition("-")[0], one.place, one.severity.value) for one in report.findings]
    assert sorted(seen) == sorted(
        [
            ("stars", "j, a vs d", "error"),
            ("sum", "j, a vs e", "error"),
            ("percent", "j, a vs e, wins of B", "error"),
            ("percent", "j, a vs f, wins of A", "error"),
            ("stars", "j, a vs g", "note"),
            ("stars-order", "j, a vs d; j, a vs g", "error"),
        ]
    )
    (one,) = [one for one in report.findings if one.id == "sum-1"]
    assert one.why.startswith("probably 70 wins of B instead of 60")


def test_planted_errors_of_a_benchmark_table_all_come_out(tmp_path):
    rows = (
        "right,0.500,0.0158,0.550,0.0157,+10.0%,1001\n"
        "points,0.500,0.0158,0.550,0.0157,+5.0%,1001\n"
        "grain,0.5,0.1667,0.55,0.1658,,10\n"  # no number of 10 gives 0.55
        "error,0.500,0.0158,0.550,0.0357,,\n"  # one error needs 1000 documents, the other 200
        "size,0.500,0.0158,0.550,0.0157,,4000\n"
    )
    report = check(write(tmp_path, rows, 'difference = "relative"\n', "task,base,base_se,new,new_se,diff,n\n"))
    seen = {(one.id.rpartition("-")[0], one.place) for one in report.findings}
    assert seen == {
        ("difference", "points"),
        ("granularity", "grain, new"),
        ("standard-error", "error"),
        ("standard-error", "size, base"),
        ("standard-error", "size, new"),
    }


SCORE_HEAD = "task,base,new,diff\n"


@pytest.mark.parametrize(
    ("rows", "about", "kind", "recomputed"),
    [
        # Without a percent sign: in the unit of the scores, though +7% relative to .7 would fit as well.
        ("t,0.700,0.750,+0.07\n", "", "score", "+0.05 from the printed scores (+0.050)"),
        ("t,70.0,75.0,+7.0\n", "", "score", "+5.0 from the printed scores (+5.000)"),
        ("t,0.700,0.750,+0.05\n", "", "score", None),
        ("t,0.700,0.750,+7.1%\n", "", "relative", None),
        ("t,0.700,0.750,+5.0%\n", "", "points", None),
        # Shares cannot differ by more than 1.
        ("t,0.700,0.750,+7.1\n", "", "relative", None),
        ("t,0.700,0.750,+5\n", 'difference = "points"\n', "points", None),
        ("t,0.700,0.750,+0.07\n", 'difference = "points"\n', "points", "+5.00% from the printed scores (+5.000)"),
    ],
)
def test_a_percent_sign_says_what_a_difference_is(tmp_path, rows, about, kind, recomputed):
    report = check(write(tmp_path, rows, about, SCORE_HEAD))
    assert report.difference == kind
    assert [one.recomputed for one in report.findings] == ([] if recomputed is None else [recomputed])


def test_tables_without_optional_columns_are_read(tmp_path):
    report = check(write(tmp_path, "t,0.5,0.6\n", head="task,base,new\n"))
    assert report.shows == ("No standard errors are printed, so no difference can be told from noise.",)
    assert report.findings == ()
    wins = check(write(tmp_path, "j,a,b,0,5,0\n", head="judge,model_a,model_b,wins_a,ties,wins_b\n"))
    assert (wins.recomputed[0].p, wins.findings) == (None, ())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("j,a,b,-1,1%,1,1%,1,1%,\n", "line 2, column wins_a: expected a count from 0 to 10000000, found '-1'"),
        ("j,a,b,1.5,1%,1,1%,1,1%,\n", "line 2, column wins_a: .* found '1.5'"),
        ("j,a,b,99999999999,1%,1,1%,1,1%,\n", "line 2, column wins_a: .* found '99999999999'"),
        ("j,a,b,\u0663,1%,1,1%,1,1%,\n", "line 2, column wins_a"),
        ("j,a,b,1,1%,1,1%,1,101%,\n", "line 2, column percent_b: expected a percentage from 0 to 100, found '101%'"),
        ("j,a,b,1,nan,1,1%,1,1%,\n", "line 2, column percent_a: .* found 'nan'"),
        ("j,a,,1,1%,1,1%,1,1%,\n", "line 2, column model_b: expected a name, found ''"),
        ("j,a,b,1,1%,1,1%,1,1%\n", "line 2: expected 10 cells, found 9"),
        ("j,a,b,1,1%,1,1%,1,1%,\nj,a,b,2,1%,1,1%,1,1%,\n", "line 3: j, a vs b is also in line 2"),
        ("j,a,b,1,1%,1,1%,1,1%,?\n", "line 2, column stars: expected one of no marks, found '\\?'"),
        ("", "expected a heading and at least one row, found 1 lines"),
    ],
)
def test_a_bad_cell_is_named_with_file_line_and_column(tmp_path, rows, said):
    path = write(tmp_path, rows)
    with pytest.raises(InputError, match=said) as caught:
        check(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("a,b\n", "line 1: expected the columns judge, .* or task, base, new"),
        ("task,base,new,colour\n", "line 1: column 'colour' is unknown"),
        ("task,base,new,base\n", "line 1: column 'base' is unknown or there twice"),
    ],
)
def test_a_heading_of_another_form_is_refused(tmp_path, head, said):
    cells = ",".join("1" for _ in head.split(","))
    with pytest.raises(InputError, match=said):
        check(write(tmp_path, f"{cells}\n", head=head))


@pytest.mark.parametrize("given", ["9" * 400, "1e5", "0x1", "", "1,000"])
def test_numbers_that_no_table_prints_are_refused(given):
    with pytest.raises(ValueError, match="not a decimal number"):
        Printed.parse(given)


def test_files_that_are_no_csv_or_toml_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"judge,\xff\n")
    with pytest.raises(InputError, match="not readable as CSV"):
        read_table(tmp_path / "latin.csv")
    with pytest.raises(InputError, match="not readable as CSV"):
        read_table(tmp_path / "nowhere.csv")
    bad = tmp_path / "bad.toml"
    bad.write_text("n = ", encoding="utf-8")
    with pytest.raises(InputError, match="not readable as TOML"):
        read_about(bad)
    bad.write_text('n = 0\ncolour = "red"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"n: Input should be .*; colour: Extra inputs"):
        read_about(bad)


def test_a_claim_of_the_other_form_is_refused(tmp_path):
    claim = '[[claims]]\nkind = "mostly-declined"\nsays = "x"\nwhere = "y"\n'
    with pytest.raises(InputError, match="kind 'mostly-declined' cannot be checked on this form"):
        check(write(tmp_path, "j,a,b,1,33%,1,33%,1,33%,\n", claim))
