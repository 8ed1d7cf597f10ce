# SPDX-License-Identifier: GPL-2.0-only
"""One question, one call: a method is chosen, it is said which and why, and its work is counted."""

from collections.abc import Iterator
from dataclasses import replace

from krcsim.base import old_names
from krcsim.base.errors import refuse
from krcsim.base.fields import is_real
from krcsim.methods import construction, plain
from krcsim.methods.finding import AUTO, Finding, Question
from krcsim.methods.sums import unsettled
from krcsim.methods.table import CHOICES, METHODS
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.quantities import QUANTITIES, window_ms
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Have, Stop, check_study
from krcsim.runs.replications import WINDOWS

# In events of a plain run: some 20 CPU-seconds for an answer, and 5 to 10 where it is one of many.
BUDGET, CLOSING = 1.6e8, 8e7


@old_names.takes_rungs
def ask(scenario: Scenario | str, quantity: str = "p_wait", **how: object) -> Finding:
    """The last of asking(): by construction, by the exact chain, by importance sampling or by plain
    runs, whichever suits.

    `how`: window ("boot" or "steady"), seed, precision (relative half width wanted), max_runs
    (replications at most: 8, 16, 32, ... 131072), method ("auto", or one by name), stop, have,
    workers (threads), budget (of events, after which the best so far is the answer). Raises
    KrcsimError.
    """
    *_, found = asking(scenario, quantity, **how)  # type: ignore[arg-type]
    return found


@old_names.takes_rungs
def asking(
    scenario: Scenario | str,
    quantity: str = "p_wait",
    *,
    window: str | None = None,
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    method: str = AUTO,
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
    scenario = given(scenario)
    quantity = checked_quantity(quantity)
    refuse(method not in CHOICES, "method", method, "one of " + ", ".join(CHOICES), "auto chooses")
    question = Question(
        scenario=scenario,
        quantity=quantity,
        window=checked_window(scenario, window),
        seed=seed,
        precision=precision,
        max_runs=max_runs,
        budget=budget,
        method=method,
        stop=stop,
        have=have,
        workers=workers,
    )

    note = unsettled(scenario, question.window)
    for found in _findings(question):
        yield found if found.method == construction.NAME else replace(found, note=note)


def _findings(question: Question) -> Iterator[Finding]:
    """What the first method says that has an answer."""
    for name, method in METHODS.items():
        if question.method not in (AUTO, name):
            continue

        reason = method.why_not(question.scenario, question.quantity)
        others = [choice for choice in CHOICES if choice != name]
        refuse(
            bool(reason) and question.method == name,
            "method",
            name,
            f"{', '.join(others)} for this",
            reason,
        )
        if reason:
            question = replace(question, why=reason)
            continue

        answered = False
        for found in method.findings(question):
            answered = True
            yield found
        if answered:
            return


def checked_quantity(quantity: str) -> str:
    """The quantity of a question by the name of today; raises FieldError for one that is not
    known.
    """
    today = old_names.quantity(quantity) if isinstance(quantity, str) else ""
    refuse(
        today not in QUANTITIES,
        "quantity",
        quantity,
        "one of " + ", ".join(QUANTITIES),
        "name one of them",
    )
    return today


def checked_window(scenario: Scenario, window: str | None) -> int:
    """The place in WINDOWS of a window, of the steady one if it has a length and none is named;
    raises FieldError.
    """
    window = window or WINDOWS[window_ms(scenario, 1) > 0]
    refuse(
        window not in WINDOWS,
        "window",
        window,
        "one of " + ", ".join(WINDOWS),
        "steady is after warmup_ms",
    )
    at = WINDOWS.index(window)
    refuse(
        window_ms(scenario, at) <= 0,
        "window",
        window,
        "a window of some length",
        "change warmup_ms or horizon_ms",
    )
    return at


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
    """The best honest answer within a budget, where plain runs have seen nothing.

    `budget` is counted in events of a plain run and not by the clock, so the same question has the
    same answer on every machine; CLOSING takes 5 to 10 CPU-s. What the Finding says is one of:
    `exact`; `interval`; `rough`, to be marked ~ and read as an order of magnitude; `bound`, by
    construction or since nothing was seen even so; `none`, where no call was exposed. `have` holds
    plain runs that are there already: where nothing else is found, the bound comes from them if
    they are more.
    """
    scenario = given(scenario)
    found = ask(
        scenario,
        quantity,
        window=window,
        seed=seed,
        precision=precision,
        stop=stop,
        workers=workers,
        budget=budget,
    )
    known = (have or {}).get(scenario)
    nothing = found.estimate.kind in ("bound", "none") and found.method != construction.NAME
    if known is None or not nothing or len(known) <= found.replications:
        return found

    question = Question(
        scenario=scenario,
        quantity=found.quantity,
        window=WINDOWS.index(found.window),
        budget=budget,
    )
    more = plain.finding_of(known, question, found.why)
    return replace(more, events=more.events + found.events)
