# SPDX-License-Identifier: GPL-2.0-only
"""Recorded conditions against the model's predictions, a set at a time, refined while you look."""

import html
from pathlib import Path
from typing import Any

import ipywidgets as w

from krcsim.base.errors import KrcsimError
from krcsim.guest.picture import png
from krcsim.guest.recordings import read_set
from krcsim.guest.score import Comparison, compare_all, misses, score, table
from krcsim.model.scenario_file import data_folder
from krcsim.runs.replications import Stopped
from krcsim.widgets.explorer import Guard
from krcsim.widgets.latest import Latest, Ticket

RUNGS = (40, 200)  # replications of a condition
FITTED = ("main", "pool")
WITHOUT = ("real", "real_more", "smp", "thread", "again", "gp")  # sets of another kind


def sets() -> dict[str, Path]:
    """The recordings that can be shown, by name."""
    folders = (data_folder() / name for name in ("kernel-runs", "kernel-6.1"))
    files = [path for folder in folders for path in sorted(folder.glob("*.const.json"))]
    found = {path.name.removesuffix(".const.json"): path for path in files}
    return {
        name: path.with_name(f"{name}.csv") for name, path in found.items() if name not in WITHOUT
    }


class Against:
    """A chooser of the set over two pictures, P(wait) and the blocked fraction, and the table of
    misses.
    """

    def __init__(self, name: str = "pool", rungs: tuple[int, ...] = RUNGS) -> None:
        self.rungs, self.done, self.files = rungs, tuple[Comparison, ...](), sets()
        labels = [
            (f"{n} ({'a call was fitted on it' if n in FITTED else 'nothing fitted'})", n)
            for n in self.files
        ]
        self.which = w.Dropdown(
            options=labels,
            value=name,
            description="Recorded set",
            style=dict(description_width="8em"),
            layout=w.Layout(width="30em"),
        )
        self.cancel = w.Button(description="Cancel", tooltip="Stop refining; the picture stays")
        self.image = w.Image(format="png", layout=dict(width="1000px", max_width="100%"))
        self.status, self.text, self.guard = (
            w.HTML("Getting the engine ready ..."),
            w.HTML(""),
            Guard(),
        )
        self.widget = w.VBox(
            [self.guard, w.HBox([self.which, self.cancel]), self.status, self.image, self.text]
        )
        self.widget.add_class("krcsim-explorer")
        self._latest = Latest(self._work, self._state, Stopped)
        self.which.observe(lambda _: self._latest.submit(self.which.value), "value")
        self.cancel.on_click(lambda _: self._latest.cancel())
        self._latest.submit(name)

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    def _work(self, ticket: Ticket) -> None:
        try:
            conditions = [c for c in read_set(self.files[ticket.value]) if not c.overflowed]
        except KrcsimError as exc:
            ticket.post(self._say, str(exc))
            return
        for replications in self.rungs:
            found = []
            for k in range(0, len(conditions), 24):
                if ticket.stop[0]:
                    raise Stopped
                found += compare_all(conditions[k : k + 24], replications)
                ticket.post(
                    self._say,
                    f"{replications} replications: {len(found)} of {len(conditions)} conditions",
                )
            ticket.show(self._show, (tuple(found), png(found)))

    def _say(self, text: str) -> None:
        self.status.value = html.escape(text)

    def _show(self, out: tuple[tuple[Comparison, ...], bytes]) -> None:
        self.done, self.image.value = out
        found = score(self.done)
        inside = " and ".join(f"{100 * x:.0f} %" for x in found.nontrivial_inside)
        self.guard.alt = (
            f"Predicted against measured: {inside} of {found.nontrivial} conditions inside"
        )
        rows = f"{table(self.done)}\n\nMisses by family, the worst of each:\n{misses(self.done)}"
        self.text.value = (
            f'<pre style="white-space:pre;overflow-x:auto;font-size:80%">{html.escape(rows)}</pre>'
        )

    def _state(self, state: Any) -> None:
        self.cancel.disabled = state != "running"
        if state != "running":
            self._say(f"{state}; {len(self.done)} conditions")
