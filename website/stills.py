# SPDX-License-Identifier: GPL-2.0-only
"""What stands where sliders would be: the picture that they show first, and what it says.

A page without a kernel cannot move a slider. `show_stills()` runs in the kernel that executes a
notebook for the site; from then on an explorer displays a still instead of widgets.
"""

from __future__ import annotations

import base64
import html
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from IPython import get_ipython
from IPython.display import display

from krcsim.report.export import file_of
from krcsim.widgets import AgainstAKernel
from krcsim.widgets.explorer import Explorer

STILL = "application/vnd.krcsim.still+json"  # the type under which a notebook keeps one
DPI = 120

T = TypeVar("T")


@dataclass(frozen=True)
class Still:
    """png: the picture, base64. alt: the same for who cannot see it. words: HTML below it.
    command: the same in a shell, or "".
    """

    png: str
    alt: str
    words: str
    command: str


def still_of_explorer(explorer: Explorer) -> Still:
    """The last and best answer of an explorer that has one, as it exports it."""
    shown = explorer.done
    if shown is None:
        raise ValueError(f"{type(explorer).__name__} has no answer to its first setting")
    picture = base64.b64encode(file_of(shown.answer, "png", DPI)).decode()
    return Still(picture, shown.alt, shown.words, shown.answer.command)


def still_of_recordings(against: AgainstAKernel) -> Still:
    """The set that is shown first, next to the predictions."""
    picture = base64.b64encode(against.image.value).decode()
    return Still(picture, against.browser_side.alt, against.text.value, "")


def where_no_loop_runs(make: Callable[[], T]) -> T:
    """make() in a thread of its own: without an event loop an explorer answers at once."""
    made: list[T] = []
    thread = threading.Thread(target=lambda: made.append(make()), name="krcsim-still")
    thread.start()
    thread.join()
    return made[0]


def show_stills() -> None:
    """From now on explorers display stills in this kernel."""
    shell: Any = get_ipython()  # type: ignore[no-untyped-call]
    formatter = shell.display_formatter.ipython_display_formatter
    for kind, still_of in ((Explorer, still_of_explorer), (AgainstAKernel, still_of_recordings)):
        formatter.for_type(kind, _displaying(still_of))


def _displaying(still_of: Callable[[Any], Still]) -> Callable[[Any], None]:
    def show(explorer: Any) -> None:
        explorer._latest.cancel()  # this one would answer when the cell has ended
        still = where_no_loop_runs(lambda: still_of(type(explorer)()))
        display({STILL: asdict(still), "text/plain": html.unescape(still.alt)}, raw=True)

    return show
