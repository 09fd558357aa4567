"""check-paper on the two tables of the SAGE paper: they ship as printed, and every known finding comes out.

Golden values were worked out by hand or with scipy alone.
"""

from __future__ import annotations

import csv
import json
from math import log, sqrt

import pytest
from click.testing import CliRunner
from scipy.stats import binomtest, norm

from sage_data.errors import ConfigError, InputError
from sage_eval.paper import check, example
from sage_eval.paper.command import check_paper
from sage_eval.paper.findings import Severity
from sage_eval.paper.text import text

TABLE1 = """
GPT-3.5 SAGE_0        SAGE_1    688 (27.0%)  892 (35.0%)   964 (38.0%)  *
GPT-3.5 SAGE_1(-SAC)  SAGE_1    823 (32.4%)  852 (33.5%)   869 (34.1%)  *
GPT-3.5 SAGE_1        SAGE_2    690 (27.0%)  945 (37.0%)   859 (36.0%)  *
GPT-3.5 SAGE_2        SAGE_3    811 (32.0%)  911 (36.0%)   822 (32.0%)
GPT-3.5 SAGE_3        SAGE_DPO  768 (30.0%)  941 (37.0%)   835 (33.0%)
GPT-3.5 SAGE_0        SAGE_DPO  542 (21.0%)  899 (35.0%)  1103 (43.0%)  **
Mixtral SAGE_0        SAGE_1    617 (24.0%)  1105 (43.0%)  822 (32.0%)  *
Mixtral SAGE_1(-SAC)  SAGE_1    684 (26.9%)  1043 (41.0%)  817 (32.1%)  *
Mixtral SAGE_1        SAGE_2    619 (24.0%)  1086 (43.0%)  839 (33.0%)  *
Mixtral SAGE_2        SAGE_3    720 (28.0%)  1076 (42.0%)  748 (29.0%)
Mixtral SAGE_3        SAGE_DPO  753 (30.0%)  1063 (42.0%)  728 (29.0%)
Mixtral SAGE_0        SAGE_DPO  473 (19.0%)  1184 (47.0%)  887 (35.0%)  **
"""
"""As printed."""
TABLE2 = """
HellaSwag  0.860 (0.003)  0.838 (0.004)  -2.58%
ARC-C      0.661 (0.014)  0.642 (0.014)  -2.88%
ARC-E      0.852 (0.007)  0.841 (0.008)  -1.29%
MMLU       0.688 (0.004)  0.672 (0.004)  -2.33%
WinoGrande 0.767 (0.012)  0.759 (0.012)  -1.04%
OBQA       0.478 (0.022)  0.470 (0.022)  -1.67%
PIQA       0.848 (0.008)  0.839 (0.009)  -1.04%
SIQA       0.553 (0.011)  0.528 (0.011)  -4.53%
CSQA       0.708 (0.013)  0.711 (0.013)  +0.423%
GSM8k      0.267 (0.012)  0.234 (0.012)  -12.3%
"""
"""As printed, turned so that a task is a row."""
N = 2544


def cells(printed):
    """The lines of a printed table, brackets off."""
    return [
        line.replace("(-SAC)", "<>").replace("(", "").replace(")", "").split() for line in printed.split("\n")[1:-1]
    ]


def shipped(name):
    with example(name).open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))[1:]


@pytest.fixture(scope="module")
def table1():
    return check(example("table1"))


@pytest.fixture(scope="module")
def table2():
    return check(example("table2"))


def only(report, *parts, severity=None):
    """The one finding whose text holds all parts."""
    found = [
        one
        for one in report.findings
        if all(part in f"{one.id} {one.place}: {one.printed} | {one.recomputed} | {one.why}" for part in parts)
        and severity in (None, one.severity)
    ]
    assert len(found) == 1, [one.place for one in found]
    return found[0]


# -- what ships -------------------------------------------------------------------------------------------------------


def test_the_shipped_tables_are_the_printed_ones_number_by_number():
    rows = [[cell.replace("(-SAC)", "<>") for cell in row if cell] for row in shipped("table1")]
    assert rows == cells(TABLE1)
    assert [row[:-1] for row in shipped("table2")] == cells(TABLE2)


def test_p_values_are_those_of_scipy(table1):
    assert [one.p for one in table1.recomputed] == [
        pytest.approx(binomtest(one.wins_b, one.wins_a + one.wins_b).pvalue, rel=1e-9) for one in table1.recomputed
    ]
    first, sac, second, _, _, last = table1.recomputed[:6]
    assert first.p == pytest.approx(1.19e-11, rel=0.005)
    assert sac.p == pytest.approx(0.274, abs=0.0005)
    assert second.p == pytest.approx(1.94e-5, rel=0.005)
    assert last.p == pytest.approx(3.34e-44, rel=0.005)
    assert last.log_p == pytest.approx(log(3.34e-44), abs=0.005)
    assert table1.recomputed[11].p == pytest.approx(1.52e-29, rel=0.005)


