# SPDX-License-Identifier: GPL-2.0-only
"""Which two rows of a result a verdict is about, by rules.

1. Where `own` (your setting) and `B0-own` (the same without a reserve) are there, and your setting
   has a reserve, `own` is held against `B0-own`. If no run told the two apart, and another reserve
   on your setting is proven to be less, that one is held against both.
2. Of two rows the second is held against the first, whatever it shows.
3. Of more rows the first is the base, and the best of the others is held against it. Best is what
   is proven: of the rows whose difference from the base is proven to be less, the one with the
   lowest upper limit. The cheapest row that cannot be told from that one, because its own interval
   reaches down to that limit, is taken instead. Where the base is `own`, reserves on your setting
   come before all others. Where none is proven to be less, none is held.
4. Next to the best row one more is named that is proven to be less, and costs at most a tenth of
   the best one's bytes: of these again the one with the lowest upper limit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from krcsim.model.remedy import OWN, REMEDIES, RESERVE, Remedy
from krcsim.model.remedy_words import ON_OWN, WITHOUT
from krcsim.results.estimate import Estimate, between
from krcsim.results.result import Cell, Result

SURE = ("interval", "exact")  # kinds of estimates that a ratio can be made of
NEXT_TO_NOTHING = 1e-12  # bounds below it are all alike
MUCH_CHEAPER = 0.1

Point = tuple[Cell, ...]


@dataclass(frozen=True)
class Row:
    """A point of a result with its probability of a wait.

    added: bytes per CPU beyond what the plain code keeps, None if the result does not say.
    """

    point: Point
    estimate: Estimate
    added: float | None

    @property
    def name(self) -> str:
        """The name of its remedy."""
        return str(self.point[0])

    @property
    def most(self) -> float:
        """What its probability is at most, as far as is proven; inf if nothing is."""
        return math.inf if self.estimate.hi is None else self.estimate.hi

    @property
    def bytes_added(self) -> float:
        """Its bytes for a search of the cheapest; inf if they are not known."""
        return math.inf if self.added is None else self.added


@dataclass(frozen=True)
class Apart:
    """A row minus another: the limits, and whether no run told the two apart."""

    lo: float
    hi: float
    same: bool = False

    @property
    def is_less(self) -> bool:
        """Whether the row is proven to be less."""
        return self.hi < 0.0

    @property
    def is_more(self) -> bool:
        """Whether the row is proven to be more."""
        return self.lo > 0.0


@dataclass(frozen=True)
class Rows:
    """The rows of a window that have an answer, and their differences by (row, base)."""

    rows: tuple[Row, ...]
    differences: Mapping[tuple[str, str], Apart]

    def apart(self, row: Row, base: Row) -> Apart | None:
        """A row minus the base: with the same random draws where the result has that, else from
        the two intervals; None if nothing follows from them.
        """
        if found := self.differences.get((row.name, base.name)):
            return found
        if found := self.differences.get((base.name, row.name)):
            return Apart(-found.hi, -found.lo, found.same)
        return apart_from(row.estimate, base.estimate)


def apart_from(estimate: Estimate, base: Estimate) -> Apart | None:
    """The difference of two estimates as if their errors had nothing in common."""
    if estimate.kind == base.kind == "exact" and estimate.value == base.value:
        return Apart(0.0, 0.0, same=True)
    found = between(estimate, base)
    return Apart(found.lo, found.hi) if found else None


def rows_in(result: Result, quantity: str, window: str) -> Rows:
    """The rows of a window for which something is known of a quantity."""
    rows = tuple(
        Row(
            point,
            result.get(point, quantity, window),
            result.get(point, "bytes_added", window).value,
        )
        for point in result.points()
    )

    differences = {}
    found: Any = result.differences
    for name, base, where, what, value, lo, hi, saves in found:
        if (where, what) == (window, quantity):
            # Older files have an interval of no width where no run differed.
            same = value == 0.0 and saves == 1.0
            differences[str(name), str(base)] = Apart(lo, hi, same)
    return Rows(tuple(row for row in rows if row.estimate.kind != "none"), differences)


@dataclass(frozen=True)
class Chosen:
    """What a verdict is about.

    without: the row that no run told from the base, for rule 1. cheaper: for rule 4.
    """

    base: Row
    held: Row | None = None
    without: Row | None = None
    cheaper: Row | None = None


def chosen(rows: Rows, own: Remedy | None) -> Chosen:
    """The rows that a verdict is about, of at least one; own: the remedy of the setting."""
    by_name = {row.name: row for row in rows.rows}
    base, *others = rows.rows
    mine, without = by_name.get(OWN), by_name.get(WITHOUT)

    if mine and without and has_reserve(own):
        apart = rows.apart(mine, without)
        held, cheaper = _best(rows, mine, _on_own(others))
        if apart and apart.same and held:
            return Chosen(mine, held, without, cheaper)
        return Chosen(without, mine)

    if len(others) == 1:
        return Chosen(base, others[0])
    held, cheaper = _best(rows, base, _on_own(others) if base.name == OWN else others)
    if held is None:
        held, cheaper = _best(rows, base, others)
    return Chosen(base, held, None, cheaper)


def has_reserve(remedy: Remedy | None) -> bool:
    """Whether a remedy has a reserve: something beyond what the plain code keeps."""
    plain = REMEDIES["A0"]
    return remedy is not None and any(
        getattr(remedy, name) != getattr(plain, name) for name in RESERVE
    )


def _on_own(rows: list[Row]) -> list[Row]:
    """The reserves on your setting."""
    return [row for row in rows if row.name.endswith(ON_OWN) and row.name != WITHOUT]


def _best(rows: Rows, base: Row, others: list[Row]) -> tuple[Row | None, Row | None]:
    """The best of the others by rule 3, and by rule 4 the one that is much cheaper."""
    less = [row for row in others if (apart := rows.apart(row, base)) and apart.is_less]
    if not less:
        return None, None

    lowest = min(less, key=lambda row: row.most)
    alike = [row for row in less if _cannot_be_told(row, lowest)]
    best = min(alike, key=lambda row: row.bytes_added)

    if base.added is None or best.added is None or best.added <= base.added:
        return best, None
    limit = base.added + MUCH_CHEAPER * (best.added - base.added)
    cheap = [row for row in less if row.bytes_added <= limit and row.most < math.inf]
    return best, min(cheap, key=lambda row: row.most, default=None)


def _cannot_be_told(row: Row, lowest: Row) -> bool:
    """Whether a row may be as low as the lowest, as far as the intervals say."""
    if row is lowest:
        return True
    if "bound" in (row.estimate.kind, lowest.estimate.kind):
        return row.most <= max(lowest.most, NEXT_TO_NOTHING)
    return row.estimate.kind in SURE and (row.estimate.lo or 0.0) <= lowest.most
