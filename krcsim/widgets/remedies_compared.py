# SPDX-License-Identifier: GPL-2.0-only
"""What questions share that compare remedies: at once the setting, then all remedies, refined."""

import html
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from krcsim.base.old_names import option_for_runs
from krcsim.model.remedy import RESERVE, named
from krcsim.model.remedy_list import listed
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report.chart import Chart, chart_of, names_in_strip, with_pins
from krcsim.report.export import Answer
from krcsim.report.figures import has_room
from krcsim.report.reply import answer_text
from krcsim.results.result import Result, words
from krcsim.results.verdict import verdict
from krcsim.runs.ladder import FIRST_RUNS, SEED, Have, Progress
from krcsim.studies.compare import compare
from krcsim.widgets.answer_table import table_of
from krcsim.widgets.chart_picture import (
    chart_picture,
    old_lines_kept,
    own_picture,
    with_look,
    with_own,
)
from krcsim.widgets.explorer import Explorer, Shown
from krcsim.widgets.latest import Ticket
from krcsim.widgets.live_picture import Drawing
from krcsim.widgets.python_code import arguments, python_code
from krcsim.widgets.setting import possible

PRECISION = 0.001  # none of the steps ends early
# Events for each remedy with which plain runs saw no wait, at last: a tenth of a second each.
UNSEEN_BUDGET = 8e5

Ask = Callable[..., Result]


def with_remedy(scenario: Scenario, name: str) -> Scenario:
    """The scenario under a remedy of that name."""
    return replace(scenario, remedy=named(name, scenario.remedy))


@dataclass(frozen=True)
class Step:
    """One step of refining: from the `before` replications to `runs`, of `last` in all.

    budget: events for each remedy with which no wait was seen; 0: none are spent.
    """

    before: int
    runs: int
    last: int
    budget: float


def steps_of(runs: tuple[int, ...]) -> list[Step]:
    """The steps of refining; the last number of replications comes twice, the second time with a
    look at what was not seen.
    """
    last = max(runs, default=FIRST_RUNS)
    steps = [Step(before, now, last, 0.0) for before, now in zip((0, *runs), runs, strict=False)]
    return steps + [Step(now, now, last, UNSEEN_BUDGET) for now in runs[-1:]]


