# SPDX-License-Identifier: GPL-2.0-only
"""The three questions that have sliders: pool or pages, cold start, one episode."""

import html
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import ipywidgets as w
from matplotlib.axes import Axes

from krcsim.base.errors import KrcsimError
from krcsim.model.remedy import RESERVE, named
from krcsim.model.remedy_list import listed
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report import figures, palette, timeline
from krcsim.report.chart import Chart, chart_of, names_in_strip, with_pins
from krcsim.report.export import Answer
from krcsim.report.reply import answer_text
from krcsim.results.result import Result, words
from krcsim.runs.ladder import SEED, Have, Progress, replications_at
from krcsim.studies.compare import compare, episodes
from krcsim.widgets.explorer import Explorer, Shown, possible
from krcsim.widgets.latest import Ticket
from krcsim.widgets.view import RIGHT, View

_LOAD = (
    "workload.rate_hz",
    "machine.cpus",
    "grace_period.mean_ms",
    "machine.hz",
    "workload.single_share",
)
_PRESSURE = (
    "allocator.episode.page",
    "allocator.episode.head",
    "allocator.episode_ms",
    "allocator.calm_ms",
)

# events for each remedy with which plain runs saw no wait, at last: a tenth of a second each
CLOSING = 8e5


def looking(chart: Chart, look: str) -> Chart:
    """The same chart as it looks when it is old (dimmed) or pinned beside another."""
    return replace(chart, lines=tuple(replace(line, look=look) for line in chart.lines))


def framed(ax: Axes, *, chart: Chart) -> None:
    """Frame axes as a figure has them, with a legend of all but pins, but without the lines that it
    names.
    """
    figures.frame(ax, chart)
    lines = tuple(
        replace(line, look="pin" if ": " in line.name else "dots" if line.look == "dots" else "now")
        for line in chart.lines
    )
    artists = figures.draw(replace(chart, lines=lines), ax)  # the frame outlives what is dimmed
    names = {line.name for line in lines if line.look != "pin"}
    pins = sorted({line.name.split(": ")[0] for line in lines if line.look == "pin"})
    ax.legend(
        handles=[a for a in artists if a.get_label() in names],
        loc="upper right",
        ncols=2,
        **palette.LEGEND_UNDER_SLIDERS,
        title=f"pinned, thin: {', '.join(pins)}" if pins else None,
    )
    for artist in artists:
        artist.remove()


def pictured(view: View, chart: Chart, command: str) -> bytes:
    """A chart as the picture under the sliders, stamped with its command."""
    key = (figures.limits(chart), names_in_strip(chart), tuple(line.name for line in chart.lines))
    return view.png(key, partial(framed, chart=chart), partial(figures.draw, chart), command)


def cursor(ax: Axes, episode: timeline.Episode, n: int) -> list[Any]:
    """A line at event n, with its name; returns the artists."""
    e = episode.events[n]
    near = e.ms > (episode.begin_ms + episode.end_ms) / 2
    return [
        ax.axvline(e.ms, **palette.EVENT_CURSOR),
        ax.text(
            e.ms,
            len(timeline.LANES) - 0.1,
            f" {e.what} ",
            ha="right" if near else "left",
            **palette.EVENT_LABEL,
        ),
    ]


def told(episode: timeline.Episode, n: int) -> tuple[str, str, str]:
    """Event n as (when and where, the rule that fired, the kernel's symbol)."""
    e, rule = episode.events[n], timeline.rules()[episode.events[n].what]
    held = (
        ""
        if e.cpu < 0
        else (
            f"; CPU {e.cpu} holds {e.cached} pages, {e.nr_emergency} pool objects, "
            f"{e.queued - e.listed} pointers in blocks, {e.listed} on the list"
        )
    )
    return f"{e.ms:.3f} ms: {e.what}{held}", rule["rule"], rule["symbol"]


def with_remedy(s: Scenario, name: str) -> Scenario:
    """The scenario under a remedy of that name."""
    return replace(s, remedy=named(name, s.remedy))


def bare(said: str) -> str:
    """HTML as plain text."""
    return html.unescape(said.replace("<b>", "").replace("</b>", ""))


