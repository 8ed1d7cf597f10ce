# SPDX-License-Identifier: GPL-2.0-only
"""Where plain runs see no wait: a proof, the exact chain or importance sampling say how rare it is,
and only then a bound is left.
"""

from dataclasses import dataclass, replace

import numpy as np

from krcsim.methods import construction, exact, rare
from krcsim.methods.finding import Question
from krcsim.methods.importance import CopiedRuns
from krcsim.methods.rare import Look, least_effective, looks
from krcsim.methods.weights import at_most, says_little, weighed
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import SUMS
from krcsim.runs.ladder import BOUND_RUNS, PRECISION, Stop
from krcsim.runs.replications import Replications
from krcsim.studies.entries import Entries, Entry, Where

UNSEEN = ("bound", "none")  # kinds of estimates where no wait was seen


@dataclass(frozen=True)
class Gaps:
    """The entries of a point in which plain runs saw no wait, and what may be spent on them."""

    scenario: Scenario
    runs: Replications
    entries: Entries  # by plain runs
    open: tuple[Where, ...]
    seed: int
    precision: float
    max_runs: int
    budget: float
    by_episode: int
    stop: Stop | None


def fill_gaps(
    scenario: Scenario,
    entries: Entries,
    runs: Replications,
    *,
    seed: int,
    max_runs: int,
    budget: float,
    precision: float = PRECISION,
    stop: Stop | None = None,
    by_episode: int = 0,
) -> tuple[Entries, str]:
    """The entries of a point with other methods' answers where plain runs saw no wait, and why
    these hold, in words.

    Tried in this order, within `budget` events: by construction, the exact chain, biased copies,
    split runs.
    """
    unseen = tuple(
        where
        for where, entry in entries.items()
        if where[1] in SUMS and entry.estimate.kind in UNSEEN
    )
    if not unseen or not budget:
        return entries, ""

    gaps = Gaps(
        scenario,
        runs,
        entries,
        unseen,
        seed,
        max(precision, PRECISION),
        max_runs,
        budget,
        by_episode,
        stop,
    )
    none = construction.negligible(scenario)
    if none:
        return entries | _proven(gaps, none.estimate), none.why

    chained = {} if by_episode else _chained(gaps)
    left = tuple(where for where in unseen if where not in chained and _has_calls(gaps, where))
    found, why = _sampled(replace(gaps, open=left))
    return entries | found | chained, why or (exact.WHY if chained else "")


def _has_calls(gaps: Gaps, where: Where) -> bool:
    """Whether a call was seen that could wait: without one there is nothing to copy."""
    window, quantity = where
    calls = SUMS[quantity][1] or "single"
    return bool(gaps.runs.of(calls, window).any())


def _proven(gaps: Gaps, e: Estimate) -> Entries:
    """The gaps where no call can wait, or hardly one: what holds for a whole run holds for each of
    its windows.
    """
    windows = dict.fromkeys(window for window, _ in gaps.open)
    episodes = [(window, "p_episode") for window in windows]
    follow = [
        where
        for where in episodes
        if where in gaps.entries and gaps.entries[where].estimate.kind == "bound"
    ]
    return {
        where: replace(gaps.entries[where], estimate=e, method=construction.NAME)
        for where in (*gaps.open, *follow)
    }


def _chained(gaps: Gaps) -> Entries:
    """P(wait) by the exact chain, where the scenario is small."""
    found: Entries = {}
    for window, quantity in gaps.open:
        if exact.why_not(gaps.scenario, quantity):
            continue
        question = Question(
            scenario=gaps.scenario, quantity=quantity, window=window, budget=gaps.budget
        )
        for finding in exact.findings(question):
            entry = gaps.entries[window, quantity]
            found[window, quantity] = replace(
                entry, estimate=finding.estimate, method=finding.method
            )
    return found


def _sampled(gaps: Gaps) -> tuple[Entries, str]:
    """What biased copies say of the gaps, with more and more replications, until all is known or
    the budget is spent.
    """

    def estimates_of(copied: CopiedRuns) -> list[Estimate]:
        return [estimate_in_gap(gaps, copied, where) for where in gaps.open]

    def clear(copied: CopiedRuns) -> bool:
        return all(e.kind == "interval" for e in estimates_of(copied))

    if not gaps.open or rare.why_not(gaps.scenario):
        return {}, ""

    found: Entries = {}
    why = "no wait was seen, with biased copies or without"
    for look in looks(
        gaps.scenario,
        gaps.seed,
        clear,
        max_runs=gaps.max_runs,
        budget=gaps.budget,
        stop=gaps.stop,
        by_episode=gaps.by_episode,
    ):
        estimates = estimates_of(look.copied)
        seen = any(e.value is not None for e in estimates)
        if seen and (not look.again or look.over or not found):
            found = _entries(gaps, dict(zip(gaps.open, estimates, strict=True)), look)
            why = "importance sampling"
            if look.levels:
                why += f" of runs split at {look.levels} levels of danger"

        known = all(e.kind == "interval" and e.half_width <= gaps.precision for e in estimates)
        if known or (not seen and len(look.copied.runs) >= BOUND_RUNS):
            break
    return found, why


def _entries(gaps: Gaps, estimates: dict[Where, Estimate], look: Look) -> Entries:
    """What biased copies found in the gaps, and what follows from it: the mean wait."""
    copied = look.copied
    count = len(copied.runs)
    found = {
        where: Entry(e, count, rare.NAME) for where, e in estimates.items() if e.value is not None
    }

    for window in dict.fromkeys(window for window, _ in found):
        waits = copied.of("waits", window)
        e = weighed(copied.of("wait_ms", window), waits, waits, least=least_effective(copied))
        where = (window, "wait_ms")
        undefined = where in gaps.entries and gaps.entries[where].estimate.kind == "none"
        if e.value is not None and undefined:
            found[where] = Entry(e, count, rare.NAME)
    return found


def estimate_in_gap(gaps: Gaps, copied: CopiedRuns, where: Where) -> Estimate:
    """A quantity by biased copies, where nothing else is known above than the bound of more plain
    runs.

    Episode by episode it has no control, and split runs count no calls by episode: plain runs do.
    """
    window, quantity = where
    most = gaps.entries[where].estimate.hi
    if not gaps.by_episode:
        e = rare.estimate(copied, gaps.scenario, quantity, window)
        if e.hi is None or most is None or not says_little(e):
            return e
        return replace(e, hi=most) if (e.value or 0.0) < most < e.hi else e

    waits, calls = SUMS[quantity]
    summed = copied.of(waits, window)
    per_run = copied.runs.of(calls, window)
    if copied.split:
        per_run = np.full(len(summed), float(gaps.runs.of(calls, window).mean()))
    e = weighed(summed, per_run, per_run, least=least_effective(copied), most=most)
    return at_most(e, 1.0)
