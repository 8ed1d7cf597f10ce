# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits: importance sampling by biased copies of runs, which are split at levels of danger
where it is the pages that rarely run out.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from krcsim.methods import plain
from krcsim.methods.finding import AUTO, Finding, Question
from krcsim.methods.importance import CopiedRuns, bias
from krcsim.methods.splitting import PILOT_GO, levels, split, step_cost
from krcsim.methods.sums import divisor, expected_episode_ms, exposed
from krcsim.methods.weights import EFFECTIVE, at_most, weighed
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES, SUMS
from krcsim.runs.ladder import BOUND_RUNS, FIRST_RUNS, Stop, in_chunks
from krcsim.runs.replications import Levels, Replications, rare_runs

NAME = "rare"
LABEL = "importance sampling"

EFFECTIVE_SPLIT = 30.0  # as EFFECTIVE, of split runs: many copies go back to few
# Replications after which splitting is tried: the first if few of them hold biased copies.
TRY_EARLY, TRY_LATE = 2 * FIRST_RUNS, 8 * FIRST_RUNS


def why_not(scenario: Scenario, quantity: str = "p_wait") -> str:
    """Why biased copies cannot help, or "" if they can."""
    if quantity not in SUMS:
        return f"importance sampling answers {', '.join(SUMS)} only"
    if scenario.memory.pressure == "pages":
        return "failures follow from free pages, there is no chance to bias"
    if scenario.remedy.sheaves:
        return "remedy.sheaves is true, and copies do not bias which objects a sheaf refuses"
    return ""


def findings(question: Question) -> Iterator[Finding]:
    """Runs with biased copies, of which the first answer both ways; then whichever costs less for a
    given width.
    """
    scenario, quantity, window = question.scenario, question.quantity, question.window

    def clear(copied: CopiedRuns) -> bool:
        return estimate(copied, scenario, quantity, window).kind == "interval"

    for look in looks(
        scenario,
        question.seed,
        clear,
        max_runs=question.max_runs,
        budget=question.budget,
        stop=question.stop,
        workers=question.workers,
    ):
        copied = look.copied
        rare = _finding_of(look, question)
        alone = plain.finding_of(copied.runs, question, "waits are common enough")
        if question.method == AUTO and not look.levels and _plain_costs_less(alone, rare):
            yield alone
            if alone.estimate.half_width > question.precision and not look.over:
                further = replace(question, have={scenario: copied.runs}, why=alone.why)
                yield from islice(plain.findings(further), 1, None)
            return

        if not look.again or (look.over and rare.estimate.kind != "none"):
            yield _what_says_more(rare, alone)
        known = rare.estimate.kind == "interval" and rare.estimate.half_width <= question.precision
        if known or (rare.estimate.kind == "none" and len(copied.runs) >= BOUND_RUNS):
            return


def _finding_of(look: "Look", question: Question) -> Finding:
    """What the copies of a look say of a question."""
    copied = look.copied
    why = "biased copies of runs with a full pool say more"
    if look.levels:
        why += f", of runs split at {look.levels} levels of danger"
    return Finding(
        question.quantity,
        question.window_name,
        estimate(copied, question.scenario, question.quantity, question.window),
        NAME,
        why,
        len(copied.runs),
        copied.events() + look.pilot_events,
    )


def _plain_costs_less(alone: Finding, rare: Finding) -> bool:
    """Whether plain runs know the answer roughly, and better for less work."""
    e = alone.estimate
    return e.kind == "interval" and e.half_width < 0.5 and cost(alone) <= cost(rare)


def _what_says_more(rare: Finding, alone: Finding) -> Finding:
    """The finding of copies, but where they say nothing or less than the runs themselves."""
    if rare.estimate.kind == "none" and alone.estimate.value is not None:
        return replace(alone, why="no biased copy waited, but plain runs did")
    if rare.estimate.kind == "none":  # the bound of plain runs, and of a split run as of any
        why = "no wait was seen, with biased copies or without"
        return replace(rare, estimate=alone.estimate, why=why)
    if rare.estimate.kind == "rough" and spread(alone.estimate) < spread(rare.estimate):
        return replace(alone, why="plain runs say more than biased copies")
    return rare


@dataclass(frozen=True)
class Look:
    """Runs with biased copies, split at so many levels, of which the choice took `pilot_events`.

    over: no further look comes; again: there was a look with as many before the runs were split.
    """

    copied: CopiedRuns
    levels: int
    pilot_events: float
    over: bool
    again: bool


