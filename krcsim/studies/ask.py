# SPDX-License-Identifier: GPL-2.0-only
"""One question, one call: the method is chosen, said, and its work counted."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import is_real
from krcsim.base.old_names import quantity as name_today
from krcsim.base.old_names import takes_rungs
from krcsim.methods import rare
from krcsim.methods.construction import impossible
from krcsim.methods.exact import exact_p_wait, fits
from krcsim.methods.plain import climb
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.estimate import NOTHING, Estimate, exact
from krcsim.results.quantities import QUANTITIES, SUMS, window_ms
from krcsim.runs.ladder import (
    BOUND_RUNS,
    DEFAULT_RUNS,
    FIRST_RUNS,
    PRECISION,
    SEED,
    Have,
    Stop,
    check_study,
)
from krcsim.runs.replications import WINDOWS, Levels, Replications

METHODS = ("auto", "skipping", "rare", "exact")
SMALL_BLOCK, NEGLIGIBLE = 32, 1e-12
# Work is counted in events of a plain run, of which a processor handles some eight million a
# second: about 20 CPU-s for an answer, and 5 where it is one of many.
BUDGET, CLOSING = 1.6e8, 8e7
MANY_CPUS = 80.0  # at which an event takes twice as long
A_RUN = 4000.0  # what it takes to begin and to end a replication, in such events
CHAIN_STEP = 0.01  # a step of the exact chain (an entry of its matrix, used once), in such events
CHAIN_STATE = 400.0  # a state of the exact chain, found and numbered, in such events
BY_CONSTRUCTION = "by construction"


@dataclass(frozen=True)
class Finding:
    """An estimate, the method that made it and why that one, and its work.

    method: skipping, rare, exact or by construction. replications: of the scenario (states of the
    chain); events: that the engine handled (ticks of
    the chain), the same on every machine. note: what a reader has to know of the window, "" if
    nothing.
    """

    quantity: str
    window: str
    estimate: Estimate
    method: str
    why: str
    replications: int
    events: float
    note: str = ""

    @property
    def runs(self) -> int:
        """Replications that were simulated: 0 where nothing was."""
        return self.replications if self.method in ("skipping", "rare") else 0


@takes_rungs
def asking(
    scenario: Scenario | str,
    quantity: str = "p_wait",
    *,
    window: str | None = None,
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    method: str = "auto",
    stop: Stop | None = None,
    have: Have | None = None,
    workers: int | None = None,
    budget: float = BUDGET,
) -> Iterator[Finding]:
    """Findings that get better, with 8, 16, 32, ... replications, until the half width is below
    `precision` or the budget is spent; see ask().
    """
    check_study(seed, precision, max_runs)
    refuse(
        not (is_real(budget) and budget > 0),
        "budget",
        budget,
        "a number of events above 0",
        f"{BUDGET:g} takes some 20 CPU-seconds",
    )
    s = given(scenario)
    quantity = name_today(quantity) if isinstance(quantity, str) else quantity
    known = isinstance(quantity, str) and quantity in QUANTITIES
    refuse(not known, "quantity", quantity, "one of " + ", ".join(QUANTITIES), "name one of them")
    refuse(method not in METHODS, "method", method, "one of " + ", ".join(METHODS), "auto chooses")
    window = window or WINDOWS[window_ms(s, 1) > 0]
    refuse(
        window not in WINDOWS,
        "window",
        window,
        "one of " + ", ".join(WINDOWS),
        "steady is after warmup_ms",
    )
    w = WINDOWS.index(window)
    refuse(
        window_ms(s, w) <= 0,
        "window",
        window,
        "a window of some length",
        "change warmup_ms or horizon_ms",
    )
    for found in _asking(
        s, quantity, w, seed, precision, max_runs, method, stop, have, workers, budget
    ):
        yield replace(found, note=rare.unsettled(s, w) if found.method != BY_CONSTRUCTION else "")


def _asking(
    s: Scenario,
    quantity: str,
    w: int,
    seed: int,
    precision: float,
    max_runs: int,
    method: str,
    stop: Stop | None,
    have: Have | None,
    workers: int | None,
    budget: float,
) -> Iterator[Finding]:
    found = (
        None
        if method in ("skipping", "rare")
        else without_chance(s, quantity, WINDOWS[w], method, budget)
    )
    if found:
        yield found
        return
    cannot = rare.fits(s) if quantity in SUMS else "forks answer " + ", ".join(SUMS) + " only"
    refuse(method == "rare" and bool(cannot), "method", method, "skipping for this", cannot)
    if cannot or method == "skipping":
        found = None
        for runs in climb(
            s, seed, precision=precision, max_runs=max_runs, stop=stop, have=have, workers=workers
        ):
            found = skipped(s, quantity, w, runs, cannot or "asked for")
            yield found
            if len(runs) < max_runs and 2.0 * work_of(runs, s) > budget:
                return
        if not found and have:  # there are more runs already than are asked for
            yield skipped(s, quantity, w, have[s], cannot or "asked for")
    else:
        yield from forking(s, quantity, w, seed, precision, max_runs, method, stop, workers, budget)


def work_of(runs: Replications, s: Scenario) -> float:
    """What plain runs took, in events of a few CPUs: of many each takes longer, and to begin and
    end costs a little.
    """
    return float(runs.of("events", 1).sum()) * (1.0 + s.machine.cpus / MANY_CPUS) + A_RUN * len(
        runs
    )


def work_of_forks(forked: rare.Forked, s: Scenario) -> float:
    """What runs with forks took, in events of plain runs; where they are split, danger looks at
    each CPU each time.
    """
    pace = rare.step_cost(s) if forked.split else 1.0 + s.machine.cpus / MANY_CPUS
    return forked.events() * pace + A_RUN * len(forked.runs)


def close(
    scenario: Scenario | str,
    quantity: str = "p_wait",
    window: str | None = None,
    *,
    seed: int = SEED,
    budget: float = CLOSING,
    precision: float = PRECISION,
    stop: Stop | None = None,
    have: Have | None = None,
    workers: int | None = None,
) -> Finding:
    """The best honest answer within a budget, for a row in which plain runs have seen nothing.

    Tried in this order: by construction, the exact chain, forks, split runs. `budget` is counted in
    events of a plain run and not by the clock, so the same question has the same answer on every
    machine; CLOSING takes 5 to 10 CPU-s. What the Finding says is one of: `exact`; `interval`;
    `rough`, to be marked ~ and read as a factor; `bound`, by construction or since nothing was seen
    even so; `none`, where no call was exposed. `have` holds plain runs that are there already (as
    in climb()): where nothing else is found, the bound comes from them if they are more. Quantities
    that forks do not sum up (see SUMS) and worlds whose memory is counted in pages are
    answered by plain runs.
    """
    s = given(scenario)
    found = ask(
        s,
        quantity,
        window=window,
        seed=seed,
        precision=precision,
        stop=stop,
        workers=workers,
        budget=budget,
    )
    known = (have or {}).get(s)
    if (
        known is not None
        and len(known) > found.replications
        and found.method != BY_CONSTRUCTION
        and found.estimate.kind in ("bound", "none")
    ):
        plain = skipped(s, quantity, WINDOWS.index(found.window), known, found.why)
        found = replace(plain, events=plain.events + found.events)
    return found


@takes_rungs
def ask(scenario: Scenario | str, quantity: str = "p_wait", **how: object) -> Finding:
    """The last of asking(): skipping simulation, rare-event estimation or the exact chain,
    whichever suits.

    `how`: window ("boot" or "steady"), seed, precision (relative half width wanted), max_runs (the
    budget), method ("auto", or one by name), stop, have, workers (threads), budget (of events,
    after which the best so far is the answer). Raises KrcsimError.
    """
    *_, found = asking(scenario, quantity, **how)  # type: ignore[arg-type]
    return found


def without_chance(
    s: Scenario, quantity: str, window: str, method: str, budget: float
) -> Finding | None:
    """What needs no random number: by construction, or by the exact chain where the world is
    small.
    """
    no = impossible(s) if method == "auto" and quantity in SUMS else None
    if no and no.bound <= NEGLIGIBLE:  # else a simulation says more
        e = exact(0.0) if no.bound == 0.0 else Estimate(None, 0.0, no.bound, "bound")
        return Finding(quantity, window, e, BY_CONSTRUCTION, no.why, 0, 0.0)
    cannot = fits(s) if quantity == "p_wait" else "the chain answers p_wait only"
    refuse(
        method == "exact" and bool(cannot),
        "method",
        method,
        "auto, skipping or rare for this",
        cannot,
    )
    if cannot or (
        method == "auto" and s.remedy.array_path and s.remedy.block_entries > SMALL_BLOCK
    ):
        # larger blocks have too many states; to find that out takes longer than to simulate
        return None
    try:
        most = budget if method == "auto" else math.inf
        x = exact_p_wait(s, window, most / CHAIN_STATE, most / CHAIN_STEP)
    except KrcsimError:
        if method == "exact":
            raise
        return None
    e = exact(x.value) if x.value is not None else NOTHING
    return Finding(
        quantity, window, e, "exact", "a small world on one CPU", x.states, float(x.ticks)
    )


def skipped(s: Scenario, quantity: str, w: int, runs: Replications, why: str) -> Finding:
    """The finding of plain runs."""
    e = rare.plain(runs, s, quantity, w)
    return Finding(
        quantity, WINDOWS[w], e, "skipping", why, len(runs), float(runs.of("events", 1).sum())
    )


@dataclass(frozen=True)
class Look:
    """Runs with forks, split at so many levels; `pilot`: events that chose these; over: no further
    look.
    """

    forked: rare.Forked
    levels: int
    pilot: float
    over: bool
    again: bool  # as many as were looked at before the runs were split


def looks(
    s: Scenario,
    seed: int,
    clear: Callable[[rare.Forked], bool],
    *,
    max_runs: int,
    budget: float,
    stop: Stop | None = None,
    workers: int | None = None,
    by_episode: int = 0,
) -> Iterator[Look]:
    """Runs with forks, more and more of them within a budget; from the first anew as split runs if
    pages are what rarely runs out.

    `clear` says whether forks alone tell enough, so that nothing has to be split.
    """
    forked: rare.Forked | None = None
    at: Levels = ()
    tried, pilot, lost = False, 0.0, 0.0  # lost: work that is in no look to come
    total, seen = FIRST_RUNS, 0  # seen: the replications of the last look
    while total <= max_runs:
        forked = rare.extend(
            s,
            seed,
            forked,
            total,
            at,
            stop=stop,
            workers=workers,
            by_episode=by_episode,
        )
        spent = work_of_forks(forked, s)
        over = total == max_runs or lost + 2.0 * spent > budget
        yield Look(forked, len(at), pilot, over, total <= seen)
        if over:
            return
        few = np.count_nonzero(forked.tally[:, :, rare.FORKS].sum(axis=1)) <= len(forked.runs) / 2
        if (
            not tried
            and s.remedy.array_path
            and (few and total == 2 * FIRST_RUNS or total == 8 * FIRST_RUNS)
            and not clear(forked)
        ):
            tried = True  # it is the pages that rarely run out
            most = (budget - lost - spent) / 2.0
            if rare.PILOT_GO * rare.step_cost(s) * spent / len(forked.runs) < most:
                at, pilot = rare.levels(s, seed, stop=stop, most=most)
                lost += pilot * rare.step_cost(s)
            if at:
                forked, seen, lost, total = None, total, lost + spent, FIRST_RUNS // 2
        total *= 2


def forking(
    s: Scenario,
    quantity: str,
    w: int,
    seed: int,
    precision: float,
    max_runs: int,
    method: str,
    stop: Stop | None,
    workers: int | None,
    budget: float,
) -> Iterator[Finding]:
    """Runs with forks, of which the first answer both ways; then whichever costs less for a
    given width.
    """

    def clear(forked: rare.Forked) -> bool:
        return rare.estimate(forked, s, quantity, w).kind == "interval"

    for look in looks(s, seed, clear, max_runs=max_runs, budget=budget, stop=stop, workers=workers):
        forked, over = look.forked, look.over
        why = "forks from full pools tell more" + (
            f", of runs split at {look.levels} levels of danger" if look.levels else ""
        )
        e = rare.estimate(forked, s, quantity, w)
        best = Finding(
            quantity,
            WINDOWS[w],
            e,
            "rare",
            why,
            len(forked.runs),
            forked.events() + look.pilot,
        )
        plain = skipped(s, quantity, w, forked.runs, "waits are common enough")
        common = plain.estimate.kind == "interval" and plain.estimate.half_width < 0.5
        if method == "auto" and not look.levels and common and cost(plain) <= cost(best):
            yield plain
            if plain.estimate.half_width > precision and not over:
                for runs in climb(
                    s,
                    seed,
                    precision=precision,
                    max_runs=max_runs,
                    stop=stop,
                    have={s: forked.runs},
                    workers=workers,
                ):
                    if len(runs) > len(forked.runs):
                        yield skipped(s, quantity, w, runs, plain.why)
                    if 2.0 * work_of(runs, s) > budget:
                        break
            return
        if e.kind == "none" and plain.estimate.value is not None:
            best = replace(plain, why="no fork waited, but plain runs did")
        elif e.kind == "none":  # the bound of plain runs, and of a split run as of any
            best = replace(
                best, estimate=plain.estimate, why="no wait was seen, with forks or without"
            )
        elif e.kind == "rough" and spread(plain.estimate) < spread(e):
            best = replace(plain, why="plain runs tell more than forks")
        if not look.again or (over and e.kind != "none"):
            yield best
        if (e.kind == "interval" and e.half_width <= precision) or (
            e.kind == "none" and len(forked.runs) >= BOUND_RUNS
        ):
            return


def spread(e: Estimate) -> float:
    """The upper limit over the lower one; inf where one is missing."""
    return e.hi / e.lo if e.value is not None and e.lo and e.hi else math.inf


def cost(f: Finding) -> float:
    """Events that a finding took, for a relative half width of 1."""
    return f.events * f.estimate.half_width**2
