# SPDX-License-Identifier: GPL-2.0-only
"""Quantities that are a sum over a sum: what is summed up, what it is divided by, and how long the
pressure lasts meanwhile.
"""

import math

import numpy as np

from krcsim.model.scenario import Scenario
from krcsim.results.certainty import harmless_calm
from krcsim.results.estimate import Array
from krcsim.results.quantities import (
    QUANTITIES,
    SUMS,
    callers,
    pressed_share,
    window_ms,
)
from krcsim.runs.replications import Replications

SETTLED = 0.05  # of the time under pressure that may be missing from a window that is called steady


def divisor(runs: Replications, scenario: Scenario, quantity: str, window: int) -> Array:
    """What a quantity of SUMS is divided by, of each replication: calls, or the time of all
    callers in ms.
    """
    if name := SUMS[quantity][1]:
        return runs.of(name, window)
    return np.full(len(runs), window_ms(scenario, window) * callers(scenario))


def exposed(runs: Replications, scenario: Scenario, quantity: str, window: int) -> Array:
    """The calls that may wait, of each replication: those under pressure, where no other can."""
    only_episodes = harmless_calm(scenario) or QUANTITIES[quantity].of_episode
    return runs.of("single_episode" if only_episodes else "single", window)


def expected_episode_ms(scenario: Scenario, window: int) -> float | None:
    """The mean time under pressure in a window where that is random; else None."""
    if scenario.allocator.episodes != "exponential":
        return None
    return pressed_share(scenario, window) * window_ms(scenario, window)


def unsettled(scenario: Scenario, window: int) -> str:
    """A warning where the steady window begins before episodes of pressure are as frequent as later
    on; else "".
    """
    known = expected_episode_ms(scenario, window)
    if window == 0 or known is None:
        return ""

    allocator = scenario.allocator
    length = window_ms(scenario, window)
    cycle_ms = allocator.calm_ms + allocator.episode_ms
    missing = 1.0 - known / (length * allocator.episode_ms / cycle_ms)
    if missing <= SETTLED:
        return ""

    pace = 1.0 / allocator.calm_ms + 1.0 / allocator.episode_ms
    enough = math.log(-math.expm1(-pace * length) / (pace * length) / SETTLED) / pace
    return (
        f"The steady window is not steady: it begins {scenario.warmup_ms:g} ms after a calm boot "
        f"and is under pressure {100 * missing:.0f} % less than later on; set warmup_ms = "
        f"{math.ceil(enough / 100) * 100} and horizon_ms as much later, or allocator.start = "
        '"stationary"'
    )
