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
    """A quantity minus another with a 95 % interval; value None where one of the two is only bounded.

    pairing_saves: the share of the variance that sharing the worlds removed; 1 where no run differed.
    """
    value: float | None
    lo: float
    hi: float
    pairing_saves: float

DIFFER = 10.0  # runs that differ, at least, for an interval from how they differ: fewer agree or differ by chance

def difference(num: Array, den: Array, num0: Array, den0: Array) -> Difference | None:
    """ratio(num, den) - ratio(num0, den0), whose first runs shared their worlds; None if too few of these differ."""
    n, m = len(num), len(num0)
    both = min(n, m)
    if both < 2 or den.sum() <= 0 or den0.sum() <= 0:
        return None
    a, b = float(num.sum() / den.sum()), float(num0.sum() / den0.sum())
    apart = np.abs(num[:both] - num0[:both]) + b * np.abs(den[:both] - den0[:both])
    # As many runs as differ, each as much as the others: one that differs a lot is one, not many.
    if not apart.any() or float(apart.sum() ** 2 / (apart * apart).sum()) < min(DIFFER, both / 2):
        return None
    mine, its = np.zeros((2, max(n, m)))  # what each run adds to the error of each ratio
    mine[:n], its[:m] = (num - a * den) / float(den.sum()), (num0 - b * den0) / float(den0.sum())
    together, alone = float(((mine - its) ** 2).sum()), float((mine**2 + its**2).sum())
    half = student(both - 1) * math.sqrt(both / (both - 1) * together)
    return Difference(a - b, a - b - half, a - b + half, 1.0 - together / alone if alone > 0.0 else 0.0)

def between(e: Estimate, e0: Estimate) -> Difference | None:
    """e - e0 as if their errors had nothing in common: each end from the ends of both (MOVER); None if undefined.

    What is only bounded may be anything from 0 to the bound: there is no value, and all of it is in the interval.
    """
    if None in (e.lo, e.hi, e0.lo, e0.hi) or e.kind == e0.kind == "bound":
        return None
    lo, hi, lo0, hi0 = (float(x or 0.0) for x in (e.lo, e.hi, e0.lo, e0.hi))
    if e.value is None or e0.value is None:
        return Difference(None, lo - hi0, hi - lo0, 0.0)
    d = e.value - e0.value
    down, up = math.hypot(e.value - lo, hi0 - e0.value), math.hypot(hi - e.value, e0.value - lo0)
    return Difference(d, d - down, d + up, 0.0)

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
