# SPDX-License-Identifier: GPL-2.0-only
"""A question to a method, what the method finds, and what every method has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from krcsim.base.tables import html_table, paragraph
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate
from krcsim.results.result import number, words
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Have, Stop
from krcsim.runs.replications import WINDOWS

AUTO = "auto"  # the methods are tried one after another


@dataclass(frozen=True, kw_only=True)
class Question:
    """One quantity of one scenario, and what may be spent on it.

    window: its place in WINDOWS; precision: the relative half width that is wanted; budget: in
    events of a plain run; method: AUTO or the name of one; why: why the methods that were tried
    before have no answer; have: plain runs that are there already; workers: threads, None for all
    processors.
    """

    scenario: Scenario
    quantity: str
    window: int
    budget: float
    seed: int = SEED
    precision: float = PRECISION
    max_runs: int = DEFAULT_RUNS
    method: str = AUTO
    why: str = ""
    stop: Stop | None = None
    have: Have | None = None
    workers: int | None = None

    @property
    def window_name(self) -> str:
        """Whose calls: boot or steady."""
        return WINDOWS[self.window]


@dataclass(frozen=True, repr=False)
class Finding:
    """An estimate, the method that made it and why that one, and its work.

    method: skipping, rare, exact or by construction. replications: of the scenario (states of the
    chain); events: that the engine handled (ticks of the chain), the same on every machine. note:
    what a reader has to know of the window, "" if nothing.
    """

    quantity: str
    window: str
    estimate: Estimate
    method: str
    why: str
    replications: int
    events: float
    note: str = ""
    when: str = ""  # within what time, of a share of runs

    @property
    def runs(self) -> int:
        """Replications that were simulated: 0 where nothing was."""
        return self.replications if self.method in ("skipping", "rare") else 0

    def __repr__(self) -> str:
        """In a line the verdict."""
        from krcsim.methods.finding_verdict import finding_verdict

        return f"<Finding: {finding_verdict(self)}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the verdict, the number, and how it was found."""
        from krcsim.methods.finding_verdict import finding_verdict

        head = ["quantity", "window", "estimate", "method", "replications", "events"]
        row = [
            self.quantity,
            self.window,
            words(self.estimate),
            self.method,
            self.replications,
            number(self.events),
        ]
        return f"{paragraph(finding_verdict(self))}{html_table(head, [row])}"


class Method(Protocol):
    """A way to an answer: each is a module of this room, and a row of table.METHODS."""

    NAME: str  # in options and in the column `method`
    LABEL: str  # in tables, pictures and sentences

    def why_not(self, scenario: Scenario, quantity: str) -> str:
        """Why it has no answer, or "" if it may have one."""

    def findings(self, question: Question) -> Iterator[Finding]:
        """Answers, each better than the one before; none where it turns out that it has none."""
