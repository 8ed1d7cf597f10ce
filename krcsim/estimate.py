# SPDX-License-Identifier: GPL-2.0-only
"""Arrays in, numbers out: intervals over replications, bounds for the unseen, paired differences.

The replication is the unit everywhere: waits come in clusters, so calls are not trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEVEL = 0.95
ROUGH = 5  # fewer replications than this that saw anything: an interval is only a hint

@dataclass(frozen=True)
class Estimate:
    """A number with a 95 % interval.

    kind: `interval`; `rough` (few replications saw anything: read as a factor, not as digits);
    `bound` (nothing was seen: value None, hi the upper bound); `none` (undefined: no such event);
    `exact` (no randomness).
    """

    value: float | None
    lo: float | None
    hi: float | None
    kind: str

    @property
    def half_width(self) -> float:
        """Half the interval relative to the value; inf where there is none."""
        if self.kind == "exact":
            return 0.0
        if not self.value or self.lo is None or self.hi is None:
            return math.inf
        return (self.hi - self.lo) / 2 / abs(self.value)

NOTHING = Estimate(None, None, None, "none")

def exact(value: float) -> Estimate:
    """A number without randomness."""
    return Estimate(value, value, value, "exact")

def student(n: int) -> float:
    """Two-sided 95 % point of Student's t with n degrees of freedom."""
    from scipy.special import stdtrit  # a third of the import time of the package if at the top

    return float(stdtrit(n, 0.5 + LEVEL / 2))

def ratio(num: Array, den: Array) -> Estimate:
    """Sum of num over sum of den (one of each a replication, not negative), with its interval.

    Delta method on the logarithm with Student's t, so the interval is positive and skewed the way
    the estimate is. All num zero gives kind `none`: the caller knows what a bound needs.
    """
    total = float(den.sum())
    if total <= 0 or float(num.sum()) <= 0:
        return NOTHING
    value = float(num.sum()) / total
    error = _spread(num - value * den) / total
    if len(num) < 2:
        return Estimate(value, None, None, "rough")
    if error == 0.0:
        return Estimate(value, value, value, "interval")
    factor = math.exp(min(500.0, student(len(num) - 1) * error / value))
    kind = "interval" if np.count_nonzero(num) >= ROUGH else "rough"
    return Estimate(value, value / factor, value * factor, kind)

def _spread(z: Array) -> float:
    """Standard deviation of the sum of z, from its values."""
    n = len(z)
    return math.sqrt(n * float(np.var(z, ddof=1))) if n > 1 else math.inf

def mean(x: Array) -> Estimate:
    """Mean of x over replications with a Student interval."""
    n = len(x)
    if n < 2:
        return Estimate(float(x.mean()), None, None, "rough") if n else NOTHING
    value = float(x.mean())
    half = student(n - 1) * float(x.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, value - half, value + half, "interval")

def unseen(units: int, share: float = 1.0) -> Estimate:
    """Upper 95 % bound of a probability per call when none of `units` units saw the event.

    A unit is what can be taken as independent: a replication, or a spell where only spells can do
    harm. At most 1 - 0.05**(1/units) of the units would see the event; in the worst case all
    calls of such a unit would, and `share` is the share of the calls that units hold.
    """
    if units <= 0:
        return NOTHING
    return Estimate(None, 0.0, min(1.0, share * (1.0 - 0.05 ** (1.0 / units))), "bound")

@dataclass(frozen=True)
class Difference:
    """A ratio minus another, measured in the same worlds, with a 95 % interval.

    pairing_saves: the share of the variance of the difference that sharing the worlds removed.
    """

    value: float
    lo: float
    hi: float
    pairing_saves: float

    @property
    def proven(self) -> bool:
        """Whether the interval excludes zero."""
        return self.lo > 0 or self.hi < 0

def difference(num: Array, den: Array, num0: Array, den0: Array) -> Difference | None:
    """ratio(num, den) - ratio(num0, den0) over the same replications; None if undefined."""
    n = min(len(num), len(num0))
    num, den, num0, den0 = num[:n], den[:n], num0[:n], den0[:n]
    if n < 2 or den.sum() <= 0 or den0.sum() <= 0:
        return None
    a, b = num.sum() / den.sum(), num0.sum() / den0.sum()
    za = (num - a * den) / den.mean()
    zb = (num0 - b * den0) / den0.mean()
    apart = float(za.var(ddof=1) + zb.var(ddof=1))
    together = float((za - zb).var(ddof=1))
    half = student(n - 1) * math.sqrt(together / n)
    d = float(a - b)
    return Difference(d, d - half, d + half, 1.0 - together / apart if apart > 0 else 0.0)

def quantile(hist: NDArray[np.int64], edges: Array, q: float, below: Array,
        floor: float) -> Estimate:
    """The q-quantile of times in histograms hist[group, bin], `below` more at `floor` a group.

    The interval comes from leaving out one group at a time (jackknife); the value is interpolated
    in its bin. No entry at all gives kind `none`.
    """
    total = hist.sum(axis=0)
    value = _quantile(total, edges, q, float(below.sum()), floor)
    if value is None:
        return NOTHING
    used = [g for g in range(len(hist)) if hist[g].sum() + below[g] > 0]
    n = len(used)
    if n < ROUGH:
        return Estimate(value, None, None, "rough")
    out = []
    for g in used:
        left = _quantile(total - hist[g], edges, q, float(below.sum() - below[g]), floor)
        out.append(value if left is None else left)
    leave = np.array(out)
    half = student(n - 1) * math.sqrt((n - 1) / n * float(((leave - leave.mean()) ** 2).sum()))
    return Estimate(value, max(floor, value - half), value + half, "interval")

def _quantile(hist: NDArray[np.int64], edges: Array, q: float, below: float,
        floor: float) -> float | None:
    total = float(hist.sum()) + below
    if total <= 0:
        return None
    want = q * total - below
    if want <= 0:
        return floor
    cum = np.cumsum(hist)
    i = int(np.searchsorted(cum, want))
    if i >= len(hist) or hist[i] == 0:
        return None if cum[-1] == 0 else float(edges[min(i, len(hist) - 1) + 1])
    before = cum[i] - hist[i]
    part = (want - before) / hist[i]
    return float(edges[i] * (edges[i + 1] / edges[i]) ** part)
