# SPDX-License-Identifier: GPL-2.0-only
"""Skipping, every-call mode and the SimPy twin on random scenarios: do they say the same?

`python -m validation.agreement` prints the table; `--family newer` that of scenarios with rules of
kernels since v5.11. Scenarios are the first of their family that a pilot of the engine finds worth
the twin's time: waits are not rare, and the twin gets every half width of the QUANTITIES below 3 %
(6 % for later rules) within the CPU time of its family. Every other counter that the twin keeps is
compared, too, a run, where enough replications of either side counted anything.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import student
from krcsim.runs.ladder import extend
from krcsim.runs.replications import Replications, replicate, warm_up
from validation import twin
from validation.scenarios import (
    detailed_scenario,
    feedback_scenario,
    newer_scenario,
    rate_scenario,
    replay_scenario,
    sheaf_scenario,
    sized_scenario,
)
from validation.twin_sheaf import SHEAF_COUNTERS
from validation.twin_sizes import SIZE_COUNTERS


@dataclass(frozen=True)
class Family:
    """Random scenarios of one kind, by number; how many of them are compared, and how sharply."""

    scenario: Callable[[int], Scenario]
    wanted: int = 20
    half_width: float = 0.03
    most_s: float = 15.0  # CPU time of the twin, for one of them
    share: float = (
        0.8  # of the half width that the pilot aims at, since its variance is an estimate
    )

    def aim(self) -> float:
        """The half width that the pilot aims at."""
        return self.share * self.half_width


# The rules of later kernels, and calls of a recording, are on top of those of 2020: five families
# see 58 scenarios with them, each counter to a few per cent.
later = partial(Family, wanted=14, half_width=0.06, most_s=8.0)
FAMILIES = {
    "detailed": Family(detailed_scenario),
    "newer": later(newer_scenario),
    "feedback": later(feedback_scenario),
    "sheaf": later(sheaf_scenario),
    "replay": later(replay_scenario, wanted=8),
    "rate": later(rate_scenario, wanted=8),
    "sized": later(sized_scenario, wanted=8, share=0.7),  # of rare sizes a pilot sees little
}
TWIN_CALLS_PER_S = 60_000.0
QUANTITIES = ("P(wait)", "mean wait", "peak")
NAMES = (*twin.COUNTERS, *SHEAF_COUNTERS, *SIZE_COUNTERS)
# replications, of all sides, in which a counter is not 0: fewer say little, and their mean is not
# normal
SEEN = 50
WINDOW = 1

Columns = NDArray[np.float64]  # replications x NAMES


@dataclass(frozen=True)
class Case:
    """A scenario of the family and the replications of the twin (the engine runs twice as many)."""

    number: int
    scenario: Scenario
    replications: int
    family: str = "detailed"


def of_engine(runs: Replications) -> Columns:
    """The counters that are compared, from the engine."""
    return np.stack([runs.of(name, WINDOW) for name in NAMES], axis=1)


def of(x: Columns, name: str) -> Columns:
    """One counter of the replications."""
    return np.asarray(x[:, NAMES.index(name)])


def error_of(num: Columns, den: Columns) -> tuple[float, float]:
    """A ratio of sums and its standard error, by the delta method."""
    value = num.sum() / den.sum()
    z = num - value * den
    return float(value), float(z.std(ddof=1) * math.sqrt(len(num)) / den.sum())


def errors(x: Columns) -> list[tuple[float, float]]:
    """Value and standard error of each of the QUANTITIES."""
    waits = of(x, "waits")
    pairs = ((waits, of(x, "single")), (of(x, "wait_ms"), waits), (of(x, "peak"), np.ones(len(x))))
    return [error_of(num, den) for num, den in pairs]


def half_widths(x: Columns) -> list[float]:
    """Relative half widths of normal intervals of the QUANTITIES: there are hundreds of
    replications.
    """
    return [
        student(len(x) - 1) * error / value if value > 0 else math.inf for value, error in errors(x)
    ]


def counted(case: Case, three: tuple[Columns, Columns, Columns]) -> Iterator[Row]:
    """A row for each counter that was seen often enough: its mean over replications."""
    for name in NAMES:
        columns = [of(x, name) for x in three]
        if sum(np.count_nonzero(column) for column in columns) >= SEEN:
            s, e, t = (error_of(column, np.ones(len(column))) for column in columns)
            yield Row(case, name, (s[0], e[0], t[0]), (), (z_of(s, t), z_of(e, t), z_of(s, e)))


def cases(family: str = "detailed", wanted: int | None = None) -> Iterator[Case]:
    """The first scenarios of a family that pass the pilot, as many as it wants or as given."""
    of_family = FAMILIES[family]
    found = 0
    for number in itertools.count():
        s = of_family.scenario(number)
        pilot = of_engine(replicate(s, 1, 0, 300))
        if of(pilot, "waits").sum() < 1000:
            continue
        widths = half_widths(pilot)
        if not all(math.isfinite(x) for x in widths):
            continue
        n = max(250, math.ceil(300 * (max(widths) / of_family.aim()) ** 2))
        calls = n * s.workload.rate_hz * s.machine.cpus * s.horizon_ms / 1000.0
        if calls / TWIN_CALLS_PER_S > of_family.most_s:
            continue
        yield Case(number, s, n, family)
        found += 1
        if found == (wanted or of_family.wanted):
            return


def twin_part(job: tuple[str, int, int, int]) -> Columns:
    """Replications first .. last - 1 of the twin."""
    family, number, first, last = job
    s = FAMILIES[family].scenario(number)
    rows = [twin.run(s, 11, r)["steady"] for r in range(first, last)]
    return np.array([[row[name] for name in NAMES] for row in rows])


@dataclass(frozen=True)
class Row:
    """One quantity or counter of one scenario by the three methods: values, z by pairs; half widths
    of quantities.
    """

    case: Case
    quantity: str
    values: tuple[float, ...]  # skipping, every call, twin
    half_widths: tuple[float, ...]
    z: tuple[float, ...]  # skipping - twin, every call - twin, skipping - every call


def z_of(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Difference over its standard error; 0 where both are the same and nothing is random."""
    error = math.hypot(a[1], b[1])
    if error <= 1e-9 * abs(b[0]):
        return 0.0 if abs(a[0] - b[0]) <= 1e-6 * abs(b[0]) else math.inf
    return (a[0] - b[0]) / error