class Compared(Explorer):
    """Remedies beside each other: at once the person's own, then all of them, rung by rung."""

    pins_at_most = 3
    names: ClassVar[str]  # the remedies, as the shell episodes them
    options: ClassVar[str] = ""
    seen: Chart | None = None  # what is on the screen, with the curves of the setting before

    def worlds(self, s: Scenario) -> dict[str, Scenario]:
        """The scenario under each remedy."""
        return possible({name: partial(with_remedy, s, name) for name in listed(self.names, s)})

    def carries(self, name: str, path: str) -> bool:
        """The rows of the table have remedies of their own, and reserves on the own remedy have
        their own sizes.
        """
        section, field = path.split(".", 1)
        return (
            section != "remedy" or name == "own" or (name.endswith("-own") and field not in RESERVE)
        )

    def ask(self, s: Scenario, names: str, **how: Any) -> Result:
        """Run the question for some remedies."""
        return compare(s, listed(names, s), **how)

    def said(self, result: Result, s: Scenario) -> str:
        """The person's own setting in words (HTML)."""
        e, at = result.get("own", "p_wait", result.windows()[-1]), html.escape
        origin = at(s.grace_period.origin(s.machine.hz, s.machine.cpus))
        return (
            f"P(wait) of your setting: <b>{at(words(e))}</b>; {s.bytes_at_boot()} bytes per CPU at "
            "boot, "
            f"{s.bytes_at_full()} at full; {origin}"
        )

    def command(
        self, s: Scenario, names: str, rung: int, budget: float, pins: dict[str, Scenario]
    ) -> str:
        """The shell command with the same numbers."""
        also = "".join(
            f" --pin {shlex.quote(command_near('', p)[len('krcsim  ') :])}" for p in pins.values()
        )
        return command_near(
            "compare",
            s,
            f"--remedies {names}{self.options} --precision 0.001 --max-rung {rung} --budget "
            f"{budget:g}{also}",
        )

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """The own point at once over the old curves, dimmed; then everything, rung by rung, and
        what was not seen.
        """
        have: Have = {}
        ask = partial(self.ask, seed=SEED, precision=0.001, have=have, stop=ticket.stop)
        own = ask(s, "own", max_rung=0, budget=0.0, command=self.command(s, "own", 0, 0.0, {}))
        chart, was = chart_of(own), self.seen.lines if self.seen else ()
        mine = {line.name: line for line in chart.lines}
        old = looking(
            replace(chart, lines=was), "old"
        ).lines  # each in its place, or the frame would be drawn anew
        self.tell(
            ticket,
            own,
            replace(chart, lines=(*(mine.pop(line.name, line) for line in old), *mine.values())),
        )
        self.keep(ticket, s, pins)
        worlds, last = {"": s, **pins}, replications_at(max(self.rungs, default=0))
        runs = 0
        steps = [(rung, 0.0) for rung in self.rungs] + [(rung, CLOSING) for rung in self.rungs[-1:]]
        for rung, budget in steps:
            if budget and not names_in_strip(chart):
                return
            there, runs, found = runs, replications_at(rung), {}
            for k, (letter, world) in enumerate(worlds.items()):
                way = self.on_way(ticket, there, runs, last, k, len(worlds))
                found[letter] = ask(
                    world,
                    self.names,
                    max_rung=rung,
                    budget=budget,
                    progress=self.closing(ticket, k, len(worlds)) if budget else way,
                    command=self.command(world, self.names, rung, budget, {} if letter else pins),
                )
            chart = with_pins(chart_of(found[""]), {k: chart_of(r) for k, r in found.items() if k})
            self.tell(ticket, found[""], chart)

    def on_way(
        self, ticket: Ticket, there: int, runs: int, last: int, k: int, worlds: int
    ) -> Progress:
        """What tells the progress from `there` to `runs` replications, of `last`, in the k-th of
        the worlds.
        """

        def way(n: int, of: int) -> None:
            share = (there + (runs - there) * (k + n / of) / worlds) / last
            self.progress(ticket, share, f"{runs} of {last} replications, {n} of {of} remedies")

        return way

    def closing(self, ticket: Ticket, k: int, worlds: int) -> Progress:
        """What tells how far the look at remedies without a wait is, in the k-th of the worlds."""

        def way(n: int, of: int) -> None:
            self.progress(
                ticket, (k + n / of) / worlds, f"no wait seen: other methods, {n} of {of} remedies"
            )

        return way

    def tell(self, ticket: Ticket, result: Result, chart: Chart) -> None:
        """Show a result."""
        s, command = ticket.value[0], str(result.provenance["command"])
        png = pictured(self.view, chart, command)
        said, self.seen = self.said(result, s), chart
        new = replace(
            chart, lines=tuple(line for line in chart.lines if line.look != "old")
        )  # for files
        answer = Answer(self.name, s, SEED, command, new, answer_text(result), result)
        ticket.show(
            self._show,
            Shown(answer, png, said, f"{chart.ylabel} over {chart.xlabel}. {bare(said)}"),
        )


