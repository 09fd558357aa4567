"""The statistics that verdicts and benchmark scores are put to: pure functions over counts and arrays, frozen results.

For example:

    sign_test(wins_a=542, wins_b=1103).p
"""

from sage_eval.stats.agreement import Agreement, agreement_of
from sage_eval.stats.clustered import ClusterTest, cluster_interval, cluster_test
from sage_eval.stats.davidson import Game, Games, Outcome, Rating, RatingSettings, rate
from sage_eval.stats.families import Family, adjust, benjamini_hochberg, holm
from sage_eval.stats.flips import FlipTest, flip_test
from sage_eval.stats.grouped import GroupedDifference, grouped_difference
from sage_eval.stats.lengths import LengthAdjusted, length_adjusted
from sage_eval.stats.margins import Equivalence, equivalence, equivalence_of_scores
from sage_eval.stats.netwin import NetWin, WorstCase, net_win, worst_case
from sage_eval.stats.paired import PairedDifference, mcnemar, paired_bootstrap, tango_interval
from sage_eval.stats.power import (
    PowerCurve,
    design_effect,
    detectable_share,
    exact_pairs,
    exact_power,
    formula_pairs,
    pairs_to_judge,
    power_curve,
    share_of_net_win,
)
from sage_eval.stats.sequential import EPath, EProcess, confidence_sequence, e_path, log_e_value, mean_e_path
from sage_eval.stats.signs import Interval, SignTest, exact_interval, sign_test, wilson_interval
from sage_eval.stats.stopping import StoppingTime, stopping_time

__all__ = [
    "Agreement",
    "ClusterTest",
    "EPath",
    "EProcess",
    "Equivalence",
    "Family",
    "FlipTest",
    "Game",
    "Games",
    "GroupedDifference",
    "Interval",
    "LengthAdjusted",
    "NetWin",
    "Outcome",
    "PairedDifference",
    "PowerCurve",
    "Rating",
    "RatingSettings",
    "SignTest",
    "StoppingTime",
    "WorstCase",
    "adjust",
    "agreement_of",
    "benjamini_hochberg",
    "cluster_interval",
    "cluster_test",
    "confidence_sequence",
    "design_effect",
    "detectable_share",
    "e_path",
    "equivalence",
    "equivalence_of_scores",
    "exact_interval",
    "exact_pairs",
    "exact_power",
    "flip_test",
    "formula_pairs",
    "grouped_difference",
    "holm",
    "length_adjusted",
    "log_e_value",
    "mcnemar",
    "mean_e_path",
    "net_win",
    "paired_bootstrap",
    "pairs_to_judge",
    "power_curve",
    "rate",
    "share_of_net_win",
    "sign_test",
    "stopping_time",
    "tango_interval",
    "wilson_interval",
    "worst_case",
]
