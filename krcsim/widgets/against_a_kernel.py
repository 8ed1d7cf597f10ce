# SPDX-License-Identifier: GPL-2.0-only
"""Recorded conditions against the model's predictions, a set at a time, refined while you look."""

import html
from collections.abc import Sequence
from pathlib import Path

from krcsim.report.style import plain

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.guest.picture import png
from krcsim.guest.recordings import read_set
from krcsim.guest.score import Comparison, compare_all, misses, table
from krcsim.guest.set_words import SETS, finding, set_in_words
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import data_folder
from krcsim.runs.replications import Stopped
from krcsim.runs.waiting import announced_to
from krcsim.widgets import engine_wait
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.latest import Latest, Ticket

FOLDERS = ("kernel-runs", "kernel-6.1")
FITTED = ("main", "pool")  # sets that the CPU time of a call was chosen on
OTHER_KINDS = ("real", "real_more", "smp", "thread", "again", "gp")  # no drawn failures
RUNS = (40, 200)  # replications of a condition, in each step
CONDITIONS_A_GO = 24  # between two looks at whether to stop


def sets() -> dict[str, Path]:
    """The recordings that can be shown, by name."""
    files = [
        path for folder in FOLDERS for path in sorted((data_folder() / folder).glob("*.const.json"))
    ]
    by_name = {path.name.removesuffix(".const.json"): path for path in files}
    return {
        name: path.with_name(f"{name}.csv")
        for name, path in by_name.items()
        if name not in OTHER_KINDS
    }


class AgainstAKernel:
    """A chooser of the set over two pictures, P(wait) and the blocked fraction, and the table of
    misses.

    name: the set to begin with. runs: the replications of a condition, in each step.
    """

    def __init__(self, name: str = "pool", runs: tuple[int, ...] = RUNS) -> None:
        self.runs = runs
        self.done: tuple[Comparison, ...] = ()
        self.files = sets()

        labels = [(label_of(name, path), name) for name, path in self.files.items()]
        self.which = ipywidgets.Dropdown(
            options=labels,
            value=name,
            description="Recorded set",
            style=dict(description_width="8em"),
            layout=ipywidgets.Layout(width="44em"),
        )
        self.cancel = ipywidgets.Button(
            description="Cancel", tooltip="Stop refining; the picture stays"
        )
        self.image = ipywidgets.Image(format="png", layout=dict(width="1000px", max_width="100%"))
        self.status = ipywidgets.HTML(engine_wait.sentence(engine_wait.seconds_to_wait(Scenario())))
        self.status.add_class("krcsim-status")
        self.value = ipywidgets.HTML("").add_class("krcsim-verdict")
        self.text = ipywidgets.HTML("")
        self.browser_side = BrowserSide()
        self.widget = ipywidgets.VBox(
            [
                self.browser_side,
                ipywidgets.HBox([self.which, self.cancel]),
                self.value,
                self.image,
                self.status,
                self.text,
            ]
        )
        self.widget.add_class("krcsim-explorer")

        self._latest = Latest(self._work, self._on_state, Stopped)
        self.which.observe(lambda _change: self._latest.submit(self.which.value), "value")
        self.browser_side.observe(self._draw_anew, "theme")
        self.cancel.on_click(lambda _button: self._latest.cancel())
        self._latest.submit(name)

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    def _work(self, ticket: Ticket) -> None:
        """In the worker's thread: all conditions with few replications, then with more."""
        with announced_to(lambda text: ticket.post(self._say, text)):
            self._compare(ticket)

    def _compare(self, ticket: Ticket) -> None:
        try:
            recorded = read_set(self.files[ticket.value])
        except KrcsimError as error:
            ticket.post(self._say, str(error))
            return

        conditions = [condition for condition in recorded if not condition.overflowed]
        for runs in self.runs:
            found: list[Comparison] = []
            for first in range(0, len(conditions), CONDITIONS_A_GO):
                if ticket.stop[0]:
                    raise Stopped
                found += compare_all(conditions[first : first + CONDITIONS_A_GO], runs)
                done = f"{len(found)} of {len(conditions)} conditions"
                ticket.post(self._say, f"{runs} replications: {done}")
            ticket.show(self._show, (tuple(found), *self._drawn(found)))

    def _drawn(self, found: Sequence[Comparison]) -> tuple[bytes, str]:
        """The picture in JupyterLab's theme of now, and that theme."""
        theme = self.browser_side.theme
        with plain(theme):
            return png(found), theme

    def _draw_anew(self, _change: object) -> None:
        """The theme is another one: draw what is there again."""
        if self.done:
            self.image.value, _ = self._drawn(self.done)

    def _say(self, text: str) -> None:
        self.status.value = html.escape(text)

    def _show(self, result: tuple[tuple[Comparison, ...], bytes, str]) -> None:
        self.done, picture, theme = result
        is_old = theme != self.browser_side.theme  # it changed while the picture was drawn
        self.image.value = self._drawn(self.done)[0] if is_old else picture

        said = f"{finding(self.done)}."
        self.value.value = html.escape(said)
        self.browser_side.alt = f"Predicted against measured. {said}"
        rows = f"{table(self.done)}\n\nMisses by family, the worst of each:\n{misses(self.done)}"
        self.text.value = (
            f'<pre style="white-space:pre;overflow-x:auto;font-size:80%">{html.escape(rows)}</pre>'
        )

    def _on_state(self, state: str) -> None:
        is_running = state == "running"
        self.cancel.disabled = not is_running
        if not is_running:
            self._say(f"{state}; {len(self.done)} conditions")


def label_of(name: str, path: Path) -> str:
    """A set in the list: what it tells apart, and whether anything was fitted on it."""
    template = SETS.get(name, "")
    conditions = read_set(path) if "{" in template else ()
    how = "a call was fitted on it" if name in FITTED else "nothing fitted"
    return f"{set_in_words(name, conditions)} ({how})"
