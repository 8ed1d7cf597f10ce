# SPDX-License-Identifier: GPL-2.0-only
"""What recordings of a running kernel say to a claim: counts of rows of data/, one over another."""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from krcsim.base.errors import KrcsimError
from krcsim.base.reading import read_text
from krcsim.claims.claim import Recorded
from krcsim.model.scenario_file import data_folder


@dataclass(frozen=True)
class Measured:
    """What a recording says: its counts, their ratio (a count alone where there is no other side),
    and whether that agrees with the verdict.
    """

    recorded: Recorded
    above: float
    below: float | None
    ratio: float
    runs: int

    @property
    def agrees(self) -> bool:
        """Whether the ratio lies where the recording says what the verdict says."""
        lo, hi = self.recorded.agrees
        return lo <= self.ratio <= hi


@cache
def rows_of(file: str) -> tuple[dict[str, str], ...]:
    """The rows of a recording, with what is the same in all of them; raises KrcsimError."""
    path = data_folder() / file
    hint = "it comes with krcsim: install it again"
    rows = csv.DictReader(io.StringIO(read_text(path, "recording", hint)))
    constants = path.with_suffix("").with_suffix(".const.json")
    same: dict[str, str] = {}
    if constants.exists():
        same = {name: str(value) for name, value in json.loads(constants.read_text()).items()}
    return tuple(same | row for row in rows)


def measured(recorded: Recorded) -> Measured:
    """What a recording says; raises KrcsimError where it has no such rows."""
    above, runs = _counted(recorded, recorded.of, recorded.count)
    if not recorded.against and not recorded.against_count:
        return Measured(recorded, above, None, above, runs)

    count = recorded.against_count or recorded.count
    below, _ = _counted(recorded, recorded.against, count)
    ratio = above / below if below else math.inf if above else math.nan
    return Measured(recorded, above, below, ratio, runs)


def _counted(recorded: Recorded, side: Mapping[str, str], count: str) -> tuple[float, int]:
    """A sum over the rows of one side, over that of `per` if there is one; and the rows."""
    wanted = {**recorded.where, **side}
    rows = [
        row
        for row in rows_of(recorded.file)
        if all(row.get(column) == value for column, value in wanted.items())
    ]
    if not rows:
        raise KrcsimError(f"{recorded.file} has no row with {wanted}; mend data/claims.toml")

    column, _, times = count.partition("*")
    total = sum(float(row[column] or 0) for row in rows) * float(times or 1)
    if recorded.per == "run":
        return total / len(rows), len(rows)
    return total / (sum(float(row[recorded.per]) for row in rows) if recorded.per else 1), len(rows)
