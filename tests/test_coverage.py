# SPDX-License-Identifier: GPL-2.0-only
"""Intervals and bounds hold as often as they say, in two worlds where few replications see
anything.

The whole study is `python -m validation.coverage`; its tables stand in docs/methods.md.
"""

from __future__ import annotations

import numpy as np
import pytest

import krcsim
from krcsim.results.quantities import answers
from krcsim.runs.replications import replicate
from validation.coverage import DOCUMENT, Cell, cells, few_calls, judged, worlds, written

ASKED = ("p_wait", "p_wait_episode", "p_episode", "blocked", "wait_ms", "list_share", "calls_hz")


@pytest.fixture(scope="module")
def found() -> list[Cell]:
    chosen = {name: worlds()[name] for name in ("few calls", "seldom on")}
    return [
        cell
        for name, scenario in chosen.items()
        for cell in cells(name, scenario, seeds=60, counts=(8, 64), asked=ASKED, workers=1)
    ]


def test_no_bound_is_below_the_truth(found: list[Cell]) -> None:
    bounds = [cell for cell in found if cell.kind == "bound"]
    assert sum(cell.answers for cell in bounds) > 200
    assert sum(cell.below for cell in bounds) == 0


@pytest.mark.parametrize("kind", ["interval", "rough"])
def test_intervals_hold_together_as_often_as_they_say(found: list[Cell], kind: str) -> None:
    those = [cell for cell in found if cell.kind == kind]
    answers_ = sum(cell.answers for cell in those)
    missed = sum(cell.below + cell.above for cell in those)
    assert answers_ > 250
    assert missed <= 0.07 * answers_


def test_an_interval_has_some_width(found: list[Cell]) -> None:
    assert all(cell.width > 0.0 for cell in found)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_without_a_call_under_pressure_nothing_is_said_about_waits(count: int) -> None:
    world = krcsim.changed(few_calls(), **{"workload.rate_hz": 0.001})
    for seed in range(20):
        runs = replicate(world, seed, 0, count)
        for window in (0, 1):
            if runs.of("single_episode", window).sum() == 0:
                found = answers(runs, world, window, ("p_wait", "p_wait_episode"))
                assert {e.kind for e in found.values()} == {"none"}


def test_a_bound_below_the_truth_is_counted() -> None:
    """The judge itself: it must be able to find fault."""
    (cell,) = judged("p_wait", 8, "none", "steady", [krcsim.Estimate(None, 0.0, 0.1, "bound")], 0.2)
    assert (cell.below, cell.held) == (1, 0.0)
    interval = krcsim.Estimate(0.5, 0.4, 0.6, "interval")
    (cell,) = judged("p_wait", 8, "none", "steady", [interval], 0.3)
    assert (cell.above, cell.held) == (1, 0.0)


def test_the_page_on_methods_has_a_place_for_the_tables() -> None:
    page = DOCUMENT.read_text()
    assert written(written(page, "coverage", "one"), "coverage", "two").count("two") >= 1
    with pytest.raises(ValueError, match="no marks"):
        written(page, "nonsense", "")


@pytest.mark.slow
def test_the_share_of_time_under_pressure_is_that_of_long_runs() -> None:
    from krcsim.results.quantities import pressed_share, window_ms

    for start in ("calm", "stationary"):
        s = krcsim.changed(
            worlds()["thread-as-posted"], **{"allocator.start": start, "workload.rate_hz": 1.0}
        )
        runs = replicate(s, 1, 0, 4000)
        for window in (0, 1):
            seen = runs.of("episode_ms", window) / window_ms(s, window)
            error = float(np.std(seen)) / 4000**0.5
            assert abs(float(np.mean(seen)) - pressed_share(s, window)) < 4 * error
