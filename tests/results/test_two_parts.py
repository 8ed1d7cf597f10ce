# SPDX-License-Identifier: GPL-2.0-only
"""An interval of two parts: chance in the simulation, and what a recording does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from krcsim.results.estimate import NOTHING, Estimate, exact
from krcsim.results.two_parts import after, combined, combined_difference

BOUND = Estimate(None, 0.0, 1e-3, "bound")


def around(value: float, error: float) -> Estimate:
    """A value with the 95 % interval of that standard error of its logarithm."""
    far = math.exp(1.96 * error)
    return Estimate(value, value / far, value * far, "interval")


def drawn(spread: float, error: float, count: int = 20, seed: int = 1) -> list[Estimate]:
    """Draws whose answers differ so much, each with that chance besides."""
    random = np.random.default_rng(seed)
    logs = spread * random.normal(size=count) + error * random.normal(size=count)
    return [around(0.01 * math.exp(one), error) for one in logs]


def test_draws_that_differ_by_chance_alone_leave_nothing_to_the_recording() -> None:
    shares = [combined(NOTHING, drawn(0.0, 0.1, seed=seed)).recording for seed in range(50)]
    assert np.mean([share or 0.0 for share in shares]) < 0.15


def test_the_share_of_the_recording_is_that_of_the_variance() -> None:
    shares = [combined(NOTHING, drawn(0.2, 0.1, 50, seed)).recording for seed in range(50)]
    assert np.mean([share or 0.0 for share in shares]) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("lopsided", [False, True])
def test_the_interval_holds_one_more_draw(lopsided: bool) -> None:
    """In 19 of 20 cases, whether the law of the draws has a long tail or not."""
    random = np.random.default_rng(2)
    held = 0
    for _ in range(500):
        logs = np.log(random.exponential(size=21)) if lopsided else random.normal(size=21)
        values = 1e-3 * np.exp(logs)
        whole = combined(NOTHING, [around(float(x), 0.01) for x in values[:20]]).whole
        assert whole.lo is not None
        assert whole.hi is not None
        held += whole.lo <= values[20] <= whole.hi
    assert held >= 460


def test_where_some_draws_saw_nothing_the_interval_begins_at_0() -> None:
    parts = combined(around(0.01, 0.1), [*drawn(0.2, 0.1, 15), *[BOUND] * 5])
    assert parts.whole.lo == 0.0
    assert parts.whole.kind == "rough"
    assert parts.seen == 15


def test_where_most_draws_saw_nothing_there_is_a_bound_that_all_of_them_allow() -> None:
    whole = combined(BOUND, [*drawn(0.2, 0.1, 5), *[BOUND] * 15]).whole
    assert (whole.kind, whole.value) == ("bound", None)
    assert whole.hi is not None
    assert whole.hi >= 0.01


def test_what_no_draw_changes_stays_as_it_is() -> None:
    assert combined(exact(4096.0), [exact(4096.0)] * 20).whole == exact(4096.0)
    assert combined(exact(0.0), [exact(0.0)] * 20).whole == exact(0.0)


def test_a_share_near_1_stays_below_it() -> None:
    estimates = [
        Estimate(1.0 - e.value, 1.0 - (e.hi or 0.0), 1.0 - (e.lo or 0.0), "interval")
        for e in drawn(0.5, 0.1)
        if e.value is not None
    ]
    parts = combined(estimates[0], estimates, is_probability=True)
    assert parts.whole.lo is not None
    assert parts.whole.value is not None
    assert parts.whole.hi is not None
    assert 0.9 < parts.whole.lo < parts.whole.value < parts.whole.hi < 1.0
    assert parts.fitted == estimates[0]


def test_all_of_all_draws_is_not_said_to_be_certain() -> None:
    everything = Estimate(1.0, 0.98, 1.0, "interval")
    whole = combined(everything, [everything] * 20, is_probability=True).whole
    assert whole.value == whole.hi == 1.0
    assert whole.lo == pytest.approx(0.98)


def test_where_few_draws_have_an_answer_the_fitted_one_is_an_order_of_magnitude() -> None:
    few = [*drawn(0.1, 0.1, 4), *[NOTHING] * 16]
    assert combined(around(0.1, 0.1), few).whole == Estimate(0.1, None, None, "rough")
    assert combined(NOTHING, few).whole == NOTHING


def test_a_longer_recording_leaves_the_chance_of_the_simulation() -> None:
    parts = combined(NOTHING, drawn(0.2, 0.1, 50))
    assert parts.recording is not None
    assert after(parts, 1.0) == 1.0
    assert after(parts, 1e9) == pytest.approx(math.sqrt(1.0 - parts.recording))


def test_a_difference_of_the_same_sign_in_all_draws_keeps_it() -> None:
    found = combined_difference([-0.1, -0.2, -0.05, -0.4, -0.1, -0.3, -0.2, -0.1], 0.5)
    assert found is not None
    assert found.value is not None
    assert found.lo < found.value < found.hi < 0.0


def test_a_difference_of_both_signs_holds_0() -> None:
    found = combined_difference([-0.1, 0.2, -0.05, 0.4, -0.1, 0.3, -0.2, 0.1], 0.5)
    assert found is not None
    assert found.lo < 0.0 < found.hi


@pytest.mark.parametrize("differences", [[], [0.1] * 5, [0.0] * 20])
def test_of_too_few_differences_nothing_is_said(differences: list[float]) -> None:
    assert combined_difference(differences, 0.5) is None