# -- Table 1 ----------------------------------------------------------------------------------------------------------


def test_one_of_eight_starred_rows_holds(table1):
    starred = [one for one in table1.recomputed if one.stars]
    held = [one for one in starred if one.stars == one.fitting_stars]
    assert (len(starred), [(one.judge, one.model_a, one.model_b) for one in held]) == (
        8,
        [("GPT-3.5", "SAGE_0", "SAGE_1")],
    )
    assert "1 of 8 starred rows holds as printed: GPT-3.5, SAGE_0 vs SAGE_1, p = 1.2e-11." in table1.shows
    wrong = [one for one in table1.findings if one.id.startswith("stars-") and "order" not in one.id]
    assert len(wrong) == 7
    assert {one.severity for one in wrong} == {Severity.ERROR}


@pytest.mark.parametrize("judge", ["GPT-3.5", "Mixtral"])
def test_both_double_stars_hold_only_as_single_ones(table1, judge):
    found = only(table1, "stars-", f"{judge}, SAGE_0 vs SAGE_DPO: **: p < 1e-50")
    assert found.recomputed in ("p = 3.3e-44: *", "p = 1.5e-29: *")


def test_a_starred_row_that_is_not_significant_at_all(table1):
    found = only(table1, "stars-", "GPT-3.5, SAGE_1(-SAC) vs SAGE_1: *")
    assert found.recomputed == "p = 0.27: none"
    # The least k with P(X >= k) <= 0.5e-10 for 1692 fair tosses, by scipy.
    assert binomtest(980, 1692).pvalue < 1e-10 < binomtest(979, 1692).pvalue
    assert "not even significant at 0.05; of 1692 decisive pairs one model would need 980, it has 869" in found.why


def test_no_level_of_p_explains_the_stars(table1):
    found = only(table1, "stars-order")
    assert found.recomputed == "p = 0.27 and p = 0.10"
    assert found.printed == "* for 823:869, none for 768:835"


def test_the_row_that_does_not_add_up_and_what_would_repair_it(table1):
    found = only(table1, "sum-1")
    assert (found.place, found.recomputed) == ("GPT-3.5, SAGE_1 vs SAGE_2", "2494, not 2544 (50 missing)")
    # 909 / 2544 = 35.73%, which rounds to the printed 36; 859 / 2544 = 33.77% does not.
    assert found.why.startswith("probably 909 wins of B instead of 859: 909 of 2544 is 35.73%, printed 36.0%")
    assert binomtest(909, 690 + 909).pvalue == pytest.approx(4.8e-8, rel=0.02)
    assert found.why.endswith("p = 4.8e-08")
    assert only(table1, "percent-1").why == "36.0% fits 904 to 928"


def test_rounding_of_percentages_is_remarked_upon(table1):
    cut = only(table1, "percent-2", severity=Severity.NOTE)
    # 869 / 2544 = 34.159%.
    assert cut.place == "GPT-3.5, SAGE_1(-SAC) vs SAGE_1, wins of B"
    assert "cut off instead of rounded" in cut.why
    loose = only(table1, "percent-precision", severity=Severity.NOTE)
    # Ten rows print whole percents, 30 cells: one is wrong, and three hold to the decimal (27.04, 36.99, 32.98).
    assert loose.place.startswith("26 cells in 10 rows")


def test_claims_of_the_text_about_table_1(table1):
    held = {one.says: one.holds for one in table1.claims}
    assert sum(held.values()) == 5
    assert held["the final model wins nearly twice as often as the initial one, with both judges"]
    assert held["what preference learning gains is not statistically significant"]
    assert not held["training with State-Action Chains is preferred over training without"]
    ratio = next(one for one in table1.claims if "twice" in one.says)
    assert ratio.evidence == "GPT-3.5 2.04 times, Mixtral 1.88 times"