class RemediesCompared(Explorer):
    """Remedies next to each other: at once the setting, then all of them, step by step."""

    pins_at_most = 3
    remedies: ClassVar[str]  # as the shell names them
    options: ClassVar[str] = ""  # of the shell
    asks: ClassVar[str] = "krcsim.compare"  # what Python asks with
    below: Chart | None = None  # the last curves, dimmed: over them the next setting is shown first

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """The setting under each remedy."""
        names = listed(self.remedies, scenario)
        return possible({name: partial(with_remedy, scenario, name) for name in names})

    def is_shared(self, remedy: str, field: str) -> bool:
        """Remedies of the table are not the setting's; reserves on it have sizes of their own."""
        section, name = field.split(".", 1)
        if section != "remedy" or remedy == "own":
            return True
        return remedy.endswith("-own") and name not in RESERVE

    def ask(self, scenario: Scenario, remedies: str, **how: Any) -> Result:
        """Run the question for some remedies."""
        return compare(scenario, listed(remedies, scenario), **how)

    def sentence(self, result: Result, scenario: Scenario) -> str:
        """The answer to the setting in words (HTML)."""
        estimate = result.get("own", "p_wait", result.windows()[-1])
        machine = scenario.machine
        origin = scenario.grace_period.origin(machine.hz, machine.cpus)
        return (
            f"P(wait) of your setting: <b>{html.escape(words(estimate))}</b>; "
            f"{scenario.bytes_at_boot()} bytes per CPU at boot, "
            f"{scenario.bytes_at_full()} when full; {html.escape(origin)}"
        )

    def command(
        self,
        scenario: Scenario,
        remedies: str,
        runs: int,
        budget: float,
        pins: dict[str, Scenario],
    ) -> str:
        """The shell command with the same numbers."""
        verb = "krcsim  "  # of a command without one
        pinned = [command_near("", pin).removeprefix(verb) for pin in pins.values()]
        also = "".join(f" --pin {shlex.quote(pin)}" for pin in pinned)
        return command_near(
            "compare",
            scenario,
            f"--remedies {remedies}{self.options} --precision {PRECISION:g} "
            f"{option_for_runs(runs)} --budget {budget:g}{also}",
        )

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """The point of the setting at once over the old curves, dimmed; then everything, step by
        step, and at last what was not seen.
        """
        have: Have = {}
        ask = partial(self.ask, seed=SEED, precision=PRECISION, have=have, stop=ticket.stop)

        chart = self._show_own_point(ticket, scenario, ask)
        self.after_first_answer(ticket, scenario, pins)

        settings = {"": scenario, **pins}
        for step in steps_of(self.runs):
            if step.budget and not names_in_strip(chart):
                return
            results = {
                letter: self._run_step(ticket, step, place, settings, ask)
                for place, letter in enumerate(settings)
            }
            pinned = {letter: chart_of(result) for letter, result in results.items() if letter}
            chart = with_pins(chart_of(results[""]), pinned)
            ticket.check()
            drawing = chart_picture(self.picture, chart, self._command_of(results[""]))
            self.below = with_look(chart, "old")
            self._show_result(ticket, results[""], chart, drawing)
            old_lines_kept(self.picture, self.below)

    def _show_own_point(self, ticket: Ticket, scenario: Scenario, ask: Ask) -> Chart:
        """Show the setting over the curves of the setting before, which are dimmed.

        The axes stay as they are, with these curves drawn once, while the setting has room there.
        """
        command = self.command(scenario, "own", FIRST_RUNS, 0.0, {})
        own = ask(scenario, "own", max_runs=FIRST_RUNS, budget=0.0, command=command)

        chart = chart_of(own)
        line = chart.lines[0]
        below = self.below or with_look(chart, "old")
        if not has_room(below, line):  # the axes grow, and stay so until there are new curves
            wider = replace(below, room_for=(*below.room_for, line))
            below = wider if has_room(wider, line) else below
        self.below = below

        seen = with_own(replace(below, note=chart.note, title=chart.title), line)
        if has_room(below, line):
            drawing = own_picture(self.picture, below, line, command)
        else:
            drawing = chart_picture(self.picture, replace(seen, room_for=()), command)
        self._show_result(ticket, own, seen, drawing)
        return chart

    def _run_step(
        self, ticket: Ticket, step: Step, place: int, settings: dict[str, Scenario], ask: Ask
    ) -> Result:
        """A step for the setting (place 0), or for a pin."""
        letter = list(settings)[place]
        scenario = settings[letter]
        pins = {} if letter else {name: pin for name, pin in settings.items() if name}
        return ask(
            scenario,
            self.remedies,
            max_runs=step.runs,
            budget=step.budget,
            progress=self._progress_of(ticket, step, place, len(settings)),
            command=self.command(scenario, self.remedies, step.runs, step.budget, pins),
        )

    def _progress_of(self, ticket: Ticket, step: Step, place: int, settings: int) -> Progress:
        """What reports the progress of a step, in one of some settings."""

        def report(done: int, of: int) -> None:
            ticket.check()
            share = (place + done / of) / settings
            if step.budget:
                text = f"no wait seen: other methods, {done} of {of} remedies"
            else:
                share = (step.before + (step.runs - step.before) * share) / step.last
                text = f"{step.runs} of {step.last} replications, {done} of {of} remedies"
            self.report_progress(ticket, share, text)

        return report

    def _command_of(self, result: Result) -> str:
        return str(result.provenance["command"])

    def _show_result(self, ticket: Ticket, result: Result, chart: Chart, drawing: Drawing) -> None:
        """Show a result; what is exported is without the dimmed curves of the setting before."""
        scenario = ticket.value[0]
        command = self._command_of(result)
        ticket.show_part(self._show_picture, drawing)
        ticket.let_it_appear()
        sentence = self.sentence(result, scenario)

        present = tuple(line for line in chart.lines if line.look != "old")
        answer = Answer(
            self.name,
            scenario,
            SEED,
            command,
            replace(chart, lines=present, room_for=()),
            answer_text(result),
            result,
        )
        said = verdict(result)
        shown = Shown(
            answer,
            drawing,
            sentence,
            f"{chart.ylabel} over {chart.xlabel}. {said}",
            verdict=said,
            table=table_of(answer, sentence),
            python=self.python(result, scenario),
        )
        ticket.show(self._show, shown)

    def python(self, result: Result, scenario: Scenario) -> str:
        """The Python that gives the same result."""
        names = [str(point[0]) for point in result.points()]
        remedies = repr(names)
        imports: tuple[str, ...] = ()
        if names == list(listed(self.remedies, scenario)):
            remedies = f'listed("{self.remedies}", scenario)'
            imports = ("from krcsim.model.remedy_list import listed",)

        how = arguments(
            precision=PRECISION,
            max_runs=max(result.provenance["runs"].values()),
            budget=result.provenance["budget"],
        )
        call = f"{self.asks}(scenario, {remedies}, {how})"
        return python_code(scenario, call, imports)
