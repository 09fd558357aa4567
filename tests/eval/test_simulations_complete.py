"""Nothing is offered without a simulation: each name of `sage_eval.stats`, and the one that shows what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest
import test_simulations_ratings
import test_simulations_stage
import test_simulations_tests

from sage_eval import stats

MODULES = (test_simulations_tests, test_simulations_ratings, test_simulations_stage)
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "statistics" / "figures.py"
RATINGS = (
    "test_intervals_cover_strengths_and_differences",
    "test_equal_models_are_seldom_told_apart",
    "test_a_model_that_holds_is_seldom_rejected",
    "test_a_fit_of_dependent_verdicts_is_seldom_rejected",
)
SIMULATED = {
    "agreement_of": ("test_intervals_cover_agreement",),
    "cluster_interval": ("test_several_rollouts_a_scenario",),
    "cluster_test": ("test_several_rollouts_a_scenario", "test_planned_scenarios_have_their_power"),
    "rate": RATINGS,
    "adjust": ("test_families",),
    "holm": ("test_families",),
    "benjamini_hochberg": ("test_families",),
    "flip_test": ("test_flips_drawn", "test_several_rollouts_a_scenario"),
    "grouped_difference": ("test_documents_in_clusters", "test_documents_in_strata"),
    "length_adjusted": ("test_intervals_cover_the_length_adjusted_share",),
    "equivalence": ("test_equivalence_of_models_at_the_margin",),
    "equivalence_of_scores": ("test_equivalence_of_scores_at_the_margin",),
    "net_win": ("test_net_win_interval", "test_net_win_interval_is_the_score_test_turned_round"),
    "worst_case": ("test_failures_that_favour_one_model",),
    "mcnemar": ("test_mcnemar",),
    "paired_bootstrap": ("test_paired_bootstrap",),
    "tango_interval": ("test_net_win_interval",),
    "design_effect": ("test_planned_scenarios_have_their_power",),
    "detectable_share": ("test_the_least_share_is_shown_as_often_as_said",),
    "exact_pairs": ("test_planned_pairs_have_their_power",),
    "exact_power": ("test_planned_pairs_have_their_power",),
    "formula_pairs": ("test_planned_pairs_have_their_power",),
    "pairs_to_judge": ("test_planned_scenarios_have_their_power",),
    "power_curve": ("test_planned_pairs_have_their_power",),
    "share_of_net_win": ("test_planned_scenarios_have_their_power",),
    "confidence_sequence": ("test_confidence_sequence_covers_at_all_times_at_once",),
    "e_path": ("test_peeking_at_p_against_the_e_value", "test_e_values_of_a_family"),
    "log_e_value": ("test_e_value_looked_at_after_every_pair",),
    "mean_e_path": ("test_e_value_over_scenarios_means",),
    "EProcess": ("test_stopping_times_are_as_predicted",),
    "sign_test": ("test_sign_test", "test_both_orders_as_two_votes_against_one_verdict"),
    "exact_interval": ("test_wilson_and_exact_intervals",),
    "wilson_interval": ("test_wilson_and_exact_intervals",),
    "stopping_time": ("test_stopping_times_are_as_predicted",),
}
MATERIAL = {"Game", "Games", "Interval", "Outcome", "RatingSettings"}
"""What goes in or is part of a result: nothing is promised of it."""


def test_every_test_and_interval_has_its_simulation():
    results = {name for name in stats.__all__ if name[0].isupper() and name not in ("EProcess", *MATERIAL)}
    assert set(SIMULATED) == set(stats.__all__) - MATERIAL - results
    simulations = {name for module in MODULES for name in vars(module) if name.startswith("test_")}
    assert {name for names in SIMULATED.values() for name in names} <= simulations


@pytest.mark.slow
def test_the_script_tabulates_what_the_simulations_note(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "-k", "test_sign_test and 12", "--csv", str(tmp_path / "figures.csv")],
        capture_output=True, text=True, check=True, cwd=SCRIPT.parents[2],
    )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("sign test")]
    # Two wins of 12 are the most at which p is below .05: 2 (1 + 12 + 66) / 4096.
    assert line.split() == ["sign", "test", "n=12", "false", "positives", "3.9%", "5%", "counted", "-"]
    written = (tmp_path / "figures.csv").read_text().splitlines()
    assert written[1] == "sign test,n=12,false_positives,0.0386,0.05,,"


@pytest.mark.parametrize("module", MODULES)
def test_simulations_stay_out_of_the_quick_run(module):
    assert module.pytestmark.name == "slow"
