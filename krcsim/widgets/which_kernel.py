# SPDX-License-Identifier: GPL-2.0-only
"""The same load on every kernel since v5.8, a row a kernel; objects and pressure under sliders."""

import html
from dataclasses import replace
from functools import partial
from typing import Any

from krcsim.base.old_names import option_for_runs
from krcsim.model.kernel_rows import KERNEL_ROWS
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report.export import Answer
from krcsim.report.kernel_steps import kernels_of
from krcsim.report.kernel_words import idea_taken, kernels_verdict
from krcsim.report.kernels_chart import chart_of_kernels
from krcsim.report.kernels_text import kernels_html, kernels_text
from krcsim.results.result import Result
from krcsim.runs.ladder import FIRST_RUNS, SEED, Have
from krcsim.studies.which_kernel import which_kernel
from krcsim.widgets import engine_wait
from krcsim.widgets.controls import WHICH_KERNEL, make_tabs
from krcsim.widgets.explorer import PRESETS, Explorer, Shown
from krcsim.widgets.finding_picture import finding_picture
from krcsim.widgets.latest import Ticket
from krcsim.widgets.python_code import arguments, python_code

PRECISION = 0.001  # none of the steps ends early
# Events for each kernel with which plain runs saw no wait, at last: a tenth of a second each.
UNSEEN_BUDGET = 8e5


class WhichKernel(Explorer):
    """P(wait), memory held, time to free, callbacks, grace periods and bytes of each kernel."""

    name = WHICH_KERNEL
    presets = PRESETS
    steps = (8, 64, 256)
    above_tabs = ("workload.object_bytes", "workload.vmalloc_share")

    def _make_inputs(self) -> None:
        super()._make_inputs()
        others = {
            field: box for field, box in self.controls.items() if field not in self.above_tabs
        }
        self.tabs = make_tabs(others)

    def extras(self) -> list[Any]:
        """The kind of object, which decides more than any probability."""
        return [self.controls[field] for field in self.above_tabs]

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """The load under each kernel; the remedy of the setting is not used."""
        rows = {row.name: replace(scenario, remedy=row.remedy) for row in KERNEL_ROWS}
        return {"own": next(iter(rows.values()))} | rows

    def _seconds_to_wait(self) -> float:
        newest = replace(self.fitted(self.base), remedy=KERNEL_ROWS[-1].remedy)
        return engine_wait.seconds_to_wait(newest)

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """All kernels with few replications, then with more, and at last what was not seen."""
        have: Have = {}
        all_runs = self.runs or (FIRST_RUNS,)
        for step, runs in enumerate(all_runs):
            budget = UNSEEN_BUDGET if step + 1 == len(all_runs) else 0.0
            result = which_kernel(
                scenario,
                max_runs=runs,
                precision=PRECISION,
                budget=budget,
                have=have,
                stop=ticket.stop,
                progress=partial(self._report, ticket, step, runs),
                command=self.command(scenario, runs, budget),
            )
            ticket.check()
            ticket.show(self._show, self.shown(result, scenario))
            if step == 0:
                self.after_first_answer(ticket, scenario, pins)

    def command(self, scenario: Scenario, runs: int, budget: float) -> str:
        """The shell command with the same numbers."""
        options = f"--precision {PRECISION:g} {option_for_runs(runs)} --budget {budget:g}"
        return command_near("versions", scenario, options)

    def _report(self, ticket: Ticket, step: int, runs: int, done: int, of: int) -> None:
        ticket.check()
        all_runs = self.runs or (FIRST_RUNS,)
        before = sum(all_runs[:step])
        share = (before + runs * done / of) / sum(all_runs)
        text = f"{runs} of {all_runs[-1]} replications, {done} of {of} kernels"
        self.report_progress(ticket, share, text)

    def shown(self, result: Result, scenario: Scenario) -> Shown:
        """A result as it is shown."""
        chart = chart_of_kernels(result)
        command = str(result.provenance["command"])
        said = kernels_verdict(result)
        answer = Answer(self.name, scenario, SEED, command, chart, kernels_text(result), result)
        return Shown(
            answer,
            finding_picture(self.picture, chart, command),
            html.escape(idea_taken(kernels_of(result))),
            f"A row for each kernel from the oldest to the newest. {said}",
            result,
            verdict=said,
            table=kernels_html(result),
            python=self.python(result, scenario),
        )

    def python(self, result: Result, scenario: Scenario) -> str:
        """The Python that gives the same result."""
        how = arguments(
            precision=PRECISION,
            max_runs=max(result.provenance["runs"].values()),
            budget=result.provenance["budget"],
        )
        return python_code(
            scenario,
            f"krcsim.which_kernel(scenario, {how})",
        )
