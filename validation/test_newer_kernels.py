# SPDX-License-Identifier: GPL-2.0-only
"""The model against recordings of newer kernels: the bars that it has to meet."""

from __future__ import annotations

import pytest

from krcsim.guest.mainline.series import SERIES
from validation import newer_kernels
from validation.newer_recordings import Condition, conditions

pytestmark = pytest.mark.slow

# The least share of non-trivial runs inside the model's 95 % interval for one run.
BARS = {"6.1": 0.95, "6.12": 0.95, "7.2": 0.90, "7.3": 0.90}
MEDIAN = 0.03  # relative error
FACTOR = 2.0  # where memory really runs out
MOST_REFILLS = 3  # of a run, while the back-off holds


@pytest.fixture(scope="module", params=SERIES)
def compared(request: pytest.FixtureRequest) -> list[newer_kernels.Compared]:
    """One CPU and made failures, on one kernel."""
    found = [c for c in conditions(request.param) if newer_kernels.is_scored(c)]
    return newer_kernels.compare_all(found)


def test_waits_pages_drains_and_refills_lie_in_the_interval_of_the_model(
    compared: list[newer_kernels.Compared],
) -> None:
    print(newer_kernels.table(compared))
    bar = BARS[compared[0].condition.series.name]
    found = newer_kernels.score(newer_kernels.scored(compared))
    assert found.runs >= 600
    assert found.runs_inside >= bar


def test_the_half_on_which_nothing_was_chosen_agrees_as_well(
    compared: list[newer_kernels.Compared],
) -> None:
    other = [c for c in newer_kernels.scored(compared) if not c.condition.is_chosen]
    assert newer_kernels.score(other).runs_inside >= BARS[compared[0].condition.series.name]


def test_the_median_error_is_small(compared: list[newer_kernels.Compared]) -> None:
    assert newer_kernels.score(newer_kernels.scored(compared)).median <= MEDIAN


def _of_set(name: str) -> list[Condition]:
    return [c for series in SERIES for c in conditions(series) if c.set == name]


@pytest.mark.parametrize("condition", _of_set("drains"), ids=lambda c: f"{c.series.name} {c.label}")
def test_light_traffic_is_drained_at_the_same_tick(condition: Condition) -> None:
    kernel, model = newer_kernels.drain_ticks(condition)
    assert kernel == model


@pytest.mark.parametrize("condition", _of_set("real"), ids=lambda c: f"{c.series.name} {c.label}")
def test_where_memory_runs_out_waits_are_within_a_factor_of_two(condition: Condition) -> None:
    found = {one.quantity.name: one.answer for one in newer_kernels.compare(condition)}
    waits = found["waits"]
    inside = waits.inside
    assert inside or waits.measured / FACTOR <= waits.predicted <= waits.measured * FACTOR
    assert found["refills"].predicted <= max(MOST_REFILLS, found["refills"].measured * FACTOR)