def compare(family: str = "detailed", wanted: int | None = None) -> list[Row]:
    """All rows; the twin runs in processes, the engine meanwhile in threads."""
    warm_up()
    found = list(cases(family, wanted))
    rows = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        step = 100
        jobs = [
            [
                (family, c.number, a, min(a + step, c.replications))
                for a in range(0, c.replications, step)
            ]
            for c in found
        ]
        pending = [[pool.submit(twin_part, job) for job in some] for some in jobs]
        for c, parts in zip(found, pending, strict=True):
            skip = of_engine(extend(c.scenario, 12, None, 2 * c.replications, workers=1))
            every = of_engine(
                extend(c.scenario, 13, None, 2 * c.replications, every_call=True, workers=1)
            )
            other = np.concatenate([p.result() for p in parts])
            three = (skip, every, other)
            widths = [half_widths(x) for x in three]
            moments = [errors(x) for x in three]
            for q, name in enumerate(QUANTITIES):
                s, e, t = (m[q] for m in moments)
                rows.append(
                    Row(
                        c,
                        name,
                        (s[0], e[0], t[0]),
                        tuple(w[q] for w in widths),
                        (z_of(s, t), z_of(e, t), z_of(s, e)),
                    )
                )
            rows += counted(c, three)
    return rows


def table(rows: list[Row]) -> str:
    """The rows in columns (of counters those that are 2.5 standard errors apart or more), and the
    verdict below.
    """
    lines = [
        f"{'no':>3} {'runs':>5} {'quantity':<14} {'skipping':>10} {'every call':>10} "
        f"{'twin':>10} {'half width':>10} {'z':>6} {'z':>6} {'z':>6}"
    ]
    for r in rows:
        if not r.half_widths and max(abs(x) for x in r.z) < 2.5:
            continue
        values = " ".join(f"{v:10.5g}" for v in r.values)
        z = " ".join(f"{x:6.2f}" for x in r.z)
        lines.append(
            f"{r.case.number:>3} {r.case.replications:>5} {r.quantity:<14} {values} "
            f"{max(r.half_widths) if r.half_widths else math.nan:10.2%} {z}"
        )
    all_z = [abs(x) for r in rows for x in r.z]
    lines.append(
        f"{len(all_z)} comparisons: largest |z| {max(all_z):.2f}, above 3: "
        f"{sum(x > 3 for x in all_z)}; largest half width "
        f"{max(max(r.half_widths) for r in rows if r.half_widths):.2%}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=FAMILIES, default="detailed")
    parser.add_argument("--wanted", type=int, help="scenarios that pass the pilot")
    given = parser.parse_args()
    sys.stdout.write(table(compare(given.family, given.wanted)) + "\n")
