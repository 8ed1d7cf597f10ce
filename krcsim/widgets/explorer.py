# SPDX-License-Identifier: GPL-2.0-only
"""What all explorers share: controls next to a picture that follows them, and pins.

The way of a move: a control calls _moved(), which submits the scenario of all controls to the
worker's thread (latest.py). There work() of the question runs it, and gives what it finds to
ticket.show(self._show, Shown). That comes back on the event loop, the only thread that sets
widgets.
"""

import asyncio
import html
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from krcsim.report.style import plain

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.base.old_names import runs_on_rung
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.runs.ladder import check_runs
from krcsim.runs.replications import Stopped
from krcsim.runs.waiting import announced_to
from krcsim.widgets import autosave, engine_wait
from krcsim.widgets.answer_tabs import AnswerTabs
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.controls import (
    CONTROLS,
    controls_of,
    make_buttons,
    make_tabs,
    make_widget,
    set_widget,
)
from krcsim.widgets.export import export_answer
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.layout import arranged
from krcsim.widgets.live_picture import NO_PICTURE, Drawing, LivePicture
from krcsim.widgets.progress_line import Pace, ProgressLine
from krcsim.widgets.recorded_preset import recorded_preset
from krcsim.widgets.screen import look_for
from krcsim.widgets.setting import (
    make_consistent,
    scenario_with,
    settle_requests,
    settle_reserves,
    without_effect,
)
from krcsim.widgets.shown import Shown as Shown

PRESETS = {
    "As posted (C on A0)": "thread-as-posted",
    "As discussed (C on A1)": "thread-as-discussed",
    "Phone, light load": "phone",
    "Server, 128 CPUs": "server-128",
}
NO_PRESET = ("(your setting)", "")
BUTTONS = (
    ("Reset", "Back to the preset"),
    ("Pin", "Keep this curve to compare the next one with"),
    ("Unpin", "Take the pinned curves away"),
    ("Export", "Figure (png, svg, pdf), data, scenario, result and answer into the folder"),
)


OFFERED_AFTER_S = 0.12  # after the last move, controls that change nothing are hidden


WHY = "Point at a control, or go to it by Tab: what it is in the kernel stands here."


def not_shown(labels_by_reason: dict[str, list[str]]) -> str:
    """Which controls are hidden, and behind a click why, as HTML; "" if there are none."""
    if not labels_by_reason:
        return ""

    labels = [label for group in labels_by_reason.values() for label in group]
    reasons = [
        f"<li>{html.escape(', '.join(group))}: {html.escape(reason)}</li>"
        for reason, group in labels_by_reason.items()
    ]
    return (
        f"<details><summary>Changes nothing here: {html.escape(', '.join(labels))}</summary>"
        f"<ul>{''.join(reasons)}</ul></details>"
    )


class SetByProgram(threading.local):
    """Whether what this thread sets on widgets is no move of the person's.

    A value a thread, since JupyterLab may use several.
    """

    on = False


