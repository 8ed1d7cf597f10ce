# SPDX-License-Identifier: GPL-2.0-only
"""Plain runs, more and more of them, until an answer is known well enough."""

from collections.abc import Iterator

from krcsim.model.scenario import Scenario
from krcsim.results.quantities import answers, window_ms
from krcsim.runs.ladder import (
    BOUND_RUNG,
    DEFAULT_RUNG,
    PRECISION,
    Have,
    Stop,
    extend,
    replications_at,
)
from krcsim.runs.replications import Replications


def climb(
    scenario: Scenario,
    seed: int,
    *,
    precision: float = PRECISION,
    max_rung: int = DEFAULT_RUNG,
    stop: Stop | None = None,
    have: Have | None = None,
    by_episode: int = 0,
    workers: int | None = None,
) -> Iterator[tuple[int, Replications]]:
    """Yield (rung, replications so far) until P(wait) is known to `precision`; `have` keeps them
    for later climbs.
    """
    have = {} if have is None else have
    window = 1 if by_episode or window_ms(scenario, 1) > 0 else 0
    for rung in range(max_rung + 1):
        runs, total = have.get(scenario), replications_at(rung)
        if runs is None or len(runs) <= total:
            runs = have[scenario] = extend(
                scenario, seed, runs, total, stop=stop, workers=workers, by_episode=by_episode
            )
            yield rung, runs
            e = answers(runs, scenario, window, ["p_wait"])["p_wait"]
            known = e.kind == "interval" and e.half_width <= precision
            if known or e.kind in ("bound", "none") and rung >= BOUND_RUNG:
                return
