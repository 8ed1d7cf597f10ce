# SPDX-License-Identifier: GPL-2.0-only
"""Splitting: at levels of danger a run goes on as several copies of less weight; where the levels
lie is found by a pilot.
"""

import math

import numpy as np

from krcsim.methods.importance import CopiedRuns, bias
from krcsim.model.scenario import Scenario
from krcsim.results.quantities import harmless_calm
from krcsim.runs.ladder import Stop
from krcsim.runs.replications import Levels, rare_runs

PILOT = 1 << 40  # replications from here on choose the levels, and no answer uses them
PILOT_GO = 4  # replications of one go of a pilot
PILOT_PEAKS = 1 << 14  # dangers that one go keeps
# Events of a pilot, times CPUs (danger is computed for each): levels that take more lead nowhere.
PILOT_WORK = 2e7
# What it takes to compute the danger of a CPU, by channel and length of a grace period, in events
# of a plain run.
DANGER = 0.1
STARVED = -0.5  # danger above which no level is set


def split(scenario: Scenario) -> dict[str, float]:
    """As bias(), for a run that is split: plans are short, so that danger is computed often."""
    allocator = scenario.allocator
    calm_danger = 0.0
    if harmless_calm(scenario) and allocator.episodes == "exponential":
        # What counts in calm is that an episode begins within some ticks.
        calm_danger = min(0.0, math.log(4000.0 / scenario.machine.hz / allocator.calm_ms))
    elif harmless_calm(scenario) and allocator.episodes != "none":
        calm_danger = -math.inf
    plan_calls = max(1, scenario.remedy.block_entries // 16)
    return bias(scenario) | dict(max_plan_calls=plan_calls, calm_danger=calm_danger)


def step_cost(scenario: Scenario) -> float:
    """What an event of a split run takes, in events of plain runs: after each the danger of all
    CPUs is computed.
    """
    lengths, _ = scenario.grace_periods()
    return 1.0 + DANGER * scenario.machine.cpus * scenario.workload.channels() * len(lengths)


def levels(
    scenario: Scenario,
    seed: int,
    *,
    share: float = 0.3,
    want: int = 200,
    stop: Stop | None = None,
    most: float = math.inf,
) -> tuple[Levels, float]:
    """Levels of danger, each passed by about `share` of those that passed the one before, up to
    where biased copies begin; and the events that it took to find them.

    Empty where copies wait in many replications anyway, and where the way there is too long (or
    takes more work than `most`, in events of plain runs).
    """
    events = 0.0
    found: list[tuple[float, float]] = []
    at = PILOT
    for _ in range(30):
        first = at
        peaks: list[float] = []
        met = 0.0
        while len(peaks) < want and at < first + 32:
            runs, tally, seen = rare_runs(
                scenario, seed, at, at + PILOT_GO, split(scenario), found, PILOT_PEAKS, stop
            )
            at += PILOT_GO
            peaks += [x for x in seen if x > -math.inf]
            copied = CopiedRuns(runs, tally)
            events += copied.events()
            hits = copied.each("hits")
            # Of copies each counts, of whole runs those that have any.
            met += float(hits.sum()) if found else np.count_nonzero(hits)

        if events * scenario.machine.cpus > PILOT_WORK or events * step_cost(scenario) > most:
            return (), events
        if len(peaks) < 10 or met > share * (len(peaks) if found else at - first):
            break

        top = float(np.quantile(peaks, 1.0 - (share if found else 0.1)))
        if found and top <= found[-1][0]:
            top = min((x for x in peaks if x > found[-1][0]), default=math.inf)
        passed = float(np.mean(np.array(peaks) >= top))
        starved = bool(found) and top > STARVED
        if passed < 0.03 or starved:
            break  # a jump, or there is no page left already: copies gain nothing

        if found:
            found[-1] = (found[-1][0], max(1, round(1 / passed)))
        found.append((top, round(1 / share)))
    return tuple(found), events
