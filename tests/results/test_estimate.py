# SPDX-License-Identifier: GPL-2.0-only
"""Intervals cover what they promise, and nothing seen is a bound, never a zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.results.estimate import (
    NOTHING,
    Estimate,
    between,
    difference,
    effective,
    mean,
    quantile,
    ratio,
    share,
    unseen,
)


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


def test_an_interval_does_not_shrink_because_few_replications_agree_by_chance() -> None:
    """Few long episodes: mostly one or two of 16 replications hold all calls that could wait, and
    agree by chance.
    """
    rng = np.random.default_rng(10)
    given = missed = 0
    for _ in range(2000):
        den = rng.poisson(100, 16) * rng.binomial(1, 0.15, 16).astype(float)
        e = ratio(rng.binomial(den.astype(int), 0.1 * rng.gamma(4.0, 0.25, 16)).astype(float), den)
        if e.lo is not None and e.hi is not None:
            given += 1
            missed += not e.lo <= 0.1 <= e.hi
    assert given > 500
    assert missed < 0.06 * given


def test_one_replication_that_holds_everything_gives_a_number_without_an_interval() -> None:
    num, den = np.zeros(64), np.zeros(64)
    num[3], den[3] = 5.0, 100.0
    assert ratio(num, den) == Estimate(0.05, None, None, "rough")


def test_replications_that_agree_to_the_digit_are_no_interval_of_no_width() -> None:
    assert ratio(np.full(64, 12.0), np.full(64, 1.0)) == Estimate(12.0, None, None, "rough")
    assert mean(np.full(8, 3.0)) == Estimate(3.0, None, None, "rough")


def test_an_interval_that_reaches_far_is_called_rough() -> None:
    num = np.zeros(64)
    num[:3] = 5.0
    e = ratio(num, np.full(64, 100.0))
    assert e.kind == "rough"
    assert (e.hi or 0.0) > 10 * (e.value or 0.0)


def test_nothing_seen_has_no_ratio() -> None:
    assert ratio(np.zeros(64), np.full(64, 100.0)).kind == "none"


@given(st.lists(st.floats(0.0, 1e6) | st.floats(1e-300, 1e-200), min_size=1, max_size=40))
def test_terms_are_worth_between_one_and_all_of_them(terms: list[float]) -> None:
    worth = effective(np.array(terms))
    if max(terms) > 0:
        assert 1.0 - 1e-9 <= worth <= len(terms) * (1 + 1e-9)
    else:
        assert worth == 0.0


def test_what_is_nearly_all_has_the_interval_of_what_is_missing() -> None:
    den = np.full(32, 100.0)
    missing = np.tile([0.0, 1.0, 2.0, 1.0], 8)
    e, rest = share(den - missing, den, 32), ratio(missing, den, is_share=True)
    assert (e.value, e.lo, e.hi) == (1 - (rest.value or 0), 1 - (rest.hi or 0), 1 - (rest.lo or 0))


def test_all_seen_leaves_open_what_so_many_units_cannot_tell() -> None:
    e = share(np.full(32, 5.0), np.full(32, 5.0), 32)
    assert (e.value, e.hi) == (1.0, 1.0)
    assert e.lo == pytest.approx(0.001 ** (1 / 32))


def test_units_without_a_call_say_nothing() -> None:
    assert share(np.zeros(8), np.zeros(8), 0.0).kind == "none"
    assert unseen(0.0).kind == "none"


def test_a_bound_is_below_the_truth_in_one_of_a_thousand_that_see_nothing_or_something() -> None:
    rng = np.random.default_rng(8)
    bound = unseen(100).hi
    assert bound is not None
    unlucky = np.mean(rng.binomial(100, bound, 1_000_000) == 0)
    assert unlucky == pytest.approx(0.001, abs=0.0002)


def test_the_bound_scales_with_the_share_of_calls_that_can_wait() -> None:
    whole, half = unseen(100), unseen(100, 0.5)
    assert half.hi == pytest.approx((whole.hi or 0) / 2)


def test_replications_that_never_differ_do_not_say_how_rarely_others_would() -> None:
    x, n = np.arange(10.0), np.full(10, 50.0)
    assert difference(x, n, x, n) is None


def test_a_difference_that_few_replications_make_is_covered() -> None:
    """A remedy saves waits in one replication of six, and then many."""
    rng = np.random.default_rng(11)
    missed = 0
    for _ in range(1000):
        without = rng.poisson(40, 32) * rng.binomial(1, 1 / 6, 32).astype(float)
        d = difference(np.zeros(32) + 1.0, np.full(32, 1000.0), without + 1.0, np.full(32, 1000.0))
        truth = -40 / 6 / 1000
        missed += d is not None and not d.lo <= truth <= d.hi
    assert missed <= 60


def test_two_remedies_that_seldom_differ_are_not_told_apart_by_the_runs_in_which_they_agree() -> (
    None
):
    """Most samples hold none of the runs that differ, and are sure of a difference of 0: it is not
    0.
    """
    rng = np.random.default_rng(10)
    calls = np.full(64, 1000.0)
    truth = 0.03 * 10.0 / 1000.0
    agree, covered = 0, 0
    for _ in range(400):
        shared = rng.poisson(30.0, 64).astype(float)
        more = shared + 10.0 * (rng.random(64) < 0.03)
        agree += bool((more == shared).all())
        d = difference(more, calls, shared, calls)
        d = d or between(ratio(more, calls), ratio(shared, calls))
        assert d is not None
        covered += d.lo <= truth <= d.hi
    assert agree > 40
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


def test_what_differs_much_between_replications_has_no_limit_below_zero() -> None:
    e = mean(np.array([1.0, 0.0, 0.0, 9.0, 1.0, 0.0, 3.0, 2.0]))
    assert (e.lo or 0.0) > 0.0
    assert mean(np.zeros(8)).kind == "none"


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


def test_the_interval_of_a_quantile_holds_the_truth() -> None:
    """Times in clusters: replications differ in how long their times are."""
    rng = np.random.default_rng(12)
    edges = 2.0 ** (np.arange(0, 161) / 16.0)
    true = float(
        np.quantile(rng.lognormal(3.0, 0.3, 400_000) * rng.gamma(9.0, 1 / 9, 400_000), 0.5)
    )
    given_ = missed = 0
    for _ in range(300):
        times = rng.lognormal(3.0, 0.3, (16, 30)) * rng.gamma(9.0, 1 / 9, (16, 1))
        hist = np.array([np.histogram(row, edges)[0] for row in times])
        e = quantile(hist, edges, 0.5, np.zeros(16), 0.0)
        if e.lo is not None and e.hi is not None:
            given_ += 1
            missed += not e.lo <= true <= e.hi
    assert given_ > 250
    assert missed <= 0.06 * given_


def test_a_tail_that_nobody_reached_has_no_upper_limit() -> None:
    edges = 2.0 ** np.arange(6)
    hist = np.zeros((8, 5), int)
    hist[:, 2] = 10
    assert quantile(hist, edges, 0.99, np.zeros(8), 0.0).hi is None
