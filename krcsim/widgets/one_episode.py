# SPDX-License-Identifier: GPL-2.0-only
"""One episode of pressure, event by event: who waited, and which rule of the kernel fired."""

import html
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report import timeline
from krcsim.report.episode import Episode, one_episode, rules
from krcsim.report.episode_words import finding, situation_of, story, text_of
from krcsim.report.event_sentences import counted
from krcsim.report.export import Answer
from krcsim.runs.ladder import SEED
from krcsim.widgets.answer_table import table_of
from krcsim.widgets.controls import ONE_EPISODE, make_buttons
from krcsim.widgets.explorer import Explorer, Shown
from krcsim.widgets.latest import Ticket
from krcsim.widgets.live_picture import DOTS_PER_INCH, RIGHT
from krcsim.widgets.python_code import arguments, python_code

WAIT = "wait begins"  # the event of a caller that has to wait
STEPS = (
    ("Back", "The event before"),
    ("Step", "The next event"),
    ("Next wait", "Where the next caller waits"),
)
SPANS_MS = (("whole episode", 0), ("400 ms", 400), ("100 ms", 100), ("40 ms", 40))


def describe(episode: Episode, number: int) -> tuple[str, str, str]:
    """An event as (its sentence and what is held, the rule behind it, the kernel's symbol)."""
    event = episode.events[number]
    rule = rules()[event.what]

    holds = ""
    if event.cpu >= 0:
        holds = (
            f"; CPU {event.cpu} holds {counted(event.cached, 'page')}, "
            f"{counted(event.nr_emergency, 'pool object')}, "
            f"{counted(event.in_blocks, 'pointer')} in blocks, {event.listed:,} on the list"
        )
    return f"{timeline.event_in_words(episode, number)}{holds}", rule["rule"], rule["symbol"]


def waits_in(episode: Episode | None) -> list[int]:
    """The numbers of the events at which a caller begins to wait."""
    events = episode.events if episode else ()
    return [number for number, event in enumerate(events) if event.what == WAIT]


