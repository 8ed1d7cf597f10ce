# SPDX-License-Identifier: GPL-2.0-only
"""An answer as it is on the screen."""

from dataclasses import dataclass
from typing import Any

from krcsim.report.export import Answer
from krcsim.widgets.live_picture import Drawing


@dataclass(frozen=True)
class Shown:
    """An answer as it is on the screen.

    drawing: the picture. words: what was found, as HTML. alt: the picture for who cannot see it.
    found: what the question found, as Python has it. verdict: one sentence a person can act on, as
    plain text; without one the words stand in its place. table: the numbers as HTML. python: the
    code that gives the same numbers.
    """

    answer: Answer
    drawing: Drawing
    words: str
    alt: str
    found: Any = None
    verdict: str = ""
    table: str = ""
    python: str = ""
