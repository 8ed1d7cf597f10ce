# SPDX-License-Identifier: GPL-2.0-only
"""Plain runs, more and more of them, until an answer is known well enough."""

from collections.abc import Iterator
from dataclasses import replace

from krcsim.methods.finding import Finding, Question
from krcsim.methods.sums import exposed
from krcsim.methods.weights import EXPOSED_ROUGH, RUNS, faint
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Estimate, effective
from krcsim.results.quantities import SUMS, answers, window_ms
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

NAME = "skipping"  # the engine skips from event to event
LABEL = "plain runs"

# Work is counted in events of a plain run, of which a processor handles some eight million a
# second.
MANY_CPUS = 80.0  # at which an event takes twice as long
A_RUN = 4000.0  # what it takes to begin and to end a replication, in such events


def why_not(_scenario: Scenario, _quantity: str = "p_wait") -> str:
    """ "": any scenario can be simulated."""
    return ""


def findings(question: Question) -> Iterator[Finding]:
    """What 8, 16, 32, ... replications say, within the budget."""
    scenario = question.scenario
    found = None
    for runs in runs_until_known(
        scenario,
        question.seed,
        precision=question.precision,
        max_runs=question.max_runs,
        stop=question.stop,
        have=question.have,
        workers=question.workers,
        known_by=question.quantity if question.quantity == "p_oom" else "p_wait",
    ):
        found = finding_of(runs, question)
        yield found
        if len(runs) < question.max_runs and 2.0 * work_of(runs, scenario) > question.budget:
            return

    if not found and question.have:  # there are more runs already than are asked for
        yield finding_of(question.have[scenario], question)


def finding_of(runs: Replications, question: Question, why: str = "") -> Finding:
    """What plain runs say of a question."""
    return Finding(
        question.quantity,
        question.window_name,
        estimate(runs, question.scenario, question.quantity, question.window),
        NAME,
        why or question.why or "asked for",
        len(runs),
        events_of(runs),
        when=_time_meant(question),
    )


def _time_meant(question: Question) -> str:
    """Within what time a run meets what is asked, "" of what is no share of runs."""
    scenario = question.scenario
    ms = scenario.warmup_ms if question.window == 0 else scenario.horizon_ms
    return f"within {ms / 1000.0:g} s" if question.quantity == "p_oom" else ""


def runs_until_known(
    scenario: Scenario,
    seed: int,
    *,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    stop: Stop | None = None,
    have: Have | None = None,
    by_episode: int = 0,
    workers: int | None = None,
    known_by: str = "p_wait",
) -> Iterator[Replications]:
    """Yield 8, 16, 32, ... replications until P(wait), or the quantity `known_by`, is known to
    `precision` or there are `max_runs`; `have` keeps them for later calls.
    """
    have = {} if have is None else have
    window = 1 if by_episode or window_ms(scenario, 1) > 0 else 0
    for total in steps(max_runs):
        runs = have.get(scenario)
        if runs is not None and len(runs) > total:
            continue

        runs = have[scenario] = extend(
            scenario, seed, runs, total, stop=stop, workers=workers, by_episode=by_episode
        )
        yield runs

        found = answers(runs, scenario, window, [known_by])[known_by]
        known = found.kind == "interval" and found.half_width <= precision
        if known or found.kind in ("bound", "none") and total >= BOUND_RUNS:
            return


def estimate(runs: Replications, scenario: Scenario, quantity: str, window: int) -> Estimate:
    """A quantity of plain runs; of those in SUMS only as sure as the replications that met calls
    which may wait.
    """
    e = answers(runs, scenario, window, [quantity])[quantity]
    if quantity not in SUMS:
        return e

    met = exposed(runs, scenario, quantity, window)
    if e.kind == "bound" and not met.any():
        return NOTHING
    if e.value is None or e.lo is None or e.hi is None:
        return e
    if effective(met) < EXPOSED_ROUGH:
        return faint(e.value, None)

    held = effective(runs.of(SUMS[quantity][0], window))
    few = len(runs) < RUNS and held < EXPOSED_ROUGH
    return replace(e, kind="rough") if few else e


def events_of(runs: Replications) -> float:
    """Events that the engine handled."""
    return float(runs.of("events", 1).sum())


def work_of(runs: Replications, scenario: Scenario) -> float:
    """What plain runs took, in events on few CPUs: of many each takes longer, and to begin and end
    costs a little.
    """
    pace = 1.0 + scenario.machine.cpus / MANY_CPUS
    return events_of(runs) * pace + A_RUN * len(runs)