class Explorer:
    """Controls next to a picture that follows them.

    A question gives its name, what to run and what to draw; its controls stand in controls.py.

    folder: where the setting is kept and files are exported. preset: a preset or a scenario file to
    begin with, instead of the last setting. runs: the replications of each step of refining.
    """

    name: ClassVar[str]
    old_names: ClassVar[tuple[str, ...]] = ()  # under which settings were kept before
    presets: ClassVar[dict[str, str]] = PRESETS  # by label; the first one is the default
    logs_events: ClassVar[bool] = False  # whether the events of a run are asked for
    pins_at_most: ClassVar[int] = 0  # curves of other settings next to the present one
    extras_below: ClassVar[bool] = False  # extras() stand below the picture, not by the controls
    above_tabs: ClassVar[tuple[str, ...]] = ()  # fields on the screen whatever tab is open
    steps: ClassVar[tuple[int, ...]] = (8, 32, 64, 256)

    def __init__(
        self,
        folder: str | Path = "",
        preset: str = "",
        runs: tuple[int, ...] | None = None,
        *,
        rungs: tuple[int, ...] | None = None,
    ) -> None:
        if rungs is not None:
            runs = tuple(runs_on_rung(rung) for rung in rungs)
            warnings.warn(
                f"rungs is called runs now; write runs={runs}", FutureWarning, stacklevel=2
            )

        self.home = Path(folder)
        self.runs = self.steps if runs is None else runs
        for step in self.runs:
            check_runs(step)
        self.offered = self.presets | recorded_preset(self.home)
        self.picture = LivePicture(plain)
        self.pins: dict[str, Scenario] = {}
        self.done: Shown | None = None
        self.base = load_scenario(preset or next(iter(self.presets.values())))
        self._set_by_program = SetByProgram()
        self._offer: asyncio.TimerHandle | None = None
        self._latest = Latest(self._work, self._on_state, Stopped)
        self._pace = Pace()

        self._make_inputs()
        self._make_outputs()
        self.widget = arranged(self)
        self._connect()

        message = "" if preset else self._restore()
        # Said at once: a cell that runs next would hold up what the worker's thread says.
        self.status.value = engine_wait.sentence(self._seconds_to_wait())
        self.show_setting(self.base, message)

    # ---- what a question gives

    def fitted(self, scenario: Scenario) -> Scenario:
        """The scenario as it is run."""
        return scenario

    def work(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """In the worker's thread: ticket.show(self._show, Shown) whenever there is something
        better.
        """
        raise NotImplementedError

    def extras(self) -> list[Any]:
        """Widgets that only this question has: by the controls, or with extras_below below the
        picture.
        """
        return []

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """All that is run for a setting, by remedy; `own` is the setting itself."""
        return {"own": scenario}

    def is_shared(self, remedy: str, field: str) -> bool:  # noqa: ARG002
        """Whether a field of the setting is in the scenario of that remedy, too."""
        return True

    # ---- widgets

    def _make_inputs(self) -> None:
        small: Any = dict(style=dict(description_width="initial"))
        self.preset = ipywidgets.Dropdown(
            options=[*self.offered.items(), NO_PRESET], description="Preset", **small
        )
        self.file = ipywidgets.Text(
            placeholder="a scenario's path (.toml), then Enter",
            description="Load",
            continuous_update=False,
            **small,
        )
        self.controls: dict[str, Any] = {
            field: make_widget(control) for field, control in controls_of(self.name).items()
        }
        self.tabs = make_tabs(self.controls)
        self.buttons = make_buttons(BUTTONS)

    def _make_outputs(self) -> None:
        self.image = ipywidgets.Image(value=NO_PICTURE, format="png")
        self._fit_image()
        self.value = ipywidgets.HTML("").add_class("krcsim-verdict")
        self.why = ipywidgets.HTML(WHY).add_class("krcsim-why")
        self.without = ipywidgets.HTML("").add_class("krcsim-without")
        self.note = ipywidgets.HTML("").add_class("krcsim-note")  # for the question's own words
        self.progress = ProgressLine()
        self.bar, self.status = self.progress.bar, self.progress.status
        self.buttons["Cancel"] = self.progress.cancel
        self.answers = AnswerTabs()
        self.browser_side = BrowserSide(alt="no picture yet")

    def _connect(self) -> None:
        for control in self.controls.values():
            control.observe(self._moved, "value")
        self.preset.observe(self._choose_preset, "value")
        self.file.observe(self._load, "value")
        self.browser_side.observe(self._look_anew, ["theme", "room", "ratio"])

        actions = {
            "Reset": lambda: self.show_setting(self.base),
            "Cancel": self._latest.cancel,
            "Pin": self._pin,
            "Unpin": self._unpin,
            "Export": self.export,
        }
        for text, action in actions.items():
            self.buttons[text].on_click(lambda _button, action=action: action())

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    # ---- from the controls to a scenario, and back

    def _seconds_to_wait(self) -> float:
        scenario = self.fitted(self.base)
        return engine_wait.seconds_to_wait(scenario, logs_events=self.logs_events)

    @property
    def scenario(self) -> Scenario:
        """The scenario that the controls stand for; raises KrcsimError if they contradict."""
        values = {field: control.value for field, control in self.controls.items()}
        return self.fitted(scenario_with(self.base, values))

    def without_effect(self, scenario: Scenario) -> dict[str, str]:
        """The controls that would change no answer to a setting, with the reason."""
        return without_effect(
            list(self.controls), scenario, self.scenarios(scenario), self.is_shared
        )

    def show_setting(self, scenario: Scenario, message: str = "") -> None:
        """Set all controls to a scenario, with one run for the whole change."""
        self.base = scenario

        with self._setting_by_program():
            for field, widget in self.controls.items():
                set_widget(widget, CONTROLS[field].value_in(scenario))
            self.preset.value = self._preset_of(scenario)

        self.progress.remark = message
        self._moved()

    def _preset_of(self, scenario: Scenario) -> str:
        """The preset that a scenario is, or ""."""
        wanted = self.fitted(scenario)
        for name in self.offered.values():
            try:
                found = load_scenario(name)
            except KrcsimError:  # the one of a recording was changed since
                continue
            if self.fitted(found) == wanted:
                return name
        return ""

    @contextmanager
    def _setting_by_program(self) -> Iterator[None]:
        """While widgets are set that nobody moves."""
        self._set_by_program.on = True
        try:
            yield
        finally:
            self._set_by_program.on = False

    def _offer_controls_soon(self, scenario: Scenario) -> None:
        """The same as _offer_controls(), once the picture had time to come first; during a drag
        when it ends.
        """
        if self._offer is not None:
            self._offer.cancel()
            self._offer = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._offer_controls(scenario)
        else:
            self._offer = loop.call_later(OFFERED_AFTER_S, self._offer_controls, scenario)

    def _offer_controls(self, scenario: Scenario) -> None:
        """Show the controls that change something, and keep at hand why the others do not."""
        try:
            useless = self.without_effect(scenario)
        except KrcsimError as error:
            self._remark(f"Not possible: {error}")
            return

        for field, widget in self.controls.items():
            display = "none" if field in useless else None
            if widget.layout.display != display:
                widget.layout.display = display

        labels_by_reason: dict[str, list[str]] = {}
        for field, reason in useless.items():
            labels_by_reason.setdefault(reason, []).append(CONTROLS[field].label)
        self.without.value = not_shown(labels_by_reason)

    # ---- moves

    def _choose_preset(self, _change: Any) -> None:
        if self.preset.value and not self._set_by_program.on:
            try:
                scenario = load_scenario(self.preset.value)
            except KrcsimError as error:
                self._remark(f"Not loaded: {error}")
                return
            self.show_setting(scenario)

    def _load(self, _change: Any) -> None:
        path = self.file.value.strip()
        if not path:
            return

        try:
            with warnings.catch_warnings(record=True) as old_names:
                warnings.simplefilter("always", FutureWarning)
                scenario = load_scenario(path)
        except KrcsimError as error:
            self._remark(f"Not loaded: {error}")
            return

        notes = "".join(f" {note}." for note in dict.fromkeys(str(w.message) for w in old_names))
        self.show_setting(scenario, f"{path} is on the sliders.{notes}")

    def _moved(self, change: Any = None) -> None:
        """A control was moved, or with no `change` all were set: run what they stand for."""
        if self._set_by_program.on:
            return

        try:
            if change is not None:
                with self._setting_by_program():
                    self._settle(change["owner"])
            scenario = self.scenario
            self._latest.submit((scenario, dict(self.pins)))
            self._offer_controls_soon(scenario)
        except KrcsimError as error:
            self._remark(f"Not possible: {error}")

    def _settle(self, moved: Any) -> None:
        """After a move: values that fit together, and no preset any more."""
        settle_reserves(self.controls, moved)
        settle_requests(self.controls)
        self.progress.remark = make_consistent(self.controls, moved, lambda: self.scenario)

        if moved in self.controls.values():  # a step to another event leaves the setting as it is
            self.preset.value = ""

    def _remark(self, text: str) -> None:
        """Say something that stays next to the progress until a control is moved."""
        self.progress.say_remark(text)

    def _pin(self) -> None:
        if self.done is None:
            self._remark("Nothing to pin yet.")
            return

        free = [letter for letter in autosave.PINS[: self.pins_at_most] if letter not in self.pins]
        if not free:
            self._remark("Three curves are pinned; Unpin takes them away.")
            return

        self.pins[free[0]] = self.done.answer.scenario
        self._moved()

    def _unpin(self) -> None:
        self.pins = {}
        self._moved()

    def export(self) -> list[Path]:
        """Write all that is shown into the folder; overwrites nothing."""
        answer = self.done.answer if self.done else None
        files, message = export_answer(
            self.home, self.answers.into.value, answer, self.answers.dpi.value
        )
        self._remark(message)
        return files

    # ---- what outlives the kernel

    def _restore(self) -> str:
        """Take over what was kept next to the notebook; returns what to say about it."""
        found = autosave.restore(self.home, self.name, self.pins_at_most, self.old_names)
        if found.setting is not None:
            self.base = found.setting
            self.pins = found.pins
        return found.message

    def after_first_answer(
        self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]
    ) -> None:
        """In the worker's thread: keep the setting; where that fails it is said, and work goes on.

        What later steps may need is compiled meanwhile.
        """
        engine_wait.compile_what_comes_later(self.name, scenario)
        try:
            autosave.keep(self.home, self.name, scenario, pins)
        except (KrcsimError, OSError) as error:
            ticket.post(self._remark, f"This setting is not kept for the next kernel: {error}")

    # ---- in the worker's thread

    def _work(self, ticket: Ticket) -> None:
        scenario, pins = ticket.value

        with announced_to(lambda text: ticket.post(self.progress.say_announced, text)):
            engine_wait.get_ready(
                scenario,
                lambda share: ticket.post(self.progress.set_share, share),
                logs_events=self.logs_events,
            )
            self._pace = Pace()
            try:
                self.work(ticket, scenario, pins)
            # a question that this setting has no answer to, as of episodes where there are none
            except KrcsimError as error:
                ticket.post(self._remark, f"No answer here: {error}")

    def report_progress(self, ticket: Ticket, share: float, what: str) -> None:
        """Say how far the work is (0 to 1) and how long it may still take."""
        text = self._pace.words(share, what)
        if text:
            ticket.post(self.progress.say_way, (share, text))

    # ---- back on the event loop, the only thread that sets widgets

    def _show_picture(self, drawing: Drawing) -> None:
        """Show a picture, by itself where words take longer."""
        is_as_asked = drawing.look == self.picture.look  # else it changed meanwhile
        self.image.value = drawing.png if is_as_asked else drawing.again().png

    def _show(self, shown: Shown) -> None:
        self._show_picture(shown.drawing)
        self.done = shown
        self.value.value = html.escape(shown.verdict) or shown.words
        self.browser_side.alt = shown.alt
        self.answers.show(shown)

    def _look_anew(self, _change: Any) -> None:
        """The theme, or the room for the picture, is another one: draw what is there again."""
        side = self.browser_side
        look = look_for(side.theme, side.room, side.ratio)
        if look == self.picture.look:
            return

        self.picture.look = look
        self._fit_image()
        if self.done is not None:
            self.image.value = self.done.drawing.again().png

    def _fit_image(self) -> None:
        """Give the picture the place that it is drawn for, or the page would jump."""
        look = self.picture.look
        self.image.layout.width, self.image.layout.height = f"{look.width}px", f"{look.height}px"

    def _on_state(self, state: str) -> None:
        self.progress.say_state(state)