def looks(
    scenario: Scenario,
    seed: int,
    clear: Callable[[CopiedRuns], bool],
    *,
    max_runs: int,
    budget: float,
    stop: Stop | None = None,
    workers: int | None = None,
    by_episode: int = 0,
) -> Iterator[Look]:
    """Runs with biased copies, more and more of them within a budget; from the first anew as split
    runs if pages are what rarely runs out.

    `clear` says whether biased copies alone say enough, so that nothing has to be split.
    """
    copied: CopiedRuns | None = None
    at: Levels = ()
    tried = False
    pilot_events = 0.0
    lost = 0.0  # work that is in no look to come
    seen = 0  # the replications of the last look before the runs were split
    total = FIRST_RUNS
    while total <= max_runs:
        copied = extend(
            scenario,
            seed,
            copied,
            total,
            at,
            stop=stop,
            workers=workers,
            by_episode=by_episode,
        )
        spent = work_of(copied, scenario)
        over = total == max_runs or lost + 2.0 * spent > budget
        yield Look(copied, len(at), pilot_events, over, total <= seen)
        if over:
            return

        few = np.count_nonzero(copied.each("copies")) <= len(copied.runs) / 2
        due = (few and total == TRY_EARLY) or total == TRY_LATE
        if due and not tried and scenario.remedy.array_path and not clear(copied):
            tried = True  # it is the pages that rarely run out
            most = (budget - lost - spent) / 2.0
            if PILOT_GO * step_cost(scenario) * spent / len(copied.runs) < most:
                at, pilot_events = levels(scenario, seed, stop=stop, most=most)
                lost += pilot_events * step_cost(scenario)
            if at:
                copied = None
                seen = total
                lost += spent
                total = FIRST_RUNS
                continue
        total *= 2


def extend(
    scenario: Scenario,
    seed: int,
    have: CopiedRuns | None,
    total: int,
    at: Levels = (),
    *,
    stop: Stop | None = None,
    workers: int | None = None,
    by_episode: int = 0,
) -> CopiedRuns:
    """Replications 0 .. total - 1 with biased copies, of which `have` are there already, split `at`
    levels if there are any.
    """
    how = split(scenario) if at else bias(scenario)
    work = partial(rare_runs, scenario, seed, how=how, levels=at, by_episode=by_episode)
    first = len(have.runs) if have else 0
    parts = in_chunks(work, first, total, stop, workers)

    runs: list[Replications] = ([have.runs] if have else []) + [part[0] for part in parts]
    tally = ([have.tally] if have else []) + [part[1] for part in parts]
    return CopiedRuns(sum(runs[1:], runs[0]), np.concatenate(tally), bool(at))


def estimate(copied: CopiedRuns, scenario: Scenario, quantity: str, window: int) -> Estimate:
    """A quantity of SUMS with its interval; time under pressure, of known mean, takes its part of
    the variance away.

    Where hardly any replication holds the sum, the upper limit is that of the plain runs.
    """
    runs = copied.runs
    row = QUANTITIES[quantity]
    known = None if row.of_episode else expected_episode_ms(scenario, window)
    e = weighed(
        copied.of(SUMS[quantity][0], window),
        divisor(runs, scenario, quantity, window),
        exposed(runs, scenario, quantity, window),
        None if known is None else runs.of("episode_ms", window) - known,
        least=least_effective(copied),
        most=row.get(runs, scenario, window).hi,
    )
    return at_most(e, 1.0) if row.is_probability else e


def least_effective(copied: CopiedRuns) -> float:
    """The effective number of replications below which an answer is an order of magnitude only."""
    return EFFECTIVE_SPLIT if copied.split else EFFECTIVE


def work_of(copied: CopiedRuns, scenario: Scenario) -> float:
    """What runs with biased copies took, in events of plain runs; where they are split, the danger
    of each CPU is computed each time.
    """
    many = 1.0 + scenario.machine.cpus / plain.MANY_CPUS
    pace = step_cost(scenario) if copied.split else many
    return copied.events() * pace + plain.A_RUN * len(copied.runs)


def spread(e: Estimate) -> float:
    """The upper limit over the lower one; inf where one is missing."""
    return e.hi / e.lo if e.value is not None and e.lo and e.hi else math.inf


def cost(found: Finding) -> float:
    """Events that a finding took, for a relative half width of 1."""
    return found.events * found.estimate.half_width**2
