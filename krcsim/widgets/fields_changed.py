# SPDX-License-Identifier: GPL-2.0-only
"""Fields of a scenario that a person sets in place of what a recording says or cannot say."""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import UNSET, value_from
from krcsim.trace.fit import Made, value_of

FIRST = "workload.rate_hz"  # the field that is offered first
MOST_LETTERS = 2000  # of a value


class FieldsChanged:
    """A list of fields, a value, and what has been set so far.

    on_change: called after each change.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._mine: dict[str, Any] = {}
        self._reading: Made | None = None
        self.which = ipywidgets.Dropdown(
            description="Field",
            style=dict(description_width="initial"),
            layout=dict(width="24em"),
        )
        self.text = ipywidgets.Text(
            description="Value",
            continuous_update=False,
            style=dict(description_width="initial"),
            layout=dict(width="16em"),
        )
        self.set = ipywidgets.Button(
            description="Change", tooltip="Set the field to this value", layout=dict(width="auto")
        )
        self.back = ipywidgets.Button(
            description="As recorded",
            tooltip="Take back all that was changed",
            disabled=True,
            layout=dict(width="auto"),
        )
        self.said = ipywidgets.HTML("").add_class("krcsim-status")
        self.widget = ipywidgets.HBox(
            [self.which, self.text, self.set, self.back, self.said],
            layout=dict(flex_flow="row wrap"),
        )
        self.which.observe(lambda _change: self._show_value(), "value")
        self.set.on_click(lambda _button: self.change())
        self.back.on_click(lambda _button: self.take_back())

    def changes(self) -> tuple[tuple[str, Any], ...]:
        """The fields that were set, with their values."""
        return tuple(self._mine.items())

    def offer(self, reading: Made) -> None:
        """The fields of a reading: those that it says first, then those that it does not."""
        self._reading = reading
        names = [*reading.values, *(field for field in reading.assumed if reading.assumed[field])]
        names += sorted(set(reading.assumed) - set(names))
        if list(self.which.options) != names:
            chosen = self.which.value
            self.which.options = names
            self.which.value = chosen if chosen in names else FIRST
        self.back.disabled = not self._mine
        self._show_value()

    def _show_value(self) -> None:
        if self._reading is not None and self.which.value:
            value = value_of(self._reading.scenario, self.which.value)
            if self.which.value == "remedy":
                self.text.value = str(self._reading.explained("remedy").value)
            elif isinstance(value, tuple):
                self.text.value = str([*value])[:MOST_LETTERS]
            else:
                self.text.value = UNSET if value is None else _text_of(value)

    def change(self) -> None:
        """Set the field that is chosen; what does not fit is said in a sentence."""
        if self._reading is None or not self.which.value:
            return
        field, value = self.which.value, value_from(self.text.value)
        try:
            changed(self._reading.scenario, **{field: value})
        except KrcsimError as error:
            self.said.value = html.escape(f"Not possible: {error}")
            return
        self.said.value = ""
        self._mine[field] = value
        self._on_change()

    def take_back(self) -> None:
        """All fields as the recording and the assumptions have them."""
        self.forget()
        self._on_change()

    def forget(self) -> None:
        """Nothing is changed by hand any more."""
        self._mine.clear()
        self.said.value = ""


def _text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"
