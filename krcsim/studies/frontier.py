# SPDX-License-Identifier: GPL-2.0-only
"""Bytes against probability: growing pools, growing lists of pages, and both together."""

import math
from dataclasses import dataclass

from krcsim.base.errors import refuse
from krcsim.base.old_names import takes_old_keywords
from krcsim.methods.finding import Finding
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.result import words
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Stop, check_study
from krcsim.studies.ask import ask
from krcsim.studies.limits import value_or_bound
from krcsim.studies.reserves import Key, reserve, with_reserve
from krcsim.studies.size_tries import Report
from krcsim.studies.unseen import UNSEEN

POOLS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
PAGES = (1, 2, 3, 4, 5, 8)
MIXED = (1, 3, 10)  # objects next to pages


@dataclass(frozen=True)
class Point:
    """A reserve, what it adds, and what was found."""

    name: str
    objects: int
    pages: int
    bytes_added: int
    finding: Finding


def _cheapest_first(point: Point) -> tuple[int, float]:
    return point.bytes_added, value_or_bound(point.finding.estimate)


@dataclass(frozen=True)
class Frontier:
    """What reserves of growing size cost and reach, with the same random draws."""

    quantity: str
    window: str
    at_boot: str
    points: tuple[Point, ...]
    scenario: Scenario
    seed: int
    max_runs: int
    command: str = ""

    def __repr__(self) -> str:
        """In a line what it is."""
        return f"<Frontier: {len(self.points)} reserves, window {self.window}>"

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        from krcsim.studies.size_chart import picture_of_frontier

        return picture_of_frontier(self)._repr_png_()

    @property
    def envelope(self) -> tuple[Point, ...]:
        """The points that no cheaper one equals or beats, the cheapest first."""
        kept: list[Point] = []
        lowest = math.inf
        for point in sorted(self.points, key=_cheapest_first):
            reached = value_or_bound(point.finding.estimate)
            if not kept or reached < lowest:
                kept.append(point)
                lowest = reached
        return tuple(kept)


@takes_old_keywords(beside="mixed", told="report")
def frontier(
    scenario: Scenario | str,
    *,
    pools: tuple[int, ...] = POOLS,
    pages: tuple[int, ...] = PAGES,
    mixed: tuple[int, ...] = MIXED,
    quantity: str = "p_wait",
    window: str | None = None,
    at_boot: str = "own",
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    stop: Stop | None = None,
    report: Report | None = None,
    command: str = "",
) -> Frontier:
    """P(wait) of no reserve, of pools, of pages, and of pools of `mixed` objects next to pages;
    raises KrcsimError.

    Where no wait was seen with a reserve, larger ones are not asked: they would show nothing more.
    """
    check_study(seed, precision, max_runs)
    scenario = given(scenario)
    keys: list[Key] = [
        (0, 0),
        *((n, 0) for n in pools),
        *((0, count) for count in pages),
        *((n, count) for count in pages for n in mixed),
    ]
    refuse(
        any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for key in keys for n in key),
        "sizes",
        keys,
        "whole numbers of objects and pages",
        "count them",
    )
    points: list[Point] = []
    # The mixes last.
    for key in sorted(dict.fromkeys(keys), key=lambda key: (key[0] > 0 < key[1], key)):
        if any(_unseen_with_less(point, key) for point in points):
            continue

        s = with_reserve(scenario, *key, at_boot)
        found = ask(
            s, quantity, window=window, seed=seed, precision=precision, max_runs=max_runs, stop=stop
        )
        name, _ = reserve(scenario.remedy, *key, at_boot)
        points.append(Point(name, *key, s.bytes_added(), found))
        if report:
            report(f"{name}: {words(found.estimate)}")
    return Frontier(
        quantity,
        points[0].finding.window,
        at_boot,
        tuple(points),
        scenario,
        seed,
        max_runs,
        command,
    )


def _unseen_with_less(point: Point, key: Key) -> bool:
    """Whether no wait was seen with a reserve that is no larger."""
    objects, pages = key
    smaller = point.objects <= objects and point.pages <= pages
    return smaller and point.finding.estimate.kind in UNSEEN
