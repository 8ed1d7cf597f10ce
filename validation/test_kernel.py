# SPDX-License-Identifier: GPL-2.0-only
"""The model beside the recordings of a running kernel: reported as it is, guarded against decay."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from krcsim.grace_period import CALIBRATED
from krcsim_kernel import picture, recorded, score
from validation import calibrate_gp
from validation.kernel_runs import SETS


@pytest.fixture(scope="module")
def compared() -> list[score.Comparison]:
    conditions = [c for name in SETS for c in recorded.read_conditions(name)]
    found = score.compare_all(conditions, 100)
    print(score.table(found))
    return found


def test_the_number_of_waits_agrees_with_the_kernel(
    compared: list[score.Comparison],
) -> None:
    found = score.score(compared)
    assert found.conditions == 612
    assert found.nontrivial_inside[0] >= 0.95
    assert found.median[0] <= 0.015
    assert abs(found.bias[0]) <= 0.01


def test_the_blocked_time_agrees_with_the_kernel_as_far_as_it_does(
    compared: list[score.Comparison],
) -> None:
    found = score.score(compared)
    assert found.nontrivial_inside[1] >= 0.80
    assert found.median[1] <= 0.02
    assert abs(found.bias[1]) <= 0.02


def test_the_comparison_is_drawn(compared: list[score.Comparison], tmp_path: Path) -> None:
    picture.draw(compared, tmp_path / "kernel_runs.png")
    assert (tmp_path / "kernel_runs.png").stat().st_size > 20_000


def test_the_grace_periods_are_those_of_the_fit() -> None:
    for where, fit in calibrate_gp.fit_all().items():
        scans, size = CALIBRATED[where]
        assert scans == pytest.approx(fit.scans, rel=0.02), where
        assert math.isinf(size) == math.isinf(fit.size), where
