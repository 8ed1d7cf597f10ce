# SPDX-License-Identifier: GPL-2.0-only
"""Each remedy against the first one, with the same random draws."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from krcsim.methods import plain
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Array, Difference, between, difference
from krcsim.results.quantities import callers, compared_sums, window_ms
from krcsim.results.result import Cell
from krcsim.runs.replications import Replications
from krcsim.studies.entries import Entries

Point = tuple[Cell, ...]  # the values of a point: the name of the remedy, then of what varies


@dataclass(frozen=True)
class PointAnswer:
    """What was found at a point: its scenario, the plain runs, and every entry that it has."""

    scenario: Scenario
    runs: Replications
    entries: Entries


def differences(
    answers: Mapping[Point, PointAnswer], windows: Mapping[int, str], by_episode: bool
) -> Iterator[Point]:
    """P(wait) and waiting time of each remedy minus the first one's: rows of a Result."""
    points = list(answers.items())
    sums = compared_sums(by_episode)
    for (key, answer), (window, window_name), quantity in itertools.product(
        points[1:], windows.items(), sums
    ):
        base, first = points[0]
        found = _difference(answer, first, window, quantity, sums[quantity])
        if found is not None:
            yield (
                key[0],
                base[0],
                window_name,
                quantity,
                found.value,
                found.lo,
                found.hi,
                found.pairing_saves,
            )


def _difference(
    answer: PointAnswer,
    first: PointAnswer,
    window: int,
    quantity: str,
    counters: tuple[str, str],
) -> Difference | None:
    """The difference of two entries: run by run where plain runs gave both values, else from the
    entries alone.

    So it never says more than the entries do. None where neither of them saw a wait.
    """
    entry = answer.entries.get((window, quantity))
    base = first.entries.get((window, quantity))
    if entry is None or base is None or not (entry.estimate.value or base.estimate.value):
        return None

    apart = between(entry.estimate, base.estimate)
    if apart is None or not entry.method == base.method == plain.NAME:
        return apart

    mine = _counted(answer, counters, window)
    its = _counted(first, counters, window)
    count = min(len(answer.runs), len(first.runs))
    if all((a[:count] == b[:count]).all() for a, b in zip(mine, its, strict=True)):
        # No run tells them apart, and no run says how rarely others would.
        return replace(apart, pairing_saves=1.0)
    return difference(*mine, *its) or apart


def _counted(answer: PointAnswer, counters: tuple[str, str], window: int) -> tuple[Array, Array]:
    """What a quantity sums up in each run, and what it is divided by."""
    scenario, runs = answer.scenario, answer.runs
    summed, divided_by = counters
    if divided_by:
        return runs.of(summed, window), runs.of(divided_by, window)
    time_ms = window_ms(scenario, window) * callers(scenario)
    return runs.of(summed, window), np.full(len(runs), time_ms)
