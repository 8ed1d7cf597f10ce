# SPDX-License-Identifier: GPL-2.0-only
"""Bytes against probability: growing pools, growing lists of pages, and both together."""

from dataclasses import dataclass

from krcsim.base.errors import refuse
from krcsim.base.old_names import takes_rungs
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.result import words
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Stop, check_study
from krcsim.studies.ask import Finding, ask
from krcsim.studies.limits import height
from krcsim.studies.size import Key, Told, reserve, with_reserve

POOLS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
PAGES = (1, 2, 3, 4, 5, 8)
BESIDE = (1, 3, 10)  # objects beside pages
UNSEEN = ("bound", "none")


@dataclass(frozen=True)
class Point:
    """A reserve, what it adds, and what was found."""

    name: str
    objects: int
    pages: int
    bytes_added: int
    finding: Finding


@dataclass(frozen=True)
class Frontier:
    """What reserves of growing size cost and reach, in the same worlds."""

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
        from krcsim.studies.size_chart import drawn

        return drawn(self)._repr_png_()

    @property
    def envelope(self) -> tuple[Point, ...]:
        """The points that no cheaper one equals or beats, the cheapest first."""
        kept: list[Point] = []
        for p in sorted(self.points, key=lambda p: (p.bytes_added, height(p.finding.estimate))):
            if not kept or height(p.finding.estimate) < height(kept[-1].finding.estimate):
                kept.append(p)
        return tuple(kept)


@takes_rungs
def frontier(
    scenario: Scenario | str,
    *,
    pools: tuple[int, ...] = POOLS,
    pages: tuple[int, ...] = PAGES,
    beside: tuple[int, ...] = BESIDE,
    quantity: str = "p_wait",
    window: str | None = None,
    at_boot: str = "own",
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    stop: Stop | None = None,
    told: Told | None = None,
    command: str = "",
) -> Frontier:
    """P(wait) of no reserve, of pools, of pages, and of pools of `beside` objects beside pages;
    raises KrcsimError.

    Where no wait was seen with a reserve, larger ones are not asked: they would show nothing more.
    """
    check_study(seed, precision, max_runs)
    scenario = given(scenario)
    keys: list[Key] = [
        (0, 0),
        *((n, 0) for n in pools),
        *((0, p) for p in pages),
        *((n, p) for p in pages for n in beside),
    ]
    refuse(
        any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for key in keys for n in key),
        "sizes",
        keys,
        "whole numbers of objects and pages",
        "count them",
    )
    points: list[Point] = []
    for key in sorted(
        dict.fromkeys(keys), key=lambda key: (key[0] > 0 < key[1], key)
    ):  # the mixes last
        if any(
            p.objects <= key[0] and p.pages <= key[1] and p.finding.estimate.kind in UNSEEN
            for p in points
        ):
            continue
        s = with_reserve(scenario, *key, at_boot)
        found = ask(
            s, quantity, window=window, seed=seed, precision=precision, max_runs=max_runs, stop=stop
        )
        points.append(
            Point(reserve(scenario.remedy, *key, at_boot)[0], *key, s.bytes_added(), found)
        )
        if told:
            told(f"{points[-1].name}: {words(found.estimate)}")
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