@pytest.mark.parametrize(
    ("says", "evidence"),
    [
        ("training with State-Action Chains", "GPT-3.5 823:869, p = 0.27; Mixtral 684:817, p = 0.00065"),
        ("SAGE_3 still improves on SAGE_2", "GPT-3.5 811:822, p = 0.80; Mixtral 720:748, p = 0.48"),
        ("preference learning refines", "GPT-3.5 768:835, p = 0.10; Mixtral 753:728, p = 0.53"),
        ("same in both orders count as valid votes", "11 of 12 rows add up to n = 2544"),
        (
            "one set of situations",
            "dev set (2,770 in section 3.4) in one place, 2544 instances of the test set (2,547)",
        ),
    ],
)
def test_claims_that_the_table_does_not_bear_out(table1, says, evidence):
    found = only(table1, says, severity=Severity.CLAIM)
    assert evidence in found.recomputed


@pytest.mark.parametrize(
    ("says", "evidence"),
    [
        ("consistent with each other", "5 of 6 pairs; SAGE_3 vs SAGE_DPO"),
        ("none of its situations is said to be left out", "n is 2544, the set has 2547"),
        ("dialogues have one length", "up to 16 turns in one place, 8 turns"),
        ("SAGE_0 is one model", "base model in one place, the original Mixtral 8x7B Instruct"),
    ],
)
def test_what_is_only_worth_a_remark(table1, says, evidence):
    assert evidence in only(table1, says, severity=Severity.NOTE).recomputed


# -- Table 2 ----------------------------------------------------------------------------------------------------------


def test_differences_by_hand(table2):
    by_task = {one.task: one for one in table2.recomputed}
    # (0.838 - 0.860) / sqrt(0.003^2 + 0.004^2) = -0.022 / 0.005.
    assert by_task["HellaSwag"].z == pytest.approx(-4.40)
    assert by_task["MMLU"].z == pytest.approx(-0.016 / (0.004 * sqrt(2)))
    assert by_task["MMLU"].z == pytest.approx(-2.83, abs=0.005)
    # Ten tasks; MMLU has the second least p, which Holm multiplies by nine.
    assert by_task["MMLU"].p_holm == pytest.approx(9 * 2 * norm.sf(2.8284), rel=1e-3)
    assert by_task["MMLU"].p_holm == pytest.approx(0.042, abs=0.0005)
    assert by_task["GSM8k"].p == pytest.approx(0.052, abs=0.0005)
    assert by_task["GSM8k"].p == pytest.approx(2 * norm.sf(0.033 / (0.012 * sqrt(2))))
    assert [one.task for one in table2.recomputed if one.p_holm < 0.05] == ["HellaSwag", "MMLU"]


def test_what_rounding_leaves_open_is_the_worst_case(table2):
    gsm8k = table2.recomputed[-1]
    # Scores at most 0.0005 off each, so 0.032 to 0.034; errors 0.0115 to 0.0125.
    assert gsm8k.p_low == pytest.approx(2 * norm.sf(0.034 / (0.0115 * sqrt(2))))
    assert gsm8k.p_high == pytest.approx(2 * norm.sf(0.032 / (0.0125 * sqrt(2))))
    assert any("GSM8k: whether p is below 0.05 hangs on the rounding" in one for one in table2.shows)


def test_standard_errors_tell_the_number_of_documents(table2):
    for one in table2.recomputed:
        fitting = [
            n
            for n in range(100, 20000)
            if all(
                any(round(sqrt(p * (1 - p) / (n - 1)), 3) == printed for p in (score - 0.00049, score, score + 0.00049))
                for score, printed in zip((one.base, one.new), printed_errors(one.task), strict=True)
            )
        ]
        # The slow search looks at three values of each score only; the fast one must hold all it finds, and few more.
        assert one.n_low <= fitting[0] <= one.n_low + 4
        assert one.n_high - 4 <= fitting[-1] <= one.n_high
        assert one.n_low <= one.n <= one.n_high
    assert any("in 10 of 10 tasks" in sentence for sentence in table2.shows)


def printed_errors(task):
    row = next(row for row in shipped("table2") if row[0] == task)
    return float(row[2]), float(row[4])


def test_the_most_significant_drop_is_another_tasks(table2):
    found = only(table2, "if that means the least p", severity=Severity.CLAIM)
    assert "HellaSwag -2.2 points, -2.6% relative (z = -4.40" in found.recomputed
    assert "GSM8k -3.3 points, -12.4% relative (z = -1.94, p = 0.052, Holm 0.41)" in found.recomputed


def test_the_slight_improvement_is_noise(table2):
    assert "CSQA +0.3 points" in only(table2, "CommonsenseQA improves", severity=Severity.CLAIM).recomputed


def test_differences_are_relative_and_their_heading_does_not_say_so(table2):
    assert table2.difference == "relative"
    found = only(table2, "difference-relative")
    assert (found.place, found.printed, found.recomputed) == (
        "column Diff (%)",
        "GSM8k: -12.3%",
        "-3.3 percentage points",
    )


