# SPDX-License-Identifier: GPL-2.0-only
"""The data of a figure that holds methods against the exact answer."""

import math
from dataclasses import dataclass

from krcsim.report.chart import Chart, Line, plotted_height
from krcsim.results.estimate import Estimate

FARTHEST = 8.0  # times the exact answer, up or down: what is farther off is cut there


@dataclass(frozen=True)
class Held:
    """What a method found for a size, in parts of the exact answer, and whether its range holds it.

    lo, hi: ends of the range; value is nan where no wait was seen.
    """

    x: float
    value: float
    lo: float
    hi: float
    holds: bool


@dataclass(frozen=True)
class ExactChart(Chart):
    """A chart whose first line is exact; the others are estimates of the same sizes.

    setting: whose question it is.
    """

    setting: str = ""

    @property
    def exact(self) -> Line:
        """The exact answer, without a value where there is none."""
        return self.lines[0]

    @property
    def simulated(self) -> tuple[Line, ...]:
        """What was estimated by each method."""
        return self.lines[1:]

    @property
    def has_exact(self) -> bool:
        """Whether there is an exact answer for any size."""
        return any(estimate.value for estimate in self.exact.estimates)

    def held(self, line: Line) -> tuple[Held, ...]:
        """A method's ranges against the exact answer, of the sizes that have both."""
        found = []
        for x, truth, estimate in zip(line.x, self.exact.estimates, line.estimates, strict=True):
            if truth.value and estimate.lo is not None and estimate.hi is not None:
                found.append(_held(x, truth.value, estimate))
        return tuple(found)


def _held(x: float, truth: float, estimate: Estimate) -> Held:
    lo, hi = estimate.lo or 0.0, estimate.hi or 0.0
    value = plotted_height(estimate) / truth
    return Held(x, value, lo / truth, hi / truth, lo <= truth <= hi)


def decades(chart: ExactChart) -> tuple[int, int]:
    """Whole powers of ten between which all values stand."""
    heights = [plotted_height(e) for line in chart.lines for e in line.estimates]
    logs = [math.log10(y) for y in heights if y > 0.0]
    return math.floor(min(logs, default=-5.0) - 0.2), math.ceil(max(logs, default=0.0) + 0.2)
