# SPDX-License-Identifier: GPL-2.0-only
"""The data of a figure of sizes against a target: what was tried, and the smallest that passes."""

import math
from dataclasses import dataclass

from krcsim.report.chart import Chart, in_strip, plotted_height
from krcsim.results.estimate import Estimate

VERDICTS = ("fails", "passes", "open")
NEAR = 2  # so many times the answer is shown, and a few sizes more
FEW = 4


@dataclass(frozen=True)
class Size:
    """A size that was tried: x is what is searched over (or bytes), words what it is.

    bytes_added: per CPU, once the reserve is full. verdict: one of VERDICTS.
    """

    x: float
    words: str
    bytes_added: int
    estimate: Estimate
    verdict: str


@dataclass(frozen=True)
class TargetChart(Chart):
    """What is drawn of a search: all sizes, the target, and the smallest that passes.

    counts: whether x is a number of objects or pages, and not bytes. answer_words: what stands at
    the answer, in rows. setting: whose search it is.
    """

    sizes: tuple[Size, ...] = ()
    target: float = 1.0
    target_words: str = ""
    answer: Size | None = None
    answer_words: str = ""
    counts: bool = True
    setting: str = ""

    @property
    def near(self) -> tuple[Size, ...]:
        """The sizes near the answer, in their order; without an answer all."""
        rows = sorted(self.sizes, key=lambda size: (size.x, size.bytes_added))
        if self.answer is None:
            return tuple(rows)
        few = FEW if self.counts else FEW * 1024
        most = NEAR * self.answer.x + few
        return tuple(size for size in rows if size.x <= most)


def in_bytes(count: float) -> str:
    """A number of bytes: 200 B, 8 KiB."""
    return f"{count:,.0f} B" if count < 1024 else f"{count / 1024:,.3g} KiB"


def y_limits(chart: TargetChart, wide: float = 1000.0) -> tuple[float, float]:
    """Ends of the axis of probabilities, in whole decades around the target and what was seen.

    Of an interval whose ends are more than `wide` apart only the value counts.
    """
    heights = [chart.target]
    for size in chart.near:
        estimate = size.estimate
        if in_strip(estimate):
            continue
        heights.append(plotted_height(estimate))
        heights += [end for end in interval_of(estimate, wide) if end > 0.0]
    decades = [math.log10(y) for y in heights if y > 0.0 and math.isfinite(y)]
    low, high = math.floor(min(decades) - 0.1), math.ceil(max(decades) + 0.1)
    return 10.0**low, 10.0**high


def interval_of(estimate: Estimate, wide: float = 1000.0) -> tuple[float, ...]:
    """The ends of an interval that is drawn; none where it says no more than the order of
    magnitude.
    """
    if estimate.lo is None or estimate.hi is None or estimate.kind not in ("interval", "rough"):
        return ()
    if estimate.lo <= 0.0 or estimate.hi > wide * estimate.lo:
        return ()
    return estimate.lo, estimate.hi
