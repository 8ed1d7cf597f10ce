# SPDX-License-Identifier: GPL-2.0-only
"""One question, one call: the method is chosen, said, and its work counted."""
from collections.abc import Iterator
from dataclasses import dataclass, replace
import numpy as np
from krcsim.estimate import NOTHING, Estimate, exact
from krcsim.measures import QUANTITIES, answers, window_ms
from krcsim.run import WINDOWS, Levels, Replications
from krcsim.scenario import Scenario
from krcsim.study import (BOUND_RUNG, DEFAULT_RUNG, PRECISION, SEED, Have, Stop, check_study, climb, given,
    replications_at)
from krcsim.values import KrcsimError, refuse
from krcsim_studies import rare
from krcsim_studies.construction import impossible
from krcsim_studies.exact import exact_p_wait, fits
METHODS = ("auto", "skipping", "rare", "exact")
SMALL_BLOCK, NEGLIGIBLE = 32, 1e-12
BY_CONSTRUCTION = "by construction"

@dataclass(frozen=True)
class Finding:
    """An estimate, the method that made it and why that one, and its work.

    method: skipping, rare, exact or by construction. rung: of the ladder (0 for the exact chain); replications: of the
    scenario (states of the chain); events: that the engine handled (ticks of the chain), the same on every machine.
    """
    quantity: str
    window: str
    estimate: Estimate
    method: str
    why: str
    rung: int
    replications: int
    events: float

def asking(scenario: Scenario | str, quantity: str = "p_wait", *, window: str | None = None, seed: int = SEED,
        precision: float = PRECISION, max_rung: int = DEFAULT_RUNG, method: str = "auto", stop: Stop | None = None,
        have: Have | None = None, workers: int | None = None) -> Iterator[Finding]:
    """Findings that get better, rung by rung, until the half width is below `precision`; see ask()."""
    check_study(seed, precision, max_rung)
    s = given(scenario)
    known = isinstance(quantity, str) and quantity in QUANTITIES
    refuse(not known, "quantity", quantity, "one of " + ", ".join(QUANTITIES), "name one of them")
    refuse(method not in METHODS, "method", method, "one of " + ", ".join(METHODS), "auto chooses")
    window = window or WINDOWS[window_ms(s, 1) > 0]
    refuse(window not in WINDOWS, "window", window, "one of " + ", ".join(WINDOWS), "steady is after warmup_ms")
    w = WINDOWS.index(window)
    refuse(window_ms(s, w) <= 0, "window", window, "a window of some length", "change warmup_ms or horizon_ms")
    found = None if method in ("skipping", "rare") else without_chance(s, quantity, window, method)
    if found:
        yield found
        return
    cannot = rare.fits(s) if quantity in rare.SUMS else "forks answer " + ", ".join(rare.SUMS) + " only"
    refuse(method == "rare" and bool(cannot), "method", method, "skipping for this", cannot)
    if cannot or method == "skipping":
        last = -1
        for last, runs in climb(s, seed, precision=precision, max_rung=max_rung, stop=stop, have=have, workers=workers):
            yield skipped(s, quantity, w, last, runs, cannot or "asked for")
        if last < 0 and have:  # there are more runs already than the last rung has
            yield skipped(s, quantity, w, max_rung, have[s], cannot or "asked for")
    else:
        yield from _forking(s, quantity, w, seed, precision, max_rung, method, stop, workers)

def ask(scenario: Scenario | str, quantity: str = "p_wait", **how: object) -> Finding:
    """The last of asking(): skipping simulation, rare-event estimation or the exact chain, whichever suits.

    `how`: window ("boot" or "steady"), seed, precision (relative half width wanted), max_rung (the budget), method
    ("auto", or one by name), stop, have, workers (threads). Raises KrcsimError.
    """
    *_, found = asking(scenario, quantity, **how)  # type: ignore[arg-type]
    return found