class Found(Explorer):
    """A question whose finding is a chart and a sentence, better with each rung; told step by step
    on the way.
    """

    @property
    def found(self) -> Any:
        """What is shown, as Python has it; None before the first answer."""
        return self.done.found if self.done else None

    def rung_by_rung(
        self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario], look: Callable[[int], Any]
    ) -> None:
        """Show what look(rung) finds, on each rung; the setting is kept with the first."""
        for k, rung in enumerate(self.rungs or (0,)):
            self.looks = 0
            ticket.show(self._show, self.told_of(look(rung)))
            if k == 0:
                self.keep(ticket, s, pins)

    def told_of(self, found: Any) -> Shown:
        """A finding as it is shown."""
        raise NotImplementedError

    def shows(self, found: Any, chart: Chart, said: str, text: str, result: Result) -> Shown:
        """A finding with its chart, its sentence, its text for a list and its file."""
        answer = Answer(self.name, found.scenario, SEED, found.command, chart, text, result)
        return Shown(
            answer,
            pictured(self.view, chart, found.command),
            f"<b>{html.escape(said)}</b>",
            f"{chart.ylabel} over {chart.xlabel}. {said}",
            found,
        )

    def step(self, ticket: Ticket, share: Callable[[int], float], text: str) -> None:
        """Say what is being looked at; `share` of the work is done after so many looks."""
        self.looks += 1
        self.progress(ticket, min(0.95, share(self.looks)), text)


class PoolOrPages(Compared):
    """P(wait) with a pool of N objects against P pages, over the bytes per CPU that they cost."""

    name, names = "pool-or-pages", "curve"
    shown = (
        "remedy.head_alloc",
        "remedy.cache_shared",
        "remedy.nr_emergency_objs",
        "remedy.nr_bkv_objs",
        "remedy.cache_at_boot",
        *_PRESSURE,
        *_LOAD,
    )

    def fitted(self, s: Scenario) -> Scenario:
        """With a horizon of a few episodes, fewer where many CPUs make many events."""
        if s.allocator.episodes != "exponential":  # its horizon is as long as it was given
            return s
        cycle, cpus = s.allocator.episode_ms + s.allocator.calm_ms, s.machine.cpus
        span = max(
            2.0 * cycle if cpus <= 16 else cycle, min(4.0 * cycle, 10_000.0 / max(1.0, cpus / 4))
        )
        return replace(s, horizon_ms=round(s.warmup_ms + span, 3))


class ColdStart(Compared):
    """P(wait) in the first episode after boot, in the second, and so on: what preallocation buys,
    and how long.
    """

    name, names, options = "cold-start", "cold", " --by-episode 8"
    shown = (
        "remedy.head_alloc",
        "remedy.nr_emergency_objs",
        "remedy.emergency_at_boot",
        "remedy.nr_bkv_objs",
        "remedy.cache_at_boot",
        *_PRESSURE,
        *_LOAD,
    )

    def ask(self, s: Scenario, names: str, **how: Any) -> Result:
        """Run the question, episode by episode."""
        return episodes(s, listed(names, s), **how)

    def said(self, result: Result, s: Scenario) -> str:  # noqa: ARG002
        """The first and the last episode of the own setting (HTML)."""
        first, last = result.windows()[0], result.windows()[-1]
        one, later = (
            html.escape(words(result.get("own", "p_wait_episode", x))) for x in (first, last)
        )
        return (
            f"P(wait) of your setting in the first episode: <b>{one}</b>, in {last}: <b>{later}</b>"
        )


