# SPDX-License-Identifier: GPL-2.0-only
"""Plain runs, more and more of them, until an answer is known well enough."""

from collections.abc import Iterator

from krcsim.model.scenario import Scenario
from krcsim.results.quantities import answers, window_ms
from krcsim.runs.ladder import (
    BOUND_RUNS,
    DEFAULT_RUNS,
    PRECISION,
    Have,
    Stop,
    extend,
    steps,
)
from krcsim.runs.replications import Replications


def climb(
    scenario: Scenario,
    seed: int,
    *,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    stop: Stop | None = None,
    have: Have | None = None,
    by_episode: int = 0,
    workers: int | None = None,
) -> Iterator[Replications]:
    """Yield 8, 16, 32, ... replications until P(wait) is known to `precision` or there are
    `max_runs`; `have` keeps them for later calls.
    """
    have = {} if have is None else have
    window = 1 if by_episode or window_ms(scenario, 1) > 0 else 0
    for total in steps(max_runs):
        runs = have.get(scenario)
        if runs is None or len(runs) <= total:
            runs = have[scenario] = extend(
                scenario, seed, runs, total, stop=stop, workers=workers, by_episode=by_episode
            )
            yield runs
            e = answers(runs, scenario, window, ["p_wait"])["p_wait"]
            known = e.kind == "interval" and e.half_width <= precision
            if known or e.kind in ("bound", "none") and total >= BOUND_RUNS:
                return
