# SPDX-License-Identifier: GPL-2.0-only
"""Which assumption moves the answer most: Sobol' indices of log10 P(wait) over stated ranges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import is_real
from krcsim.base.old_names import takes_old_keywords
from krcsim.model.joint import Joint
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.quantities import window_ms
from krcsim.runs.ladder import SEED, Progress, Stop, check_study
from krcsim.studies.ask import ask
from krcsim.studies.inputs import Ends, at_point, check_ranges, default_ranges
from krcsim.studies.recorded_ranges import GIVEN as GIVEN
from krcsim.studies.recorded_ranges import RECORDED as RECORDED
from krcsim.studies.recorded_ranges import recorded_ranges

RESAMPLES = 500
AGAIN = 16  # points that are asked with other random draws, too
PRECISION = 0.2  # relative half width at which a point is known well enough
Share = tuple[float, float, float]  # of the variance, and the ends of its interval


@dataclass(frozen=True)
class Index:
    """What one input moves: its range, and the share of the variance by itself and with all others
    (95 %). origin: where the range comes from, "given", "recorded" or "assumed".
    """

    name: str
    range: Ends
    first: Share
    total: Share
    origin: str = GIVEN


@dataclass(frozen=True)
class Sensitivity:
    """Inputs, the one that moves log10 of the quantity most first; holds for these ranges only.

    floor: what was smaller, or never seen, counts as this; at_floor: the share of points there.
    chance: the share of the variance that the same points have with other random draws; a total
    below that may be chance, which more replications lessen. spread: the standard deviation of
    log10 of the quantity over the ranges. max_runs: replications of a point at most.
    """

    quantity: str
    window: str
    indices: tuple[Index, ...]
    floor: float
    at_floor: float
    chance: float
    spread: float
    n: int
    points: int
    max_runs: int
    scenario: Scenario
    seed: int
    command: str = ""

    def __repr__(self) -> str:
        """In a line what it is."""
        names = ", ".join(index.name for index in self.indices)
        return f"<Sensitivity: {names}, most first; {self.points} points>"

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        from krcsim.studies.sensitivity_chart import picture_of_sensitivity

        return picture_of_sensitivity(self)._repr_png_()


@takes_old_keywords(told="progress")
def sensitivity(
    scenario: Scenario | str | Joint,
    ranges: Mapping[str, Ends] | None = None,
    *,
    n: int = 64,
    max_runs: int = 16,
    quantity: str = "p_wait",
    window: str | None = None,
    floor: float | None = None,
    seed: int = SEED,
    stop: Stop | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> Sensitivity:
    """Rank the uncertain inputs: (inputs + 2) * n points with the same random draws, each with up
    to `max_runs` replications.

    Of a Joint the ranges are what the recording does not know, and from half to twice of what
    stays an assumption; what_to_record() says what follows. n: a power of two. floor: left out, one
    wait in all calls of a point. Raises KrcsimError.
    """
    check_study(seed, 0.5, max_runs)
    ends, origins = _ranges(scenario, ranges)
    scenario = scenario.scenario if isinstance(scenario, Joint) else given(scenario)
    check_ranges(scenario, ends, n)
    floor = _one_wait(scenario, max_runs) if floor is None else floor
    refuse(
        not (is_real(floor) and 0 < floor < 1),
        "floor",
        floor,
        "a number above 0 and below 1",
        "leave it out",
    )

    points = sobol_points(len(ends), n, seed)
    again = points[: min(n, AGAIN)]
    asked = [*((point, seed) for point in points), *((point, seed ^ 1) for point in again)]
    values: list[float] = []
    for point, draws in asked:
        found = ask(
            at_point(scenario, ends, point),
            quantity,
            window=window,
            seed=draws,
            max_runs=max_runs,
            precision=PRECISION,
            stop=stop,
        )
        values.append(max(floor, found.estimate.value or 0.0))
        if progress:
            progress(len(values), len(asked))

    logs, others = np.split(np.log10(values), [len(points)])
    if np.ptp(logs) == 0.0:
        raise KrcsimError(
            f"nothing moves {quantity}: it is {10 ** logs[0]:.3g} or less at all {len(points)} "
            "points; widen the ranges, raise max_runs, or take a smaller reserve"
        )
    rows = [
        Index(name, ends[name], first, total, origins.get(name, GIVEN))
        for name, first, total in zip(ends, *indices(logs, len(ends), n, seed), strict=True)
    ]
    return Sensitivity(
        found.quantity,
        found.window,
        tuple(sorted(rows, key=lambda index: -index.total[0])),
        floor,
        float(np.mean(logs <= math.log10(floor))),
        float(np.mean((logs[: len(others)] - others) ** 2) / 2 / logs.var()),
        float(logs.std()),
        n,
        len(points),
        max_runs,
        scenario,
        seed,
        command,
    )


def _ranges(
    scenario: Scenario | str | Joint, ranges: Mapping[str, Ends] | None
) -> tuple[dict[str, Ends], dict[str, str]]:
    """The ranges that are looked at, and where they come from if they were not given."""
    if ranges is not None:
        return dict(ranges), {}
    if isinstance(scenario, Joint):
        return recorded_ranges(scenario)
    return default_ranges(given(scenario)), {}


def _one_wait(scenario: Scenario, max_runs: int) -> float:
    """One wait in all single-argument calls of a point: what is less frequent is not seen."""
    workload = scenario.workload
    span_ms = window_ms(scenario, 1) or scenario.horizon_ms
    per_run = workload.rate_hz / 1000.0 * span_ms * scenario.machine.cpus * workload.single_share
    return min(0.1, 1.0 / max(1.0, per_run * max_runs))


def sobol_points(inputs: int, n: int, seed: int) -> list[Any]:
    """Points of the unit cube: n of a sample A, n of a sample B, and for each input those of A with
    that column of B.
    """
    from scipy.stats import qmc

    sample = qmc.Sobol(2 * inputs, rng=np.random.default_rng(seed)).random(n)
    first, second = np.split(sample, 2, axis=1)
    mixed = np.repeat(first[None], inputs, axis=0)
    for column in range(inputs):
        mixed[column, :, column] = second[:, column]
    return [*first, *second, *mixed.reshape(-1, inputs)]


def indices(logs: Any, inputs: int, n: int, seed: int) -> tuple[list[Share], list[Share]]:
    """First-order and total indices with 95 % intervals: percentiles over drawings of the n points
    with replacement.
    """
    from scipy.stats import sobol_indices

    of_first, of_second = logs[:n], logs[n : 2 * n]
    of_mixed = logs[2 * n :].reshape(inputs, 1, n)
    rng = np.random.default_rng(seed)
    drawn = [np.arange(n), *(rng.integers(n, size=n) for _ in range(RESAMPLES))]
    found = [
        sobol_indices(
            func=dict(f_A=of_first[None, at], f_B=of_second[None, at], f_AB=of_mixed[:, :, at]), n=n
        )
        for at in drawn
    ]
    first = _with_intervals(np.array([both.first_order for both in found]), inputs)
    total = _with_intervals(np.array([both.total_order for both in found]), inputs)
    return first, total


def _with_intervals(values: Any, inputs: int) -> list[Share]:
    """The index of each input, from the first row, with percentiles over all others."""
    low, high = np.quantile(values[1:].reshape(-1, inputs), (0.025, 0.975), axis=0)
    return [
        (float(value), float(min(value, least)), float(max(value, most)))
        for value, least, most in zip(values[0].ravel(), low, high, strict=True)
    ]
