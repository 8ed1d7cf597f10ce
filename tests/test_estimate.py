# SPDX-License-Identifier: GPL-2.0-only
"""Intervals cover what they promise, and nothing seen is a bound, never a zero."""

from __future__ import annotations

import numpy as np
import pytest

from krcsim.estimate import NOTHING, Estimate, between, difference, mean, quantile, ratio, unseen


def test_intervals_of_clustered_ratios_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(1000):
        den = rng.poisson(100, 64).astype(float)
        num = rng.poisson(rng.gamma(2.0, 0.05, 64) * den).astype(float)  # waits in clusters
        e = ratio(num, den)
        assert e.lo is not None
        assert e.hi is not None
        covered += e.lo <= 0.1 <= e.hi
    assert 930 <= covered <= 970


def test_a_handful_of_replications_with_events_is_called_rough() -> None:
    num = np.zeros(64)
    num[:3] = 5.0
    assert ratio(num, np.full(64, 100.0)).kind == "rough"


def test_nothing_seen_has_no_ratio() -> None:
    assert ratio(np.zeros(64), np.full(64, 100.0)).kind == "none"


def test_the_bound_of_the_unseen_is_missed_by_one_in_twenty() -> None:
    rng = np.random.default_rng(8)
    bound = unseen(100).hi
    assert bound is not None
    unlucky = np.mean(rng.binomial(100, bound, 100_000) == 0)
    assert unlucky == pytest.approx(0.05, abs=0.003)


def test_the_bound_scales_with_the_share_of_calls_that_can_wait() -> None:
    whole, half = unseen(100), unseen(100, 0.5)
    assert half.hi == pytest.approx((whole.hi or 0) / 2)


def test_runs_that_never_differ_give_no_interval_of_how_they_differ() -> None:
    x, n = np.arange(10.0), np.full(10, 50.0)
    assert difference(x, n, x, n) is None


def test_two_remedies_that_seldom_differ_are_not_told_apart_by_the_runs_in_which_they_agree() -> None:
    """Most samples hold none of the runs that differ, and are sure of a difference of 0: it is not 0."""
    rng = np.random.default_rng(10)
    calls = np.full(64, 1000.0)
    truth = 0.03 * 10.0 / 1000.0
    agree, alone, covered = 0, 0, 0
    for _ in range(400):
        shared = rng.poisson(30.0, 64).astype(float)
        more = shared + 10.0 * (rng.random(64) < 0.03)
        agree += bool((more == shared).all())
        d = difference(more, calls, shared, calls)
        alone += d is not None
        d = d or between(ratio(more, calls), ratio(shared, calls))
        assert d is not None
        covered += d.lo <= truth <= d.hi
    assert agree > 40
    assert alone < 4
    assert covered >= 380


def test_a_difference_is_that_of_the_two_values_though_one_has_more_runs() -> None:
    rng = np.random.default_rng(11)
    a, b = rng.poisson(50, 256).astype(float), rng.poisson(70, 32).astype(float)
    n, n0 = np.full(256, 1000.0), np.full(32, 1000.0)
    d = difference(a, n, b, n0)
    assert d is not None
    assert d.value == pytest.approx((ratio(a, n).value or 0) - (ratio(b, n0).value or 0))


def test_a_difference_from_something_only_bounded_holds_all_that_the_bound_allows() -> None:
    d = between(Estimate(None, 0.0, 0.003, "bound"), Estimate(0.01, 0.008, 0.012, "interval"))
    assert d is not None
    assert (d.value, d.lo, d.hi) == (None, -0.012, pytest.approx(-0.005))


def test_what_has_no_interval_has_no_difference() -> None:
    known, bound = Estimate(0.01, 0.008, 0.012, "interval"), Estimate(None, 0.0, 0.003, "bound")
    assert between(bound, bound) is None
    assert between(known, Estimate(0.01, None, None, "rough")) is None
    assert between(NOTHING, known) is None


def test_pairing_saves_what_the_worlds_have_in_common() -> None:
    rng = np.random.default_rng(9)
    world = rng.poisson(50, 400).astype(float)
    n = np.full(400, 1000.0)
    d = difference(world + rng.poisson(5, 400), n, world + rng.poisson(5, 400), n)
    assert d is not None
    assert 0.85 < d.pairing_saves < 0.95
    assert d.lo <= 0 <= d.hi


def test_a_mean_of_one_replication_has_no_interval() -> None:
    assert mean(np.array([3.0])).lo is None


def test_a_quantile_lies_in_the_bin_of_its_rank() -> None:
    edges = 2.0 ** np.arange(6)
    hist = np.tile(np.array([0, 10, 80, 10, 0]), (8, 1))
    e = quantile(hist, edges, 0.5, np.zeros(8), 0.0)
    assert e.value is not None
    assert 4.0 <= e.value <= 8.0


def test_calls_that_never_wait_put_the_quantile_at_the_floor() -> None:
    edges = 2.0 ** np.arange(6)
    hist = np.zeros((8, 5), int)
    hist[:, 2] = 1
    assert quantile(hist, edges, 0.5, np.full(8, 1000.0), 0.25).value == 0.25
