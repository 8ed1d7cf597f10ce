# SPDX-License-Identifier: GPL-2.0-only
"""What the harness counts and what the model counts under the same name are the same things."""

from __future__ import annotations

import pytest

from krcsim.guest.recorded_scenario import scenario_of
from krcsim.guest.recordings import Condition, read_conditions
from krcsim.model.scenario_file import data_folder
from krcsim.runs.replications import replicate

KINDS = read_conditions("kinds", data_folder() / "kernel-6.1")
CONDITIONS = [c for c in KINDS if c.label.endswith("/double")]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.label)
def test_calls_of_both_kinds_under_pressure_are_as_many_as_in_the_kernel(
    condition: Condition,
) -> None:
    n = len(condition.runs)
    runs = replicate(scenario_of(condition), 1, 0, 10 * n)
    model = runs.of("single_episode", 1).mean() + runs.of("double_episode", 1).mean()
    assert runs.of("double_episode", 1).mean() == pytest.approx(0.5 * model, rel=0.1)
    assert model == pytest.approx(sum(run.of("calls_on") for run in condition.runs) / n, rel=0.06)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.label)
def test_the_harness_has_the_drain_after_the_end_as_well(condition: Condition) -> None:
    """Each of its monitors queued something here, for none found both batches busy."""
    n = len(condition.runs)
    runs = replicate(scenario_of(condition), 1, 0, 10 * n)
    model = runs.of("drains", 1).mean() + runs.of("drains_due", 1).mean()
    kernel = sum(run.of("mon") for run in condition.runs) / n
    assert sum(run.of("mon_repeat") for run in condition.runs) == 0
    assert abs(model - kernel) < 0.5 + 0.01 * kernel