def without_chance(s: Scenario, quantity: str, window: str, method: str) -> Finding | None:
    """What needs no random number: by construction, or by the exact chain where the world is small."""
    no = impossible(s) if method == "auto" and quantity in rare.SUMS else None
    if no and no.bound <= NEGLIGIBLE:  # else a simulation says more
        e = exact(0.0) if no.bound == 0.0 else Estimate(None, 0.0, no.bound, "bound")
        return Finding(quantity, window, e, BY_CONSTRUCTION, no.why, 0, 0, 0.0)
    cannot = fits(s) if quantity == "p_wait" else "the chain answers p_wait only"
    refuse(method == "exact" and bool(cannot), "method", method, "auto, skipping or rare for this", cannot)
    if cannot or (method == "auto" and s.remedy.array_path and s.remedy.block_entries > SMALL_BLOCK):
        return None  # larger blocks have too many states; to find that out takes longer than to simulate
    try:
        x = exact_p_wait(s, window)
    except KrcsimError:
        if method == "exact":
            raise
        return None
    e = exact(x.value) if x.value is not None else NOTHING
    return Finding(quantity, window, e, "exact", "a small world on one CPU", 0, x.states, float(x.ticks))

def skipped(s: Scenario, quantity: str, w: int, rung: int, runs: Replications, why: str) -> Finding:
    """The finding of plain runs."""
    e = answers(runs, s, w, [quantity])[quantity]
    return Finding(quantity, WINDOWS[w], e, "skipping", why, rung, len(runs), float(runs.of("events", 1).sum()))

def _forking(s: Scenario, quantity: str, w: int, seed: int, precision: float, max_rung: int, method: str,
        stop: Stop | None, workers: int | None) -> Iterator[Finding]:
    """Runs with forks on the first rung, which answer both ways; then whichever costs less for a given width."""
    forked: rare.Forked | None = None
    at: Levels = ()
    tried, pilot = False, 0.0
    for rung in range(max_rung + 1):
        forked = rare.extend(s, seed, forked, replications_at(rung), at, stop=stop, workers=workers)
        why = "forks from full pools tell more" + (f", of runs split at {len(at)} levels of danger" if at else "")
        e = rare.estimate(forked, s, quantity, w)
        best = Finding(quantity, WINDOWS[w], e, "rare", why, rung, len(forked.runs), forked.events() + pilot)
        plain = skipped(s, quantity, w, rung, forked.runs, "waits are common enough")
        clear = plain.estimate.kind == "interval" and plain.estimate.half_width < 0.5
        if method == "auto" and not at and clear and cost(plain) <= cost(best):
            yield plain
            if plain.estimate.half_width > precision:
                for n, runs in climb(s, seed, precision=precision, max_rung=max_rung, stop=stop, have={s: forked.runs},
                        workers=workers):
                    if n > rung:
                        yield skipped(s, quantity, w, n, runs, plain.why)
            return
        if e.kind == "none" and plain.estimate.value is not None:
            best = replace(plain, why="no fork waited, but plain runs did")
        elif e.kind == "none":  # the bound of plain runs, and of a split run as of any
            best = replace(best, estimate=plain.estimate, why="no wait was seen, with forks or without")
        yield best
        if e.kind == "interval" and e.half_width <= precision or e.kind == "none" and rung >= BOUND_RUNG:
            return
        few = np.count_nonzero(forked.tally[:, :, rare.FORKS].sum(axis=1)) <= len(forked.runs) / 2
        look = rung < max_rung and s.remedy.array_path and (few and rung == 1 or rung == 3)
        if look and not tried and e.kind != "interval":
            tried = True  # it is the pages that seldom run out
            at, pilot = rare.levels(s, seed, stop=stop)
            forked = None if at else forked

def cost(f: Finding) -> float:
    """Events that a finding took, for a relative half width of 1."""
    return f.events * f.estimate.half_width**2
