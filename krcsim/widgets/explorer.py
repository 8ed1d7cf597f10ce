# SPDX-License-Identifier: GPL-2.0-only
"""What all explorers share: controls next to a picture that follows them, and pins.

The way of a move: a control calls _moved(), which submits the scenario of all controls to the
worker's thread (latest.py). There work() of the question runs it, and gives what it finds to
ticket.show(self._show, Shown). That comes back on the event loop, the only thread that sets
widgets.
"""

import html
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from krcsim.report.style import plain

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.base.old_names import runs_on_rung
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.report.export import Answer
from krcsim.runs.ladder import check_runs
from krcsim.runs.replications import Stopped
from krcsim.widgets import autosave, engine_wait
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.controls import (
    CONTROLS,
    LOOK,
    controls_of,
    make_buttons,
    make_explanation,
    make_widget,
    set_widget,
)
from krcsim.widgets.export import export_answer
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.live_picture import SIZE, LivePicture
from krcsim.widgets.setting import (
    make_consistent,
    scenario_with,
    settle_reserves,
    without_effect,
)

PRESETS = {
    "As posted (C on A0)": "thread-as-posted",
    "As discussed (C on A1)": "thread-as-discussed",
    "Phone, light load": "phone",
    "Server, 128 CPUs": "server-128",
}
NO_PRESET = ("(your setting)", "")
BUTTONS = (
    ("Reset", "Back to the preset"),
    ("Cancel", "Stop refining; the picture stays"),
    ("Pin", "Keep this curve to compare the next one with"),
    ("Unpin", "Take the pinned curves away"),
    ("Export all", "Figure (png, svg, pdf), data, scenario, result and answer into the folder"),
)
STATES = {
    "running": "running ...",
    "done": "done",
    "stopped": "stopped; the picture stays as it is",
}
REPORT_EACH_S = 0.1  # progress is said no more often


