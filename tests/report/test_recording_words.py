# SPDX-License-Identifier: GPL-2.0-only
"""The two parts of an interval in sentences that say what to do."""

from __future__ import annotations

import pytest

from krcsim.report.recording_words import advice, two_parts
from krcsim.results.estimate import Estimate
from krcsim.results.two_parts import Parts

WHOLE = Estimate(0.01, 0.005, 0.02, "interval")
FITTED = Estimate(0.011, 0.010, 0.012, "interval")


def parts(recording: float | None, seen: int = 20) -> Parts:
    return Parts(WHOLE, FITTED, recording, 20, seen)


def test_both_parts_add_up() -> None:
    said = two_parts(parts(0.8))
    assert "80 % is what the recording does not know, 20 % chance in the simulation" in said
    assert "The fitted scenario alone has 0.011 [0.01, 0.012]." in said


def test_draws_that_saw_nothing_are_counted() -> None:
    assert "5 of the 20 draws saw none" in two_parts(parts(0.8, seen=15))


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        (1.0, "A recording ten times longer would leave 32 % of the interval's width."),
        (0.8, "A recording ten times longer would leave 53 % of the interval's width."),
        (0.2, "More replications make the interval narrower (a smaller precision)."),
        (None, ""),
    ],
)
def test_the_larger_part_says_what_helps(recording: float | None, said: str) -> None:
    assert advice(parts(recording)) == said


def test_where_the_parts_are_not_known_the_fitted_scenario_is_all() -> None:
    assert two_parts(parts(None)) == "The fitted scenario alone has 0.011 [0.01, 0.012]."
