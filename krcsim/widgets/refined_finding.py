# SPDX-License-Identifier: GPL-2.0-only
"""What questions share whose finding is a chart and a sentence, better with each step."""

import html
from collections.abc import Callable
from typing import Any

from krcsim.model.scenario import Scenario
from krcsim.report.chart import Chart
from krcsim.report.export import Answer
from krcsim.results.result import Result
from krcsim.runs.ladder import FIRST_RUNS, SEED
from krcsim.widgets.explorer import Explorer, Shown
from krcsim.widgets.finding_picture import finding_picture
from krcsim.widgets.latest import Ticket


class RefinedFinding(Explorer):
    """A question whose finding is a chart and a sentence; progress is reported on the way."""

    looks = 0  # how many sizes the present step has looked at

    @property
    def found(self) -> Any:
        """What is shown, as Python has it; None before the first answer."""
        return self.done.found if self.done else None

    def refine(
        self,
        ticket: Ticket,
        scenario: Scenario,
        pins: dict[str, Scenario],
        find: Callable[[int], Any],
    ) -> None:
        """Show what find(runs) finds with the replications of each step; the setting is kept with
        the first.
        """
        for step, runs in enumerate(self.runs or (FIRST_RUNS,)):
            self.looks = 0
            ticket.show(self._show, self.shown(find(runs)))
            if step == 0:
                self.after_first_answer(ticket, scenario, pins)

    def shown(self, found: Any) -> Shown:
        """A finding as it is shown."""
        raise NotImplementedError

    def shown_as(
        self,
        found: Any,
        chart: Chart,
        sentence: str,
        text: str,
        result: Result,
        python: str = "",
    ) -> Shown:
        """A finding with its chart, its sentence, its text for a mailing list, its file, and the
        Python that finds it.
        """
        answer = Answer(self.name, found.scenario, SEED, found.command, chart, text, result)
        return Shown(
            answer,
            finding_picture(self.picture, chart, found.command),
            html.escape(sentence),
            f"{chart.ylabel} over {chart.xlabel}. {sentence}",
            found,
            verdict=chart.title.removesuffix(".") + ".",
            table=found._repr_html_(),
            python=python,
        )

    def report_look(self, ticket: Ticket, share: Callable[[int], float], text: str) -> None:
        """Say what is being looked at; share(looks) of the work is done after so many looks."""
        self.looks += 1
        self.report_progress(ticket, min(0.95, share(self.looks)), text)
