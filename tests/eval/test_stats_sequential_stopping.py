"""When the e-value stops: every path, a simulation, and the figures for the paper's win shares."""

from itertools import product

import numpy as np
import pytest
from scipy.special import betaln

from sage_eval.stats import log_e_value, stopping_time


def slow(share, most, threshold):
    """Mean stopping time and chance of stopping, over every way that `most` pairs can go."""
    mean = reached = 0.0
    for way in product((0, 1), repeat=most):
        chance = share ** sum(way) * (1 - share) ** (most - sum(way))
        wins = np.cumsum(way)
        times = [n for n in range(1, most + 1) if log_e_value(int(n - wins[n - 1]), int(wins[n - 1])) >= threshold]
        mean += chance * (times[0] if times else most)
        reached += chance * bool(times)
    return mean, reached


@pytest.mark.parametrize(("share", "alpha"), [(0.5, 0.2), (0.7, 0.2), (0.9, 0.05)])
def test_against_every_path(share, alpha):
    found = stopping_time(share, alpha=alpha, most=11)
    assert (found.mean, found.reached) == pytest.approx(slow(share, 11, np.log(1 / alpha)))


def simulated(share, runs, most, seed):
    rng = np.random.default_rng(seed)
    wins = np.cumsum(rng.random((runs, most)) < share, axis=1)
    n = np.arange(1, most + 1)
    over = betaln(1 + wins, 1 + n - wins) + n * np.log(2) >= np.log(20)
    return np.where(over.any(axis=1), over.argmax(axis=1) + 1, most)


@pytest.mark.parametrize(("share", "mean", "median"), [(0.5835, 356.7, 314), (0.67, 76.8, 66)])
def test_the_papers_win_shares(share, mean, median):
    # 964 of 1652 and 1103 of 1645 decisive pairs: .5835 and .67. The paper judged all of them.
    found = stopping_time(share)
    assert found.mean == pytest.approx(mean, abs=0.1)
    assert found.quantiles[1] == median
    assert found.reached == pytest.approx(1.0)
    times = simulated(share, 1500, 2000, seed=1)
    assert found.mean == pytest.approx(times.mean(), abs=4 * times.std() / np.sqrt(1500))
    assert found.mean < 1650 / 4


def test_equal_models_are_called_different_less_often_than_alpha():
    found = stopping_time(0.5, most=1650)
    assert found.reached == pytest.approx(0.0367, abs=1e-4)
    assert found.wrong == pytest.approx(found.reached / 2)
    assert stopping_time(0.5, most=20_000).reached < 0.05
    assert stopping_time(0.5, family_size=5, most=1650).reached < 0.01


def test_exchanging_the_models_changes_nothing():
    one, other = stopping_time(0.6), stopping_time(0.4)
    assert one.mean == pytest.approx(other.mean)
    assert one.quantiles == other.quantiles
    assert one.wrong == pytest.approx(other.wrong)


def test_a_larger_lead_or_a_smaller_family_stops_sooner():
    means = [stopping_time(share, most=3000).mean for share in (0.52, 0.55, 0.6, 0.7, 0.9, 1.0)]
    assert means == sorted(means, reverse=True)
    assert means[-1] == 8
    assert stopping_time(0.6).mean < stopping_time(0.6, family_size=8).mean


def test_where_it_cannot_stop_in_time_it_says_so():
    found = stopping_time(0.6, most=5)
    assert (found.reached, found.mean, found.quantiles, found.n) == (0.0, 5.0, (None, None, None), 5)


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"alpha": 0.0}, {"most": 0}, {"family_size": 0}])
def test_refuses_what_has_no_meaning(wrong):
    with pytest.raises(ValueError, match=r"share|alpha|most|family"):
        stopping_time(**({"share": 0.6} | wrong))
