# SPDX-License-Identifier: GPL-2.0-only
"""Intervals and bounds, with the replication as unit: waits come in clusters, so calls are not trials."""
import math
from dataclasses import dataclass
import numpy as np
from numpy.typing import NDArray
Array = NDArray[np.float64]
ROUGH = 5  # fewer replications than this that saw anything: an interval is only a hint

@dataclass(frozen=True)
class Estimate:
    """A number with a 95 % interval.

    kind: `interval`; `rough` (few replications saw anything: read it as a factor); `bound` (nothing was seen: value
    None, hi the upper bound); `none` (undefined: no such event); `exact` (no randomness).
    """
    value: float | None
    lo: float | None
    hi: float | None
    kind: str

    @property
    def half_width(self) -> float:
        """Half the interval relative to the value; inf where there is none."""
        if not self.value or self.lo is None or self.hi is None:
            return 0.0 if self.kind == "exact" else math.inf
        return (self.hi - self.lo) / 2 / abs(self.value)

NOTHING = Estimate(None, None, None, "none")

def exact(value: float) -> Estimate:
    """A number without randomness."""
    return Estimate(value, value, value, "exact")

def student(n: int) -> float:
    """Two-sided 95 % point of Student's t with n degrees of freedom."""
    from scipy.special import stdtrit  # a third of the import time of the package if at the top
    return float(stdtrit(n, 0.975))

def ratio(num: Array, den: Array) -> Estimate:
    """Sum of num over sum of den (one of each a replication, none negative); interval symmetric on a log scale."""
    n, total = len(num), float(den.sum())
    if total <= 0 or float(num.sum()) <= 0:
        return NOTHING
    value = float(num.sum()) / total
    if n < 2:
        return Estimate(value, None, None, "rough")
    error = math.sqrt(n * float(np.var(num - value * den, ddof=1))) / total  # by the delta method
    factor = math.exp(min(500.0, student(n - 1) * error / value))
    kind = "interval" if error == 0.0 or np.count_nonzero(num) >= ROUGH else "rough"
    return Estimate(value, value / factor, value * factor, kind)

def mean(x: Array) -> Estimate:
    """Mean of x over replications with a Student interval."""
    if len(x) < 2:
        return Estimate(float(x.mean()), None, None, "rough") if len(x) else NOTHING
    value, half = float(x.mean()), student(len(x) - 1) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Estimate(value, value - half, value + half, "interval")

def unseen(units: int, share: float = 1.0) -> Estimate:
    """Upper 95 % bound of a probability per call that none of `units` independent units, with `share` of calls, saw."""
    most = 1.0 - 0.05 ** (1.0 / max(1, units))  # of the units would see the event, at worst in all their calls
    return Estimate(None, 0.0, min(1.0, share * most), "bound") if units > 0 else NOTHING

@dataclass(frozen=True)
class Difference:
    """A ratio minus another, measured in the same worlds, with a 95 % interval."""
    value: float
    lo: float
    hi: float
    pairing_saves: float  # the share of the difference's variance that sharing the worlds removed

def difference(num: Array, den: Array, num0: Array, den0: Array) -> Difference | None:
    """ratio(num, den) - ratio(num0, den0) over the same replications; None if undefined."""
    n = min(len(num), len(num0))
    num, den, num0, den0 = num[:n], den[:n], num0[:n], den0[:n]
    if n < 2 or den.sum() <= 0 or den0.sum() <= 0:
        return None
    a, b = num.sum() / den.sum(), num0.sum() / den0.sum()
    za, zb = (num - a * den) / den.mean(), (num0 - b * den0) / den0.mean()
    apart, together = float(za.var(ddof=1) + zb.var(ddof=1)), float((za - zb).var(ddof=1))
    half = student(n - 1) * math.sqrt(together / n)
    d = float(a - b)
    return Difference(d, d - half, d + half, 1.0 - together / apart if apart > 0 else 0.0)

def quantile(hist: NDArray[np.int64], edges: Array, q: float, below: Array, floor: float) -> Estimate:
    """The q-quantile of times in hist[group, bin] and of below[group] times at `floor`; a jackknife interval."""
    used = np.flatnonzero(hist.sum(axis=1) + below > 0)
    n, total, quick = len(used), hist.sum(axis=0), below.sum()
    if n == 0:
        return NOTHING
    value = _quantile(total, edges, q, quick, floor)
    if n < ROUGH:
        return Estimate(value, None, None, "rough")
    out = np.array([_quantile(total - hist[g], edges, q, quick - below[g], floor) for g in used])
    half = student(n - 1) * math.sqrt((n - 1) / n * float(((out - out.mean()) ** 2).sum()))
    return Estimate(value, max(floor, value - half), value + half, "interval")

def _quantile(hist: NDArray[np.int64], edges: Array, q: float, below: float, floor: float) -> float:
    cum = np.cumsum(hist)
    want = min(q * (cum[-1] + below) - below, cum[-1])
    if want <= 0:
        return floor
    i = int(np.searchsorted(cum, want))
    part = (want - (cum[i] - hist[i])) / hist[i]
    return float(edges[i] * (edges[i + 1] / edges[i]) ** part)
