# SPDX-License-Identifier: GPL-2.0-only
"""One question, one call: the method is chosen, said, and its work counted."""
from collections.abc import Iterator
from dataclasses import dataclass
from krcsim.estimate import Estimate
from krcsim.measures import QUANTITIES, answers, window_ms
from krcsim.run import WINDOWS
from krcsim.scenario import Scenario
from krcsim.study import DEFAULT_RUNG, PRECISION, SEED, Have, Stop, check_study, climb, given
from krcsim.values import refuse
METHODS = ("auto", "skipping", "rare", "exact")

@dataclass(frozen=True)
class Finding:
    """An estimate, the method that made it and why that one, and its work.

    rung: of the ladder (0 for the exact chain); replications: of the scenario (states of the chain); events: that the
    engine handled (steps of the chain), the same on every machine.
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
    scenario = given(scenario)
    refuse(quantity not in QUANTITIES, "quantity", quantity, "one of " + ", ".join(QUANTITIES), "name one of them")
    refuse(method not in METHODS, "method", method, "one of " + ", ".join(METHODS), "auto chooses")
    window = window or WINDOWS[window_ms(scenario, 1) > 0]
    refuse(window not in WINDOWS, "window", window, "one of " + ", ".join(WINDOWS), "steady is after warmup_ms")
    w = WINDOWS.index(window)
    for rung, runs in climb(scenario, seed, precision=precision, max_rung=max_rung, stop=stop, have=have,
            workers=workers):
        found = answers(runs, scenario, w, [quantity])[quantity]
        yield Finding(quantity, window, found, "skipping", "", rung, len(runs), float(runs.of("events", w).sum()))

def ask(scenario: Scenario | str, quantity: str = "p_wait", **how: object) -> Finding:
    """The last of asking(): skipping simulation, rare-event estimation or the exact chain, whichever suits.

    `how`: window ("boot" or "steady"), seed, precision (relative half width wanted), max_rung (the budget), method
    ("auto", or one by name), stop, have, workers (threads). Raises KrcsimError.
    """
    *_, found = asking(scenario, quantity, **how)  # type: ignore[arg-type]
    return found
