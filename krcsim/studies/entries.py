# SPDX-License-Identifier: GPL-2.0-only
"""An entry of a comparison: an estimate, from how many replications, and how it was found."""

from dataclasses import dataclass
from typing import Any

from krcsim.methods import construction, plain
from krcsim.methods.finding import Finding
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.results.result import BASE

Where = tuple[int, str]  # the place of a window in WINDOWS (or of an episode), and a quantity


@dataclass(frozen=True)
class Entry:
    """An estimate, from how many replications, and how it was found (see
    krcsim.results.result.METHODS).
    """

    estimate: Estimate
    replications: int
    method: str = plain.NAME

    def columns(self) -> tuple[Any, ...]:
        """The last columns of a row of a Result, from `value` on."""
        e = self.estimate
        columns = {
            "value": e.value,
            "lo": e.lo,
            "hi": e.hi,
            "kind": e.kind,
            "replications": self.replications,
            "method": self.method,
        }
        return tuple(columns[name] for name in BASE[3:])


Entries = dict[Where, Entry]


def how_found(kind: str, method: str) -> str:
    """The method of an entry: a bound that is no proof is only a bound, whatever was tried."""
    return "bound" if kind == "bound" and method != construction.NAME else method


def entry_of_plain_runs(e: Estimate, replications: int) -> Entry:
    """What plain runs say; what no draw changes follows from the scenario."""
    certain = e.kind == "exact"
    return Entry(e, replications, construction.NAME if certain else how_found(e.kind, plain.NAME))


def entry_of(found: Finding | None) -> Entry:
    """What a finding says, or that there is none."""
    if found is None:
        return Entry(NOTHING, 0, "")
    return Entry(found.estimate, found.replications, how_found(found.estimate.kind, found.method))