class OneEpisode(Explorer):
    """One episode of pressure on a timeline: what a CPU held, who waited, and which rule of the
    kernel fired.
    """

    name = "one-episode"
    shown = (
        "remedy.head_alloc",
        "remedy.nr_emergency_objs",
        "remedy.emergency_at_boot",
        "remedy.nr_bkv_objs",
        "remedy.cache_at_boot",
        *_PRESSURE,
        "workload.rate_hz",
        "grace_period.mean_ms",
        "workload.single_share",
    )
    episode: timeline.Episode | None = None

    def fitted(self, s: Scenario) -> Scenario:
        """Long enough for the episode asked for."""
        if s.allocator.episodes != "exponential":
            return s
        whole = 3.0 * (1 + self.which.value) * (s.allocator.episode_ms + s.allocator.calm_ms)
        return replace(s, horizon_ms=round(max(s.warmup_ms, whole), 3))

    def extras(self) -> list[Any]:
        """Which episode, and the step through its events."""
        look: Any = dict(style=dict(description_width="8em"), layout=w.Layout(width="28em"))
        self.which = w.BoundedIntText(1, min=1, max=50, description="Episode number", **look)
        self.world = w.BoundedIntText(0, min=0, max=10_000, description="World (run)", **look)
        self.cpu = w.BoundedIntText(0, min=0, max=1023, description="CPU looked at", **look)
        self.zoom = w.Dropdown(
            options=[("whole episode", 0), ("400 ms", 400), ("100 ms", 100), ("40 ms", 40)],
            description="Show",
            **look,
        )
        self.event = w.IntSlider(0, min=0, max=0, description="Event", **look)
        self.play = w.Play(0, min=0, max=0, interval=400, description="Play the events")
        w.jslink((self.play, "value"), (self.event, "value"))
        steps = {
            text: w.Button(description=text, tooltip=tip, layout=dict(width="auto"))
            for text, tip in (
                ("Back", "The event before"),
                ("Step", "The next event"),
                ("Next wait", "Where the next caller waits"),
            )
        }
        self.rule = w.HTML("").add_class("krcsim-status")
        steps["Back"].on_click(lambda _: self._go(self.event.value - 1))
        steps["Step"].on_click(lambda _: self._go(self.event.value + 1))
        steps["Next wait"].on_click(lambda _: self._next_wait())
        for control in (self.which, self.world, self.cpu, self.zoom, self.event):
            control.observe(self._moved, "value")
        self.guard.track = True
        self.guard.observe(self._point, "at")
        return [
            w.HBox([self.play, *steps.values()]),
            self.event,
            self.rule,
            w.HBox([self.which, self.world]),
            w.HBox([self.cpu, self.zoom]),
        ]

    def _go(self, n: int) -> None:
        self.event.value = max(0, min(self.event.max, n))

    def _next_wait(self) -> None:
        events = self.episode.events if self.episode else ()
        later = [
            n for n, e in enumerate(events) if e.what == "wait begins" and n > self.event.value
        ]
        first = [n for n, e in enumerate(events) if e.what == "wait begins"]
        if first:
            self._go((later or first)[0])
        else:
            self._remark(
                "Nobody waits in this episode; try another one, another world, or less reserve."
            )

    def _point(self, change: Any) -> None:
        """The pointer is on the picture: go to the event nearest to it."""
        if self.episode and (events := self.episode.events):
            left, right = self._span(self.episode, self.event.value)
            share = (change["new"] - timeline.LANES_BEGIN) / (RIGHT - timeline.LANES_BEGIN)
            ms = left + share * (right - left)
            self._go(min(range(len(events)), key=lambda n: abs(events[n].ms - ms)))

    def _span(self, episode: timeline.Episode, n: int) -> tuple[float, float]:
        left, right = episode.span
        if not self.zoom.value or not episode.events:
            return left, right
        width = float(
            self.zoom.value
        )  # pages of half that width, so that it does not jump at each step
        page = int((episode.events[n].ms - left) / (width / 2))
        return left + (page - 0.5) * width / 2, left + (page + 1.5) * width / 2

    def command(self, s: Scenario, world: int, number: int, cpu: int) -> str:
        """The shell command that draws the same episode."""
        return command_near("simulate", s, f"--replication {world} --episode {number} --cpu {cpu}")

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """Run the world again if another episode is asked for, and draw it with the cursor at the
        event.
        """
        asked = (s, self.world.value, self.which.value, min(self.cpu.value, s.machine.cpus - 1))
        n, episode = self.event.value, self.episode
        if (
            episode is None
            or (episode.scenario, episode.replication, episode.number, episode.cpu) != asked
        ):
            try:
                episode = timeline.one_episode(
                    s, SEED, replication=asked[1], number=asked[2], cpu=asked[3]
                )
            except KrcsimError as exc:
                ticket.post(self._remark, str(exc))
                return
            n = next((k for k, e in enumerate(episode.events) if e.what == "wait begins"), 0)
        n = min(n, len(episode.events) - 1)
        span = self._span(episode, n)
        command = self.command(*asked)
        png = self.view.png(
            (asked, span),
            partial(timeline.frame, episode=episode, span=span),
            lambda ax: cursor(ax, episode, n) if episode.events else [],
            f"{command} event {n}",
        )
        answer = Answer(self.name, s, SEED, command, episode, timeline.text_of(episode, command))
        said, fresh = timeline.story(episode), episode is not self.episode
        ticket.show(self._show_episode, (episode, n, Shown(answer, png, html.escape(said), said)))
        if fresh:
            self.keep(ticket, s, pins)

    def _show_episode(self, out: tuple[timeline.Episode, int, Shown]) -> None:
        episode, n, shown = out
        fresh, self.episode = episode is not self.episode, episode
        if fresh:
            self._quiet.on = True
            self.event.max = self.play.max = max(0, len(episode.events) - 1)
            self.event.value = self.play.value = n
            self._quiet.on = False
        if episode.events:
            when, rule, symbol = map(html.escape, told(episode, n))
            self.rule.value = f"<b>{when}</b><br>{rule} <code>{symbol}</code>"
        self._show(shown)
