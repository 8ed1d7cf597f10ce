# SPDX-License-Identifier: GPL-2.0-only
"""Where plain runs see no wait: a proof, the exact chain or forks say how rare it is, and only then
a bound is left.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from krcsim.methods import rare
from krcsim.methods.construction import impossible
from krcsim.methods.weights import EFFECTIVE, at_most, says_little, weighed
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate, exact
from krcsim.results.quantities import SUMS
from krcsim.results.result import BASE
from krcsim.runs.ladder import BOUND_RUNS, PRECISION, Stop
from krcsim.runs.replications import WINDOWS, Replications
from krcsim.studies.ask import BY_CONSTRUCTION, NEGLIGIBLE, Finding, Look, looks, without_chance

Where = tuple[int, str]  # a window, counted, and a quantity
ASKED = tuple(SUMS)  # the gaps that are looked for
UNSEEN = ("bound", "none")


@dataclass(frozen=True)
class Row:
    """An estimate, from how many replications, and how it was found (see
    krcsim.results.result.METHODS).
    """

    estimate: Estimate
    replications: int
    method: str = "skipping"

    def columns(self) -> tuple[Any, ...]:
        """The last columns of a row of a Result."""
        return columns_of(self.estimate, self.replications, self.method)


Rows = dict[Where, Row]


def columns_of(e: Estimate, replications: int, method: str) -> tuple[Any, ...]:
    """The last columns of a row of a Result, from `value` on."""
    columns = {
        "value": e.value,
        "lo": e.lo,
        "hi": e.hi,
        "kind": e.kind,
        "replications": replications,
        "method": method,
    }
    return tuple(columns[name] for name in BASE[3:])


def how_found(kind: str, method: str) -> str:
    """The method of a row: a bound that is no proof is only a bound, whatever was tried."""
    return "bound" if kind == "bound" and method != BY_CONSTRUCTION else method


def how(found: Finding | None) -> str:
    """How a finding was made, as a Result has it; "" without one."""
    return how_found(found.estimate.kind, found.method) if found else ""


def row_of(e: Estimate, replications: int) -> Row:
    """What plain runs say; what no draw changes follows from the scenario."""
    return Row(
        e,
        replications,
        BY_CONSTRUCTION if e.kind == "exact" else how_found(e.kind, "skipping"),
    )


def closed(
    s: Scenario,
    plain: Rows,
    runs: Replications,
    *,
    seed: int,
    max_runs: int,
    budget: float,
    precision: float = PRECISION,
    stop: Stop | None = None,
    by_episode: int = 0,
) -> tuple[Rows, str]:
    """The rows of a point with other methods' answers where plain runs saw no wait, and why these
    hold, in words.

    Tried in this order, within `budget` events: by construction, the exact chain, forks, split
    runs.
    """
    gaps = [
        where for where, row in plain.items() if where[1] in ASKED and row.estimate.kind in UNSEEN
    ]
    if not gaps or not budget:
        return plain, ""
    proven = _proven(s, plain, gaps)
    if proven:
        return plain | proven[0], proven[1]
    sure = {} if by_episode else _chained(s, plain, gaps, budget)
    # Without a call that could wait there is nothing to fork.
    open_gaps = [
        (w, quantity)
        for w, quantity in gaps
        if (w, quantity) not in sure and runs.of(SUMS[quantity][1] or "single", w).any()
    ]
    found, why = _forked(
        s,
        plain,
        open_gaps,
        runs,
        seed,
        max(precision, PRECISION),
        max_runs,
        budget,
        stop,
        by_episode,
    )
    return plain | found | sure, why or ("a small world on one CPU" if sure else "")


def _proven(s: Scenario, plain: Rows, gaps: list[Where]) -> tuple[Rows, str] | None:
    """The gaps where no call can wait, or hardly one: a bound for a whole run, so for each of its
    windows.
    """
    no = impossible(s)
    if no is None or no.bound > NEGLIGIBLE:
        return None
    e = exact(0.0) if no.bound == 0.0 else Estimate(None, 0.0, no.bound, "bound")
    episodes = [(w, "p_episode") for w in dict.fromkeys(w for w, _ in gaps)]
    follow = [
        where for where in episodes if where in plain and plain[where].estimate.kind == "bound"
    ]
    return {
        where: replace(plain[where], estimate=e, method=BY_CONSTRUCTION)
        for where in (*gaps, *follow)
    }, no.why


def _chained(s: Scenario, plain: Rows, gaps: list[Where], budget: float) -> Rows:
    """P(wait) by the exact chain, where the world is small."""
    found: Rows = {}
    for where in gaps:
        if where[1] == "p_wait" and (
            f := without_chance(s, "p_wait", WINDOWS[where[0]], "auto", budget)
        ):
            found[where] = replace(plain[where], estimate=f.estimate, method=f.method)
    return found


def _forked(
    s: Scenario,
    plain: Rows,
    gaps: list[Where],
    runs: Replications,
    seed: int,
    precision: float,
    max_runs: int,
    budget: float,
    stop: Stop | None,
    by_episode: int,
) -> tuple[Rows, str]:
    """What forks say of the gaps, with more and more replications, until all is known or the budget
    is spent.
    """

    def told(forked: rare.Forked) -> list[Estimate]:
        return [
            _estimate(s, forked, runs, quantity, w, by_episode, plain[w, quantity].estimate.hi)
            for w, quantity in gaps
        ]

    def clear(forked: rare.Forked) -> bool:
        return all(e.kind == "interval" for e in told(forked))

    found: Rows = {}
    why = ""
    if not gaps or rare.fits(s):
        return found, why
    for look in looks(
        s, seed, clear, max_runs=max_runs, budget=budget, stop=stop, by_episode=by_episode
    ):
        estimates = told(look.forked)
        seen = any(e.value is not None for e in estimates)
        if seen and (not look.again or look.over or not found):
            found = _rows(plain, dict(zip(gaps, estimates, strict=True)), look)
            why = (
                f"forks{f' of runs split at {look.levels} levels of danger' if look.levels else ''}"
            )
        known = all(e.kind == "interval" and e.half_width <= precision for e in estimates)
        if known or (not seen and len(look.forked.runs) >= BOUND_RUNS):
            break
    return found, why or "no wait was seen, with forks or without"


def _rows(plain: Rows, told: dict[Where, Estimate], look: Look) -> Rows:
    """What forks found in the gaps, and what follows from it: the mean wait."""
    forked, n = look.forked, len(look.forked.runs)
    found = {where: Row(e, n, "rare") for where, e in told.items() if e.value is not None}
    for where in [(w, "wait_ms") for w in dict.fromkeys(w for w, _ in found)]:
        waits = forked.of("waits", where[0])
        e = weighed(forked.of("wait_ms", where[0]), waits, waits, least=least_of(forked))
        if e.value is not None and where in plain and plain[where].estimate.kind == "none":
            found[where] = Row(e, n, "rare")
    return found


def _estimate(
    s: Scenario,
    forked: rare.Forked,
    runs: Replications,
    quantity: str,
    w: int,
    by_episode: int,
    most: float | None,
) -> Estimate:
    """A quantity by forks, where nothing else is known above than the bound of more plain runs
    (`most`).

    Episode by episode it has no control, and split runs count no calls by episode: plain runs do.
    """
    if not by_episode:
        e = rare.estimate(forked, s, quantity, w)
        faint = (
            says_little(e)
            and e.hi is not None
            and most is not None
            and (e.value or 0.0) < most < e.hi
        )
        return replace(e, hi=most) if faint else e
    waits, calls = SUMS[quantity]
    y = forked.of(waits, w)
    den = (
        np.full(len(y), float(runs.of(calls, w).mean()))
        if forked.split
        else forked.runs.of(calls, w)
    )
    return at_most(weighed(y, den, den, least=least_of(forked), most=most), 1.0)


def least_of(forked: rare.Forked) -> float:
    """The effective number of replications below which an answer of forks is rough."""
    return rare.EFFECTIVE_SPLIT if forked.split else EFFECTIVE