@dataclass(frozen=True)
class Shown:
    """An answer as it is on the screen.

    png: the picture. words: HTML below it. alt: the same for who cannot see it. found: what the
    question found, as Python has it.
    """

    answer: Answer
    png: bytes
    words: str
    alt: str
    found: Any = None


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
    pins_at_most: ClassVar[int] = 0  # curves of other settings next to the present one
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
        self.picture = LivePicture(plain)
        self.pins: dict[str, Scenario] = {}
        self.done: Shown | None = None
        self.base = load_scenario(preset or next(iter(self.presets.values())))
        self._set_by_program = SetByProgram()
        self._remark_text = ""
        self._latest = Latest(self._work, self._on_state, Stopped)

        self._make_inputs()
        self._make_outputs()
        self._arrange()
        self._connect()

        message = "" if preset else self._restore()
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
        """Widgets below the picture that only this question has."""
        return []

    def scenarios(self, scenario: Scenario) -> dict[str, Scenario]:
        """All that is run for a setting, by remedy; `own` is the setting itself."""
        return {"own": scenario}

    def is_shared(self, remedy: str, field: str) -> bool:  # noqa: ARG002
        """Whether a field of the setting is in the scenario of that remedy, too."""
        return True

    # ---- widgets

    def _make_inputs(self) -> None:
        self.preset = ipywidgets.Dropdown(
            options=[*self.presets.items(), NO_PRESET], description="Preset", **LOOK
        )
        self.file = ipywidgets.Text(
            placeholder="path of a .toml, then Enter",
            description="Load scenario",
            continuous_update=False,
            **LOOK,
        )

        self.controls: dict[str, Any] = {}  # by field
        self.rows: dict[str, tuple[Any, Any]] = {}  # a control, and what it is for
        for field, control in controls_of(self.name).items():
            self.controls[field] = make_widget(control)
            self.rows[field] = (self.controls[field], make_explanation(control))

        self.without = ipywidgets.HTML("").add_class("krcsim-why")
        self.buttons = make_buttons(BUTTONS)
        self.into = ipywidgets.Text(value="krcsim-export", description="Export into", **LOOK)
        self.dpi = ipywidgets.Dropdown(
            options=[(f"{dpi} dpi", dpi) for dpi in (100, 150, 200, 300)],
            value=150,
            description="PNG resolution",
            **LOOK,
        )

    def _make_outputs(self) -> None:
        width, height = (f"{pixels}px" for pixels in SIZE)
        wait_s = engine_wait.seconds_to_wait()

        self.image = ipywidgets.Image(
            format="png", layout=dict(width=width, height=height, max_width="100%")
        )
        self.bar = ipywidgets.FloatProgress(
            max=1.0, layout=dict(width=width, height="6px", max_width="100%")
        )
        self.status = ipywidgets.HTML(engine_wait.sentence(wait_s) if wait_s else "")
        self.status.add_class("krcsim-status")  # a live region: it is read aloud when it changes
        self.value = ipywidgets.HTML("")
        self.shell = ipywidgets.HTML("")
        self.answer = ipywidgets.Textarea(
            rows=24,
            description="Answer",
            layout=dict(width="54em", max_width="100%"),
            style=dict(description_width="5em"),
        )
        self.browser_side = BrowserSide()

    def _arrange(self) -> None:
        texts = ["Reset", "Cancel"] + ["Pin", "Unpin"] * bool(self.pins_at_most)
        left = [
            self.preset,
            self.file,
            *(widget for row in self.rows.values() for widget in row),
            self.without,
            ipywidgets.HBox([self.buttons[text] for text in texts]),
            self.into,
            self.dpi,
            self.buttons["Export all"],
        ]
        right = [self.image, self.bar, self.status, self.value, *self.extras(), self.shell]

        columns = ipywidgets.Box(
            [
                ipywidgets.VBox(left).add_class("krcsim-left"),
                ipywidgets.VBox(
                    right,
                    layout=dict(width=f"{SIZE[0] + 8}px", max_width="100%", flex="0 1 auto"),
                ).add_class("krcsim-right"),
            ],
            layout=dict(display="flex", flex_flow="row wrap"),
        )
        self.widget = ipywidgets.VBox([self.browser_side, columns, self.answer])
        self.widget.add_class("krcsim-explorer")

    def _connect(self) -> None:
        for control in self.controls.values():
            control.observe(self._moved, "value")
        self.preset.observe(self._choose_preset, "value")
        self.file.observe(self._load, "value")

        actions = {
            "Reset": lambda: self.show_setting(self.base),
            "Cancel": self._latest.cancel,
            "Pin": self._pin,
            "Unpin": self._unpin,
            "Export all": self.export,
        }
        for text, action in actions.items():
            self.buttons[text].on_click(lambda _button, action=action: action())

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    # ---- from the controls to a scenario, and back

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

        self._remark_text = message
        self._moved()

    def _preset_of(self, scenario: Scenario) -> str:
        """The preset that a scenario is, or ""."""
        wanted = self.fitted(scenario)
        for name in self.presets.values():
            if self.fitted(load_scenario(name)) == wanted:
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

    def _offer_controls(self, scenario: Scenario) -> None:
        """Show the controls that change something, and say why the others are not there."""
        useless = self.without_effect(scenario)

        for field, row in self.rows.items():
            display = "none" if field in useless else None
            for widget in row:
                if widget.layout.display != display:
                    widget.layout.display = display

        labels_by_reason: dict[str, list[str]] = {}
        for field, reason in useless.items():
            labels_by_reason.setdefault(reason, []).append(CONTROLS[field].label)

        reasons = [f"{', '.join(labels)}: {reason}" for reason, labels in labels_by_reason.items()]
        text = f"Not shown, since they change nothing here: {'; '.join(reasons)}."
        self.without.value = html.escape(text) if reasons else ""

    # ---- moves

    def _choose_preset(self, _change: Any) -> None:
        if self.preset.value and not self._set_by_program.on:
            self.show_setting(load_scenario(self.preset.value))

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
            self._offer_controls(scenario)
            self._latest.submit((scenario, dict(self.pins)))
        except KrcsimError as error:
            self._remark(f"Not possible: {error}")

    def _settle(self, moved: Any) -> None:
        """After a move: values that fit together, and no preset any more."""
        settle_reserves(self.controls, moved)
        self._remark_text = make_consistent(self.controls, moved, lambda: self.scenario)

        if moved in self.controls.values():  # a step to another event leaves the setting as it is
            self.preset.value = ""

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
        files, message = export_answer(self.home, self.into.value, answer, self.dpi.value)
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

    def keep(self, ticket: Ticket, scenario: Scenario, pins: dict[str, Scenario]) -> None:
        """In the worker's thread: keep the setting; where that fails it is said, and work goes
        on.
        """
        try:
            autosave.keep(self.home, self.name, scenario, pins)
        except (KrcsimError, OSError) as error:
            ticket.post(self._remark, f"This setting is not kept for the next kernel: {error}")

    # ---- in the worker's thread

    def _work(self, ticket: Ticket) -> None:
        engine_wait.get_ready(lambda share: ticket.post(self._on_compiling, share))

        scenario, pins = ticket.value
        self._begun_at = self._reported_at = monotonic()
        try:
            self.work(ticket, scenario, pins)
        # a question that this setting has no answer to, as of episodes where there are none
        except KrcsimError as error:
            ticket.post(self._remark, f"No answer here: {error}")

    def report_progress(self, ticket: Ticket, share: float, what: str) -> None:
        """Say how far the work is (0 to 1) and how long it may still take."""
        now = monotonic()
        if now - self._reported_at <= REPORT_EACH_S:
            return

        self._reported_at = now
        left_s = (now - self._begun_at) * (1.0 / max(share, 1e-3) - 1.0)
        ticket.post(self._on_way, (share, f"{what}; about {max(left_s, 0.1):.1f} s left"))

    # ---- back on the event loop, the only thread that sets widgets

    def _on_compiling(self, share: float) -> None:
        self.bar.value = share

    def _on_way(self, way: tuple[float, str]) -> None:
        share, text = way
        self.buttons["Cancel"].disabled = False  # there may be no answer yet
        self.bar.value = share
        self._say(text)

    def _say(self, text: str) -> None:
        """Say how the work goes, with the last remark behind it."""
        remark = f". {self._remark_text}" if self._remark_text else ""
        self.status.value = html.escape(text + remark)

    def _remark(self, text: str) -> None:
        """Say something that stays next to the progress until a slider is moved."""
        self._remark_text = text
        self.status.value = html.escape(text)

    def _show(self, shown: Shown) -> None:
        self.done = shown
        self.image.value = shown.png
        self.value.value = shown.words
        self.browser_side.alt = shown.alt
        command = html.escape(shown.answer.command)
        self.shell.value = f"The same from a shell: <code>{command}</code>"
        self.answer.value = shown.answer.text

    def _on_state(self, state: str) -> None:
        is_running = state == "running"
        self.buttons["Cancel"].disabled = not is_running
        self.bar.value = 0.0 if is_running else 1.0
        self._say(STATES.get(state, state))
