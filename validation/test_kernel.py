# SPDX-License-Identifier: GPL-2.0-only
"""The model beside the recordings of a running kernel: reported as it is, guarded against decay."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from krcsim.grace_period import CALIBRATED
from krcsim_kernel import picture, score
from validation import calibrate_gp, kernel_runs


@pytest.fixture(scope="module")
def compared() -> list[score.Comparison]:
    found = score.compare_all(kernel_runs.conditions(kernel_runs.FITTED), 100)
    print(score.table(found))
    return found


def test_the_number_of_waits_agrees_with_the_kernel(compared: list[score.Comparison]) -> None:
    found = score.score(compared)
    assert found.conditions == 612
    assert found.inside[0] >= 0.98
    assert found.nontrivial_inside[0] >= 0.97
    assert found.median[0] <= 0.015
    assert found.p90[0] <= 0.06
    assert found.width_ratio[0] <= 2.0


def test_the_blocked_time_agrees_with_the_kernel(compared: list[score.Comparison]) -> None:
    found = score.score(compared)
    assert found.inside[1] >= 0.97
    assert found.nontrivial_inside[1] >= 0.96
    assert found.median[1] <= 0.01
    assert found.p90[1] <= 0.06
    assert found.width_ratio[1] <= 2.0


def test_conditions_that_nothing_was_fitted_to_agree_as_far_as_they_do() -> None:
    # Below the bar of the fitted ones: data/kernel-6.1/README.md names the families that miss.
    found = score.score(score.compare_all(kernel_runs.conditions(kernel_runs.CONFIRMED), 100))
    assert min(found.inside) >= 0.83
    assert max(found.median) <= 0.015
    assert max(found.p90) <= 0.08


def test_long_readers_hold_up_grace_periods_as_in_the_kernel() -> None:
    found = score.score(score.compare_all(kernel_runs.conditions(kernel_runs.READERS), 100))
    assert min(found.nontrivial_inside) >= 0.9


def test_several_cpus_wait_as_often_as_in_the_kernel() -> None:
    found = score.compare_all(kernel_runs.conditions(kernel_runs.CPUS), 40)
    many = [c for c in found if c.condition.waits >= score.ENOUGH_WAITS]
    assert len(many) >= 20
    assert all(1 / 1.5 <= c.p_wait.predicted / c.p_wait.measured <= 1.5 for c in many)


def test_each_physical_detail_buys_something() -> None:
    found = kernel_runs.conditions(("pool",))
    lines = kernel_runs.ablation(found, 20).splitlines()[1:]
    inside = {line[:36].strip(): float(line[36:].split()[0]) for line in lines}
    assert inside.pop("all rules") >= max(inside.values())
    assert inside["a wait does not block the caller"] < 50


def test_the_comparison_is_drawn(compared: list[score.Comparison], tmp_path: Path) -> None:
    picture.draw(compared, tmp_path / "kernel_runs.png")
    assert (tmp_path / "kernel_runs.png").stat().st_size > 20_000


def test_the_grace_periods_are_those_of_the_fit() -> None:
    for where, fit in calibrate_gp.fit_all().items():
        scans, size = CALIBRATED[where]
        assert scans == pytest.approx(fit.scans, rel=0.02), where
        assert math.isinf(size) == math.isinf(fit.size), where
