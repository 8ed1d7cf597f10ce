# SPDX-License-Identifier: GPL-2.0-only
"""Probabilities as counts: as people say them, and never more than is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.results.counts import bounded, count, estimated, percent, share, span, times
from krcsim.results.estimate import NOTHING, Estimate, exact, order_of_magnitude
from tests.results.sentences import number

ONE = "1 call"


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "no call"),
        (1 / 1932, "1 call in 1,930"),
        (1 / 64968, "1 call in 65,000"),
        (1e-6, "1 call in a million"),
        (3.85e-8, "1 call in 26 million"),
        (1e-10, "1 call in 10 billion"),
        (2 / 3, "2 calls in 3"),
        (0.5, "1 call in 2"),
        (0.06, "6 calls in 100"),
        (0.97, "97 calls in 100"),
        (0.998, "all but 1 call in 500"),
        (1.0, "every call"),
    ],
)
def test_a_probability_is_a_count(p: float, words: str) -> None:
    assert share(p).words == words
    assert share(p).is_plural == ("calls" in words or "all but" in words)
    assert "call" not in share(p, "").words


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(5.2e-4, 4.8e-4, 5.6e-4, "interval"), "1 call in 1,920 (1,780 to 2,090)"),
        (
            Estimate(3.1e-7, 2.3e-7, 4.7e-7, "interval"),
            "1 call in 3.2 million (2.1 to 4.4 million)",
        ),
        (Estimate(0.665, 0.602, 0.714, "interval"), "2 calls in 3 (60 to 72 in 100)"),
        (Estimate(0.57, 0.5, 0.64, "interval"), "57 calls in 100 (50 to 64)"),
        (Estimate(1.0, 0.97, 1.0, "interval"), "every call (at least 97 in 100)"),
        (order_of_magnitude(1.1e-10), "about 1 call in 9 billion (order of magnitude)"),
        (Estimate(None, 0.0, 4.1e-7, "bound"), "fewer than 1 call in 2.4 million"),
        (Estimate(None, 0.0, 0.12, "bound"), "fewer than 12 calls in 100"),
        (Estimate(None, 0.0, 1.9e-21, "bound"), "fewer than 1 call in a trillion"),
        (Estimate(None, 0.0, 1.0, "bound"), "an unknown share of calls"),
        (exact(1e-300), "fewer than 1 call in a trillion"),
    ],
)
def test_an_estimate_says_what_it_is(estimate: Estimate, words: str) -> None:
    assert estimated(estimate).words == words


def test_what_is_not_known_has_no_count() -> None:
    with pytest.raises(ValueError, match="no number"):
        estimated(NOTHING)


@given(st.floats(1.0, 1e14))
def test_a_count_is_near_and_rounded_the_way_it_was_asked(n: float) -> None:
    assert math.isclose(number(count(n)), n, rel_tol=0.51 if n < 10 else 0.052)
    assert number(count(n, math.floor)) <= n * (1 + 1e-8)
    assert number(count(n, math.ceil)) >= n * (1 - 1e-8)


@given(st.floats(1e-12, 0.98))
def test_a_bound_claims_no_more_than_it_holds(most: float) -> None:
    words = bounded(most).words.replace("calls", "call")
    part, of = words.removeprefix("fewer than ").split(" call in ")
    assert most <= number(part) / number(of) * (1 + 1e-9)


@given(st.floats(20.0, 1e11), st.floats(1.01, 900.0))
def test_a_span_holds_its_ends(low: float, wide: float) -> None:
    first, last = span(low, low * wide).split(" to ")
    unit = last.partition(" ")[2]
    if unit and " " not in first and first != "a" and number(first) < number(last.split()[0]):
        first = f"{first} {unit}"
    assert number(first) <= low * (1 + 1e-8)
    assert number(last) >= low * wide * (1 - 1e-8)


def test_times_and_parts_have_two_digits() -> None:
    assert [times(x) for x in (2.04, 9.96, 33.6, 2449.0)] == ["2", "10", "34", "2,400"]
    assert [percent(x) for x in (0.004, 0.12, 0.96)] == ["0.4 %", "12 %", "96 %"]