def test_four_differences_fit_no_number_of_right_answers(table2):
    notes = [one for one in table2.findings if one.id.startswith("difference-") and "relative" not in one.id]
    assert [one.place for one in notes] == ["ARC-C", "PIQA", "CSQA", "GSM8k"]
    # 100 (752 - 775) / 775 = -2.968, 100 (753 - 775) / 775 = -2.839; -2.88 lies between.
    assert "-2.839 (775 to 753 right) or -2.968 (775 to 752 right)" in notes[0].why


# -- as a user sees it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_the_text_holds_each_row_and_each_finding_on_a_line_of_its_own(name):
    report = check(example(name))
    lines = text(report).splitlines()
    for one in report.findings:
        assert sum(line.startswith(f"[{one.severity}] {one.id}: ") for line in lines) == 1
    assert max(map(len, lines)) <= 140
    flat = " ".join(" ".join(lines).split())
    assert all(one.evidence in flat for one in report.claims)


def run(*arguments):
    return CliRunner().invoke(check_paper, [*map(str, arguments)])


def test_exit_codes():
    assert run("--example", "table1").exit_code == 0
    assert run("--example", "table1", "--strict").exit_code == 1
    assert isinstance(run().exception, ConfigError)
    assert isinstance(run(example("table1"), "--example", "table1").exception, ConfigError)
    assert run("--example", "table3").exit_code == 2


def test_a_table_without_discrepancies_ends_well_with_strict(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("judge,model_a,model_b,wins_a,ties,wins_b\nj,a,b,10,5,20\n")
    result = run(path, "--strict")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "No discrepancy.")


def test_json_holds_every_number():
    found = json.loads(run("--example", "table1", "--json").output)
    assert found["recomputed"][0]["p"] == pytest.approx(1.19e-11, rel=0.005)
    assert len(found["findings"]) == 21
    assert {one["severity"] for one in found["findings"]} == {"error", "claim", "note"}


def test_options_take_the_place_of_the_file_beside_the_table():
    found = json.loads(
        run("--example", "table1", "--json", "--n", "2494", "--star", "*=1e-4", "--star", "**=1e-20").output
    )
    sums = [one for one in found["findings"] if one["id"].startswith("sum-")]
    assert len(sums) == 11
    assert all(one["recomputed"].endswith("(50 too many)") for one in sums)
    # At these levels only two rows are starred wrongly: p = .27 and p = .00065.
    stars = [one for one in found["findings"] if one["id"].startswith("stars-") and "order" not in one["id"]]
    assert [one["place"].split(", ")[0] for one in stars] == ["GPT-3.5", "Mixtral"]


@pytest.mark.parametrize("star", ["*", "*=x", "=0.1", "*=0", "*=1"])
def test_levels_that_are_none_are_refused(star):
    assert isinstance(run("--example", "table1", "--star", star).exception, ConfigError)


def test_a_copy_of_an_example_gives_the_same_report(tmp_path):
    assert run("--example", "table1", "--copy", tmp_path).exit_code == 0
    assert run(tmp_path / "table1.csv").output == run("--example", "table1").output
    assert isinstance(run("--example", "table1", "--copy", tmp_path).exception, ConfigError)


def test_copy_alone_writes_an_example_of_each_form_and_says_so(tmp_path):
    result = run("--copy", tmp_path / "new")
    assert result.exit_code == 0
    names = [f"table{number}.{ending}" for number in (1, 2) for ending in ("csv", "toml")]
    assert result.output.splitlines() == [f"wrote {tmp_path / 'new' / name}" for name in names]
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == names
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "table2.toml").write_text("", encoding="utf-8")
    assert isinstance(run("--copy", tmp_path / "part").exception, ConfigError)
    assert len(list((tmp_path / "part").iterdir())) == 1
    refused = run(tmp_path / "new" / "table1.csv", "--copy", tmp_path / "other").exception
    assert isinstance(refused, ConfigError)
    assert not (tmp_path / "other").exists()


def test_a_claim_about_what_is_not_there_is_refused(tmp_path):
    run("--example", "table1", "--copy", tmp_path)
    about = tmp_path / "table1.toml"
    claim = 'kind = "better"\na = "SAGE_9"\nb = "SAGE_1"\nsays = "x"\nwhere = "y"\n'
    about.write_text(f"{about.read_text()}\n[[claims]]\n{claim}", encoding="utf-8")
    with pytest.raises(InputError, match="SAGE_9 vs SAGE_1; the table has no such row"):
        check(tmp_path / "table1.csv")
