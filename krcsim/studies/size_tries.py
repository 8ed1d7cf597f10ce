# SPDX-License-Identifier: GPL-2.0-only
"""Looks at one size after another, each closer than the one before, within a budget of events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from krcsim.methods.finding import Finding
from krcsim.methods.weights import says_little
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate, unseen
from krcsim.results.result import words
from krcsim.runs.ladder import FIRST_RUNS
from krcsim.studies.ask import ask, asking
from krcsim.studies.limits import SETTLED, at_each_look, limits, looks_at, needed
from krcsim.studies.reserves import Key, reserve, with_reserve
from krcsim.studies.sized import Tried

UNSEEN_SHARE = 1 / 20  # of the budget, after which a size at which no wait is seen is left
SURE = ("interval", "exact")  # kinds of estimates
WAIT_RUNS = 64  # for the mean wait without a reserve
Report = Callable[[str], None]


@dataclass
class Tries:
    """What was tried so far, and how to look closer; spends at most `budget` events.

    how: keywords of asking() for each size; left: events that may still be spent.
    """

    scenario: Scenario
    target: float
    confidence: float
    at_boot: str
    budget: float
    report: Report | None
    how: dict[str, Any]
    done: dict[Key, Tried] = field(default_factory=dict)
    more: dict[Key, Iterator[Finding]] = field(default_factory=dict)
    wait_ms: Estimate | None = None  # without a reserve, once it is known

    def __post_init__(self) -> None:
        self.left = self.budget
        self.spare = self.budget * UNSEEN_SHARE

    def scenario_with(self, objects: int, pages: int) -> Scenario:
        """The scenario with such a reserve."""
        return with_reserve(self.scenario, objects, pages, self.at_boot)

    def look(self, key: Key, runs: int) -> Tried | None:
        """Refine a size until it is decided or has that many replications; None if nothing could be
        spent on it.

        A few runs that hardly met what decides (calls under pressure, waits) say nothing of a size,
        and a search is led astray by them: where an answer is not sure, it goes on as far as a size
        at which nothing is seen may go.
        """
        seen = self.done.get(key)
        while seen is None or self._goes_on(seen, runs):
            cost = seen.finding.events if seen else 0.0  # a step takes as much as all before it
            if not self._affords(seen, cost):
                break

            source = self.more.setdefault(key, asking(self.scenario_with(*key), **self.how))
            found = next(source, None)
            if found is None:  # as fine as it gets
                break

            self.left -= found.events - cost
            seen = self.done[key] = self._judged(key, found)
            if self.report:
                self.report(f"{seen.name}: {words(seen.finding.estimate)}, {seen.verdict}")
        return seen

    def _goes_on(self, seen: Tried, runs: int) -> bool:
        """Whether a size is to be looked at more closely."""
        if seen.verdict != "open":
            return False
        unsure = seen.finding.estimate.kind not in SURE
        return seen.finding.runs < runs or (unsure and 2.0 * seen.finding.events <= self.spare)

    def _affords(self, seen: Tried | None, cost: float) -> bool:
        """Whether the next look at a size can be paid for, and is likely to decide."""
        if seen is None:
            return self.left > 0.0
        estimate = seen.finding.estimate
        nothing = estimate.kind == "bound" or says_little(estimate)
        if nothing and cost > self.spare:
            return False
        return self.left > cost * max(1.0, needed(estimate, self.target))

    def _judged(self, key: Key, found: Finding) -> Tried:
        """A finding with its limits and its verdict."""
        estimate = found.estimate
        if found.quantity == "blocked" and estimate.kind == "none":
            estimate = self._never_blocked(key, found)
            found = replace(found, estimate=estimate)

        early = found.runs < SETTLED.get(found.method, 0)
        level = at_each_look(self.confidence, looks_at(found, self.how["max_runs"]))
        lower, upper = limits(estimate, found.replications, level, early)
        verdict = "open"
        if upper < self.target:
            verdict = "passes"
        elif lower >= self.target:
            verdict = "fails"

        scenario = self.scenario_with(*key)
        name, _ = reserve(self.scenario.remedy, *key, self.at_boot)
        return Tried(
            name,
            *key,
            scenario.bytes_added(),
            scenario.bytes_at_full(),
            found,
            lower,
            upper,
            verdict,
        )

    def _never_blocked(self, key: Key, found: Finding) -> Estimate:
        """A bound where nobody was seen to wait: at worst all the time; in an open loop as long as
        without reserve.
        """
        workload = self.scenario.workload
        if workload.loop != "open":  # of all runs so many have a caller that waits at all
            return unseen(found.replications)

        left_out = ("quantity", "precision", "max_runs")
        how = {name: value for name, value in self.how.items() if name not in left_out}
        if self.wait_ms is None:
            without = self.scenario_with(0, 0)
            self.wait_ms = ask(without, "wait_ms", max_runs=WAIT_RUNS, **how).estimate
        runs = max(FIRST_RUNS, found.runs)
        waits = ask(self.scenario_with(*key), "p_wait", max_runs=runs, **how).estimate
        if self.wait_ms.hi is None or waits.hi is None:
            return found.estimate

        cpus = self.scenario.machine.cpus
        most = waits.hi * workload.rate_hz / 1000.0 * cpus * self.wait_ms.hi
        return Estimate(None, 0.0, most, "bound")
