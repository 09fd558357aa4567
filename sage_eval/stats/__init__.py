"""The statistics that verdicts and benchmark scores are put to: pure functions over counts and arrays, frozen results.

For example:

    sign_test(wins_a=542, wins_b=1103).p
"""

from sage_eval.stats.families import holm
from sage_eval.stats.paired import PairedDifference, mcnemar, paired_bootstrap, tango_interval
from sage_eval.stats.signs import Interval, SignTest, exact_interval, sign_test, wilson_interval

__all__ = [
    "Interval",
    "PairedDifference",
    "SignTest",
    "exact_interval",
    "holm",
    "mcnemar",
    "paired_bootstrap",
    "sign_test",
    "tango_interval",
    "wilson_interval",
]
