# SPDX-License-Identifier: GPL-2.0-only
"""How big must the reserve be: a target under a slider, and the sizes that were tried for it."""

from functools import partial
from typing import Any

import ipywidgets

from krcsim.base.old_names import option_for_runs
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.studies.reserves import with_reserve
from krcsim.studies.size import size
from krcsim.studies.size_chart import chart_of_sizes
from krcsim.studies.size_words import size_result, size_sentence, size_text
from krcsim.studies.sized import Sized
from krcsim.widgets.controls import HOW_BIG, LOOK
from krcsim.widgets.explorer import Shown
from krcsim.widgets.latest import Ticket
from krcsim.widgets.python_code import arguments, python_code
from krcsim.widgets.refined_finding import RefinedFinding
from krcsim.widgets.setting import possible

TARGETS = tuple(10.0**-digits for digits in range(1, 13))
LOOKS = 40  # of a search, more or less


class HowBig(RefinedFinding):
    """The smallest pool, the fewest pages or the cheapest mix for a target, and all that was tried
    on the way.
    """

    name = HOW_BIG
    steps = (16, 8192)  # a quick search first, then one that may look as closely as it takes

    def extras(self) -> list[Any]:
        """The target, and what is to be small."""
        self.target = ipywidgets.SelectionSlider(
            options=[(f"{target:.0e}".replace("e-0", "e-"), target) for target in TARGETS],
            value=1e-6,
            description="Target P(wait)",
            **LOOK,
        )
        self.of = ipywidgets.Dropdown(
            options=[("smallest pool", "pool"), ("fewest pages", "pages"), ("cheapest mix", "mix")],
            description="Look for the",
            **LOOK,
        )
        self.at_boot = ipywidgets.Dropdown(
            options=[("as in the scenario", "own"), ("empty", "empty"), ("full", "full")],
            value="full",
            description="At boot it is",
            **LOOK,
        )

        extras = [self.target, self.of, self.at_boot]
        for control in extras:
            control.observe(self._moved, "value")
        return extras

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """Without a reserve, with a pool and with a page: what larger ones have in common with
        these.
        """
        smallest = {"none": (0, 0), "pool": (1, 0), "page": (0, 1)}
        ways = {
            name: partial(with_reserve, scenario, objects, pages, self.at_boot.value)
            for name, (objects, pages) in smallest.items()
        }
        return {"own": scenario} | possible(ways)

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """A search with the replications of each step."""
        asked: dict[str, Any] = dict(
            target=self.target.value, of=self.of.value, at_boot=self.at_boot.value
        )
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items())

        def find(runs: int) -> Sized:
            return size(
                scenario,
                **asked,
                max_runs=runs,
                stop=ticket.stop,
                command=command_near("size", scenario, f"{options} {option_for_runs(runs)}"),
                report=partial(self.report_look, ticket, lambda looks: looks / LOOKS),
            )

        self.refine(ticket, scenario, pins, find)

    def shown(self, found: Sized) -> Shown:
        """The sizes that were tried."""
        return self.shown_as(
            found,
            chart_of_sizes(found),
            size_sentence(found),
            size_text(found),
            size_result(found),
            self.python(found),
        )

    def python(self, found: Sized) -> str:
        """The Python that finds it."""
        asked = arguments(
            target=found.target, of=found.of, at_boot=found.at_boot, max_runs=found.max_runs
        )
        return python_code(found.scenario, f"krcsim.size(scenario, {asked})")
