# SPDX-License-Identifier: GPL-2.0-only
"""One line below the picture: how far the work is, what is to be said, and Cancel."""

import html
from time import monotonic

import ipywidgets

from krcsim.widgets.controls import make_buttons

CANCEL = ("Cancel", "Stop refining; the picture stays")
STATES = {
    "running": "running ...",
    "done": "done",
    "stopped": "stopped; the picture stays as it is",
}
REPORT_EACH_S = 0.1  # progress is said no more often


class ProgressLine:
    """A bar, a status that is read aloud when it changes, and Cancel; for the event loop only.

    remark: what was said last that stays next to the progress until a control is moved.
    """

    def __init__(self, status: str = "") -> None:
        self.bar = ipywidgets.FloatProgress(max=1.0).add_class("krcsim-bar")
        self.status = ipywidgets.HTML(html.escape(status))
        self.status.add_class("krcsim-status")  # a live region
        self.cancel = make_buttons([CANCEL])["Cancel"]
        self.remark = ""
        self.widget = ipywidgets.HBox([self.bar, self.status, self.cancel])
        self.widget.add_class("krcsim-progress")

    def say(self, text: str) -> None:
        """Say how the work goes, with the last remark behind it."""
        remark = f". {self.remark}" if self.remark else ""
        self.status.value = html.escape(text + remark)

    def say_announced(self, text: str) -> None:
        """For what the work waits, as that the engine is compiled."""
        self.say(text[:1].upper() + text[1:])

    def say_remark(self, text: str) -> None:
        """Say something that stays next to the progress until a control is moved."""
        self.remark = text
        self.status.value = html.escape(text)

    def set_share(self, share: float) -> None:
        """How far the work is, 0 to 1."""
        self.bar.value = share

    def say_way(self, way: tuple[float, str]) -> None:
        """How far the work is (0 to 1), and in words; it can be cancelled, though there may be no
        answer yet.
        """
        share, text = way
        self.cancel.disabled = False
        self.bar.value = share
        self.say(text)

    def say_state(self, state: str) -> None:
        """A state of the work, as latest.py names it."""
        is_running = state == "running"
        self.cancel.disabled = not is_running
        self.bar.value = 0.0 if is_running else 1.0
        self.say(STATES.get(state, state))


class Pace:
    """In the worker's thread: when the work began, and when its progress was said last."""

    def __init__(self) -> None:
        self._begun_at = self._reported_at = monotonic()

    def words(self, share: float, what: str) -> str:
        """What is done and how long the rest may take; "" if something was said just now."""
        now = monotonic()
        if now - self._reported_at <= REPORT_EACH_S:
            return ""

        self._reported_at = now
        left_s = max(0.1, (now - self._begun_at) * (1.0 / max(share, 1e-3) - 1.0))
        left = f"{left_s:.0f}" if left_s >= 10.0 else f"{left_s:.1f}"
        return f"{what}; about {left} s left"