class OneEpisode(Explorer):
    """One episode on a timeline: what a CPU held, who waited, and which rule of the kernel
    fired.
    """

    name = ONE_EPISODE
    old_names = ("one-spell",)
    logs_events = True
    extras_below = True
    episode: Episode | None = None  # what is on the screen

    def fitted(self, scenario: Scenario) -> Scenario:
        """Long enough for the episode asked for."""
        allocator = scenario.allocator
        if allocator.episodes != "exponential":
            return scenario

        cycle_ms = allocator.episode_ms + allocator.calm_ms
        span_ms = 3.0 * (1 + self.which.value) * cycle_ms
        return replace(scenario, horizon_ms=round(max(scenario.warmup_ms, span_ms), 3))

    def extras(self) -> list[Any]:
        """Which episode, and the step through its events."""
        look: Any = dict(
            style=dict(description_width="8em"), layout=ipywidgets.Layout(width="28em")
        )
        number = ipywidgets.BoundedIntText
        self.which = number(1, min=1, max=50, description="Episode number", **look)
        self.replication = number(0, min=0, max=10_000, description="Replication", **look)
        self.cpu = number(0, min=0, max=1023, description="CPU looked at", **look)
        self.zoom = ipywidgets.Dropdown(options=SPANS_MS, description="Show", **look)
        self.event = ipywidgets.IntSlider(0, min=0, max=0, description="Event", **look)
        self.play = ipywidgets.Play(0, min=0, max=0, interval=400, description="Play the events")
        self.rule = ipywidgets.HTML("").add_class("krcsim-status")

        ipywidgets.jslink((self.play, "value"), (self.event, "value"))
        steps = make_buttons(STEPS)
        steps["Back"].on_click(lambda _button: self._go_to(self.event.value - 1))
        steps["Step"].on_click(lambda _button: self._go_to(self.event.value + 1))
        steps["Next wait"].on_click(lambda _button: self._next_wait())
        for control in (self.which, self.replication, self.cpu, self.zoom, self.event):
            control.observe(self._moved, "value")

        self.browser_side.track = True
        self.browser_side.observe(self._point, "at")
        return [
            ipywidgets.HBox([self.play, *steps.values()]),
            self.event,
            self.rule,
            ipywidgets.HBox([self.which, self.replication]),
            ipywidgets.HBox([self.cpu, self.zoom]),
        ]

    # ---- steps through the events

    def _go_to(self, number: int) -> None:
        self.event.value = max(0, min(self.event.max, number))

    def _next_wait(self) -> None:
        """Go to the next caller that waits, or from the last one to the first."""
        waits = waits_in(self.episode)
        later = [number for number in waits if number > self.event.value]

        if waits:
            self._go_to((later or waits)[0])
        else:
            self._remark(
                "Nobody waits in this episode; try another one, another replication, or less "
                "reserve."
            )

    def _point(self, change: Any) -> None:
        """The pointer is on the picture: go to the event nearest to it."""
        if not self.episode or not self.episode.events:
            return

        events = self.episode.events
        left_ms, right_ms = self._span(self.episode, self.event.value)
        left = timeline.left_edge(self.picture.look.width / DOTS_PER_INCH)
        share = (change["new"] - left) / (RIGHT - left)
        ms = left_ms + share * (right_ms - left_ms)
        self._go_to(min(range(len(events)), key=lambda number: abs(events[number].ms - ms)))

    def _span(self, episode: Episode, number: int) -> tuple[float, float]:
        """The part of the episode that is drawn, in ms, with an event in it.

        Parts begin at multiples of half their width, so that the picture does not jump at each
        step.
        """
        left_ms, right_ms = episode.span
        if not self.zoom.value or not episode.events:
            return left_ms, right_ms

        half_ms = float(self.zoom.value) / 2
        part = int((episode.events[number].ms - left_ms) / half_ms)
        return left_ms + (part - 0.5) * half_ms, left_ms + (part + 1.5) * half_ms

    # ---- the run

    def command(self, scenario: Scenario, replication: int, number: int, cpu: int) -> str:
        """The shell command that draws the same episode."""
        return command_near(
            "simulate", scenario, f"--replication {replication} --episode {number} --cpu {cpu}"
        )

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """Run the replication again if another episode is asked for; draw it, with the cursor at
        the event.
        """
        cpu = min(self.cpu.value, scenario.machine.cpus - 1)
        asked = (scenario, self.replication.value, self.which.value, cpu)

        episode, number = self.episode, self.event.value
        if episode is None or asked != _asked_for(episode):
            try:
                episode = _run(*asked)
            except KrcsimError as error:
                ticket.post(self._remark, str(error))
                return
            number = next(iter(waits_in(episode)), 0)

        number = min(number, len(episode.events) - 1)
        is_new = episode is not self.episode
        ticket.show(self._show_episode, (episode, number, self._drawn(episode, number)))
        if is_new:
            self.after_first_answer(ticket, scenario, pins)

    def _drawn(self, episode: Episode, number: int) -> Shown:
        """An episode with the cursor at an event, as it is shown."""
        asked = _asked_for(episode)
        span = self._span(episode, number)
        command = self.command(*asked)
        drawing = self.picture.drawing(
            (asked, span),
            partial(timeline.frame, episode=episode, span=span),
            lambda axes: timeline.draw_event(axes, episode, number) if episode.events else [],
            f"{command} event {number}",
        )

        text = text_of(episode, command)
        how = dict(replication=episode.replication, number=episode.number, cpu=episode.cpu)
        answer = Answer(self.name, episode.scenario, SEED, command, episode, text)
        said = f"{finding(episode)}."
        python = python_code(
            episode.scenario,
            f"krcsim.one_episode(scenario, {arguments(**how)})",
        )
        before = self.done
        is_same = before is not None and before.answer.drawn is episode
        table = before.table if before and is_same else table_of(answer)
        return Shown(
            answer,
            drawing,
            html.escape(situation_of(episode)),
            f"{said} {story(episode)}",
            verdict=said,
            table=table,
            python=python,
        )

    def _show_episode(self, result: tuple[Episode, int, Shown]) -> None:
        episode, number, shown = result
        is_new = episode is not self.episode
        self.episode = episode

        if is_new:
            last = max(0, len(episode.events) - 1)
            with self._setting_by_program():
                self.event.max = self.play.max = last
                self.event.value = self.play.value = number

        if episode.events:
            when, rule, symbol = (html.escape(text) for text in describe(episode, number))
            self.rule.value = f"<b>{when}</b><br>{rule} <code>{symbol}</code>"

        self._show(shown)


def _asked_for(episode: Episode) -> tuple[Scenario, int, int, int]:
    """What an episode was asked for by: scenario, replication, number, CPU."""
    return episode.scenario, episode.replication, episode.number, episode.cpu


def _run(scenario: Scenario, replication: int, number: int, cpu: int) -> Episode:
    return one_episode(scenario, SEED, replication=replication, number=number, cpu=cpu)
