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

from krcsim.report.style import plain

from IPython import get_ipython
from IPython.display import display

from krcsim.claims.picture import picture_of_claim
from krcsim.report.export import Answer, file_of
from krcsim.widgets import AgainstAKernel, ClaimsShown, YourMachine
from krcsim.widgets.explorer import Explorer
from krcsim.widgets.your_machine import picture_in, sentence_of

STILL = "application/vnd.krcsim.still+json"  # the type under which a notebook keeps one
DPI = 120

T = TypeVar("T")


@dataclass(frozen=True)
class Still:
    """light, dark: the picture in both themes, base64; dark is "" where there is one picture only.
    alt: the same for who cannot see it. verdict: what was found in one sentence, or "". words: HTML
    below the picture. command: the same in a shell, or "".
    """

    light: str
    dark: str
    alt: str
    verdict: str
    words: str
    command: str


def where_no_loop_runs(make: Callable[[], T]) -> T:
    """make() in a thread of its own: without an event loop an explorer answers at once."""
    made: list[T] = []
    thread = threading.Thread(target=lambda: made.append(make()), name="krcsim-still")
    thread.start()
    thread.join()
    return made[0]


def still_of_explorer(explorer: Explorer) -> Still:
    """The last and best answer of an explorer that has one, as it exports it."""
    shown = explorer.done
    if shown is None:
        raise ValueError(f"{type(explorer).__name__} has no answer to its first setting")
    answer = shown.answer
    light, dark = (picture_of(answer, theme) for theme in ("light", "dark"))
    return Still(light, dark, shown.alt, shown.verdict, shown.words, answer.command)


def picture_of(answer: Answer, theme: str) -> str:
    """The figure of an answer in a theme, base64."""
    with plain(theme):
        return base64.b64encode(file_of(answer, "png", DPI)).decode()


def still_of_recordings(against: AgainstAKernel) -> Still:
    """The set that is shown first, next to the predictions."""
    picture = base64.b64encode(against.image.value).decode()
    return Still(picture, "", against.browser_side.alt, "", against.text.value, "")


def still_of_claims(claims: ClaimsShown) -> Still:
    """The claim that is shown first, and the table of all of them."""

    def picture(theme: str) -> str:
        with plain(theme):
            drawn = picture_of_claim(claims.table, claims.chosen)
            return base64.b64encode(drawn._repr_png_()).decode()

    widgets = (claims.about, claims.how, claims.numbers, claims.summary)
    words = "".join(widget.value for widget in widgets)
    return Still(picture("light"), picture("dark"), claims.browser_side.alt, "", words, "")


def still_of_machine(machine: YourMachine) -> Still:
    """The sample that is shown first, with its check and each field."""
    found = machine.found
    if found is None:
        raise ValueError("no recording was read")

    def picture(theme: str) -> str:
        return base64.b64encode(picture_in(found, theme)).decode()

    words = "".join(widget.value for widget in (machine.check, machine.table, machine.read))
    light, dark = picture("light"), picture("dark")
    return Still(light, dark, machine.browser_side.alt, sentence_of(found), words, "")


def show_stills() -> None:
    """From now on explorers display stills in this kernel."""
    shell: Any = get_ipython()
    formatter = shell.display_formatter.ipython_display_formatter
    formatter.for_type(Explorer, _displaying(_made_anew(still_of_explorer)))
    formatter.for_type(AgainstAKernel, _displaying(_made_anew(still_of_recordings)))
    formatter.for_type(ClaimsShown, _displaying(still_of_claims))
    formatter.for_type(YourMachine, _displaying(_made_anew(still_of_machine)))


def _made_anew(still_of: Callable[[Any], Still]) -> Callable[[Any], Still]:
    """The same for one that has its answer at once: this one would have it when the cell ends."""

    def anew(explorer: Any) -> Still:
        explorer._latest.cancel()
        return where_no_loop_runs(lambda: still_of(type(explorer)()))

    return anew


def _displaying(still_of: Callable[[Any], Still]) -> Callable[[Any], None]:
    def show(explorer: Any) -> None:
        still = still_of(explorer)
        display({STILL: asdict(still), "text/plain": html.unescape(still.alt)}, raw=True)  # type: ignore[no-untyped-call]

    return show
