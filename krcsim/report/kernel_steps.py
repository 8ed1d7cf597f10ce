# SPDX-License-Identifier: GPL-2.0-only
"""From one kernel to the next: which numbers a change moved, by how much, as far as is proven."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from krcsim.model.kernel_rows import kernel_named
from krcsim.model.remedy import NamedRemedy
from krcsim.results.estimate import Estimate
from krcsim.results.held_against import apart_from
from krcsim.results.result import Result

# What the kernels are compared by, in the order of the screen.
COMPARED = (
    "p_wait",
    "mean_bytes",
    "dwell_ms",
    "callbacks_hz",
    "gps_hz",
    "bytes_at_full",
)
SAME = 1.25  # a factor below is no step: the same bounds as in docs/claims.md


@dataclass(frozen=True)
class Step:
    """A number that differs from one kernel to the next: by at least `factor`, more or less.

    is_exact: whether that is the factor itself, and not only the least that it can be.
    """

    kernel: NamedRemedy
    quantity: str
    before: Estimate
    after: Estimate
    factor: float
    is_more: bool
    is_exact: bool


def kernels_of(result: Result) -> tuple[NamedRemedy, ...]:
    """The kernels of a result, in the order of its rows."""
    return tuple(kernel_named(str(point[0])) for point in result.points())


def window_of(result: Result) -> str:
    """The window that kernels are compared in: the last that has answers."""
    return result.windows()[-1]


def steps(result: Result, quantities: tuple[str, ...] = COMPARED) -> tuple[Step, ...]:
    """All steps from each kernel to the next, in the order of the rows and of the quantities."""
    return tuple(_steps(result, quantities))


def _steps(result: Result, quantities: tuple[str, ...]) -> Iterator[Step]:
    window = window_of(result)
    for earlier, later in pairwise(kernels_of(result)):
        for quantity in quantities:
            before = result.get(earlier.name, quantity, window)
            after = result.get(later.name, quantity, window)
            found = step_between(before, after)
            if found is not None:
                factor, is_more, is_exact = found
                yield Step(later, quantity, before, after, factor, is_more, is_exact)


def step_between(before: Estimate, after: Estimate) -> tuple[float, bool, bool] | None:
    """By what factor a number is proven to have moved, whether up, and whether the factor is known.

    None where no difference is proven, or where it is less than a factor of SAME. Of what was not
    seen only the least factor is known; a number that becomes 0 has moved by an infinite one.
    """
    apart = apart_from(after, before)
    if apart is None or not (apart.is_less or apart.is_more):
        return None

    high, low = (after, before) if apart.is_more else (before, after)
    if high.value and low.value:
        factor = high.value / low.value
        return (factor, apart.is_more, True) if factor >= SAME else None
    if low.value == 0.0 and low.kind == "exact":
        return math.inf, apart.is_more, True
    factor = (high.lo or 0.0) / low.hi if low.hi else 0.0
    return (factor, apart.is_more, False) if factor >= SAME else None
