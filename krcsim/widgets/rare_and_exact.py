# SPDX-License-Identifier: GPL-2.0-only
"""Can the rare answer be trusted: the exact chain next to what is simulated, on one CPU."""

import html
from functools import partial
from typing import Any

import ipywidgets

from krcsim.base.old_names import option_for_runs
from krcsim.methods.finding import Finding
from krcsim.methods.table import METHODS
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.results.result import words
from krcsim.runs.ladder import FIRST_RUNS
from krcsim.studies.all_methods import COMPARED, LARGEST, AllMethods, by_all_methods
from krcsim.studies.all_methods_report import (
    all_methods_result,
    all_methods_text,
    chart_of_all_methods,
    verdict,
)
from krcsim.studies.reserves import with_reserve
from krcsim.widgets.controls import LOOK, RARE_AND_EXACT
from krcsim.widgets.explorer import PRESETS, Shown
from krcsim.widgets.latest import Ticket
from krcsim.widgets.python_code import arguments, python_code
from krcsim.widgets.refined_finding import RefinedFinding
from krcsim.widgets.setting import possible

EXACT_KEPT = 200  # exact answers of settings before, which are found once


class RareAndExact(RefinedFinding):
    """P(wait) over the size of a pool, or of a list of pages: exact, by plain runs, and by
    importance sampling or splitting.
    """

    name = RARE_AND_EXACT
    presets = {"Small scenario, 1 CPU": "small-world", **PRESETS}
    steps = (8, 32, 256)

    def extras(self) -> list[Any]:
        """What grows, and the size that is put into words."""
        self.known: dict[Scenario, Finding] = {}
        self.of = ipywidgets.Dropdown(
            options=[("a pool of objects", "pool"), ("a list of pages", "pages")],
            description="What grows",
            **LOOK,
        )
        self.size = ipywidgets.IntSlider(
            6, min=0, max=max(LARGEST.values()), description="Size in the sentence", **LOOK
        )
        self.of.observe(self._moved, "value")
        self.size.observe(lambda _change: self._describe_size(), "value")
        return [self.of, self.size]

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """Without a reserve, and with the smallest of the kind that grows."""
        objects, pages = (1, 0) if self.of.value == "pool" else (0, 1)
        ways = {
            "none": partial(with_reserve, scenario, 0, 0),
            "one": partial(with_reserve, scenario, objects, pages),
        }
        return {"own": scenario} | possible(ways)

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """All sizes with few replications, then with more; the exact answers are found once."""
        of = self.of.value
        sizes = LARGEST[of] + 1
        all_runs = self.runs or (FIRST_RUNS,)
        self.known = dict(list(self.known.items())[-EXACT_KEPT:])

        def share(runs: int, looks: int) -> float:
            before = sum(step for step in all_runs if step < runs)
            return (before + runs * (looks - 1) / sizes) / sum(all_runs)

        def find(runs: int) -> AllMethods:
            options = f"--sizes {LARGEST[of]} --of {of} {option_for_runs(runs)}"
            return by_all_methods(
                scenario,
                of,
                max_runs=runs,
                stop=ticket.stop,
                known=self.known,
                command=command_near("ask", scenario, options),
                report=partial(self.report_look, ticket, partial(share, runs)),
            )

        self.refine(ticket, scenario, pins, find)

    def shown(self, found: AllMethods) -> Shown:
        """All methods next to each other."""
        return self.shown_as(
            found,
            chart_of_all_methods(found),
            verdict(found),
            all_methods_text(found),
            all_methods_result(found),
            self.python(found),
        )

    def python(self, found: AllMethods) -> str:
        """The Python that finds it."""
        asked = arguments(largest=len(found.rows) - 1, max_runs=found.max_runs)
        return python_code(
            found.scenario,
            f"by_all_methods(scenario, {found.of!r}, {asked})",
            ("from krcsim.studies.all_methods import by_all_methods",),
        )

    def _show(self, shown: Shown) -> None:
        super()._show(shown)
        self._describe_size()

    def _describe_size(self) -> None:
        """The answer of each method for the size under the slider."""
        found: AllMethods | None = self.found
        if found is None or self.done is None:
            return

        wanted = self.size.value
        size = min(wanted, len(found.rows) - 1)
        grows = "object" if found.of == "pool" else "page"
        plural = "" if size == 1 else "s"
        left_out = f" (sizes above {size} are left out: too rare)" if wanted > size else ""

        answers = "; ".join(
            f"{METHODS[method].LABEL} {words(found.estimate(method, size))}" for method in COMPARED
        )
        text = f"With {size} {grows}{plural}: {answers}{left_out}"
        self.note.value = html.escape(text)
