# SPDX-License-Identifier: GPL-2.0-only
"""The rows of a table: a line a point with all that was asked of it, and a check of the line."""

import json
from hashlib import sha256
from typing import Any

from krcsim.base.csv_text import csv_line
from krcsim.base.errors import KrcsimError
from krcsim.runs.ladder import Have, Stop
from krcsim.studies.ask import ask
from krcsim.sweeps.plan import Plan

_CHECK = 8  # hexadecimal digits at the end of a row


class Seal:
    """Ends the rows of a table: each with a check of itself, which is right only below that
    head.
    """

    def __init__(self, text: str) -> None:
        self.head = sha256(text.encode())

    def check(self, cells: bytes) -> str:
        """The check of a row's cells, as they are written."""
        whole = self.head.copy()
        whole.update(cells)
        return whole.hexdigest()[:_CHECK]

    def whole(self, cells: str) -> str:
        """A line without its end as a row of the table."""
        return f"{cells},{self.check(cells.encode())}\n"

    def holds(self, line: bytes) -> bool:
        """Whether a line is as it was written."""
        cells, _, check = line[:-1].rpartition(b",")
        return check == self.check(cells).encode()


def row(plan: Plan, number: int, seal: Seal, stop: Stop | None = None) -> str:
    """The line of a point, computed now in this thread; what cannot be asked of it is said in the
    column `refused`.
    """
    values = plan.values(number)
    cells: list[Any] = []
    refused = ""
    scenario = None
    have: Have = {}  # the quantities share their replications
    for quantity in plan.quantities:
        try:
            scenario = scenario or plan.point(number)
            found = ask(
                scenario,
                quantity,
                window=plan.window,
                seed=plan.seed,
                precision=plan.precision,
                max_runs=plan.max_runs,
                method=plan.method,
                stop=stop,
                have=have,
                workers=1,
            )
        except KrcsimError as exc:
            cells += [None, None, None, "refused", None, None]
            refused = refused or " ".join(str(exc).split())
        else:
            e = found.estimate
            cells += [e.value, e.lo, e.hi, e.kind, found.method, found.replications]

    line = csv_line([number, *map(_text, values.values()), *map(_text, cells), refused])
    return seal.whole(line.rstrip("\n"))


def _text(value: Any) -> str:
    """A cell without loss; words stay as they are."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.isprintable() else json.dumps(value)
    if isinstance(value, (bool, list, tuple)):
        return json.dumps(value)
    return repr(value)
