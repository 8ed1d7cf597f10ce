# SPDX-License-Identifier: GPL-2.0-only
"""Intervals and bounds, with the replication as unit: waits come in clusters, so calls
are not trials.

The variance between replications is itself an estimate. Where a few replications hold
nearly all that was counted, they agree by chance, and an interval from their spread is
too short. So every interval here knows how many replications its numbers really stand
for (`effective()`), and takes Student's quantile for so many.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# An interval of fewer effective denominators than this, or one that reaches farther
# than ROUGH times up and down, gives the order of magnitude only: its kind is `rough`.
# That does not depend on how much the numerators vary from replication to replication.
# A few replications that agree by chance would pass such a test, and just their
# intervals are too short.
FEW = 5.0
ROUGH = 10.0
# An interval of more than this factor each way says nothing that the value alone does
# not say, and is left out.
WIDEST = 1000.0
# Of numbers with a long tail, replications show about half of the skewness at most
# (validation/coverage.py).
LONG_TAIL = 2.0
# The confidence of a bound where nothing was seen. A bound is given only by those who
# saw nothing: at 95 % it would be below the truth in every single one of them wherever
# fewer than one in twenty sees nothing.
BOUND_CONFIDENCE = 0.999
# Replications that differ by less than this part all agree to the digit, which is no
# reason to think that the next one will.
AGREE = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A number with a 95 % interval.

    kind: `interval`; `rough` (order of magnitude only, since few replications hold what
    was seen; the interval is left out where it would say nothing); `bound` (nothing was
    seen: value None, hi the upper bound at BOUND_CONFIDENCE); `none` (undefined: no
    such event, or no call that could have met one); `exact` (no randomness).
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


def order_of_magnitude(value: float) -> Estimate:
    """A number of which only the order of magnitude is known."""
    return Estimate(value, None, None, "rough")


def student(n: float) -> float:
    """Two-sided 95 % point of Student's t with n degrees of freedom."""
    # a third of the import time of the package if at the top
    from scipy.special import stdtrit

    return float(stdtrit(n, 0.975))


def effective(x: Array) -> float:
    """How many equal terms a sum of terms >= 0 is worth, (sum x)^2 / sum x^2: n where
    all are equal, 1 where one holds everything, 0 for an empty sum.
    """
    largest = float(x.max(initial=0.0))
    if largest <= 0.0:
        return 0.0
    y = x / largest  # squares of very small weights would underflow
    return float(y.sum()) ** 2 / float((y * y).sum())


def kind_of(units: float, factor: float = 1.0) -> str:
    """`interval` or `rough`, by the effective number of units and by how far the
    interval reaches.
    """
    return "interval" if units >= FEW and factor <= ROUGH else "rough"


def ratio(num: Array, den: Array, is_share: bool = False) -> Estimate:
    """Sum of num over sum of den (one of each a replication, none negative); interval
    symmetric on a log scale.

    The error is that of the delta method, with the effective number of denominators in
    place of the number of replications; Student's t has as many degrees of freedom as
    the smaller effective number of the two allows. Upward the interval reaches farther
    where a long tail shows. `is_share`: num counts some of what den counts.
    """
    total = float(den.sum())
    if total <= 0 or float(num.sum()) <= 0:
        return NOTHING

    value = float(num.sum()) / total
    rest = num - value * den
    parts = effective(den)
    seen = effective(num)
    if parts < 1.5 or seen < 1.05:
        return order_of_magnitude(value)

    error = math.sqrt(float((rest * rest).sum()) * parts / (parts - 1.0)) / total
    if error <= AGREE * value:
        return order_of_magnitude(value)

    if is_share:  # as much is known from what is missing
        seen = min(parts, seen / max(0.5, 1.0 - value))
    t = student(min(parts, seen) - 1.0)
    down = t * error / value  # on a scale of logarithms
    up = down + (error / value) * _lopsided(rest, error / value, parts)
    if max(down, up) > math.log(WIDEST):
        return order_of_magnitude(value)

    lo = value * math.exp(-down)
    hi = value * math.exp(up)
    return Estimate(value, lo, hi, kind_of(parts, math.exp(up)))


def _lopsided(rest: Array, error: float, parts: float) -> float:
    """How much farther up an interval reaches, in standard errors, where a long tail
    was seen in part at most.

    By the skewness of the replications (Johnson 1978), as far as a scale of logarithms
    has not taken it into account.
    """
    squares = float((rest * rest).sum())
    skewness: float = (
        LONG_TAIL * math.sqrt(len(rest)) * float((rest**3).sum()) / math.pow(squares, 1.5)
    )
    variation = math.sqrt(parts) * error
    normal = 1.96
    return max(
        0.0, skewness * (1.0 / 6.0 + normal**2 / 3.0) - variation * normal**2 / 2.0
    ) / math.sqrt(parts)


def share(num: Array, den: Array, units: float) -> Estimate:
    """As ratio(), of a number from 0 to 1: num counts some of what den counts.

    Above a half the interval is that of what is missing to 1. Where nothing or
    everything was seen it is one-sided, by `units`, the number of independent units of
    den that could have shown the other.
    """
    if float(den.sum()) <= 0:
        return NOTHING

    if float(num.sum()) <= 0:
        return unseen(units)

    missing = den - num
    if float(missing.sum()) <= 0:
        least = 1.0 - (unseen(units).hi or 1.0)
        return Estimate(1.0, least, 1.0, kind_of(units))

    if 2.0 * float(num.sum()) <= float(den.sum()):
        estimate = ratio(num, den, is_share=True)
        return estimate if estimate.hi is None else replace(estimate, hi=min(1.0, estimate.hi))

    estimate = ratio(missing, den, is_share=True)
    if estimate.value is None or estimate.lo is None or estimate.hi is None:
        return replace(estimate, value=None if estimate.value is None else 1.0 - estimate.value)

    return replace(
        estimate, value=1.0 - estimate.value, lo=max(0.0, 1.0 - estimate.hi), hi=1.0 - estimate.lo
    )


def of_runs(met: Array) -> Estimate:
    """The share of replications that met something: each is a trial, so the interval is that of a
    binomial number (Clopper and Pearson), or a bound where none met it.
    """
    return _binomial(float(np.count_nonzero(met)), len(met))


def level(x: Array) -> Estimate:
    """The mean of levels, one from 0 to 1 a replication; where all agree to the digit with the
    interval of a binomial number, since no law on 0 to 1 with that mean spreads more.
    """
    if len(x) and float(x.max() - x.min()) <= AGREE:
        return _binomial(float(x[0]) * len(x), len(x))
    found = mean(x)
    if found.lo is None or found.hi is None:
        return found
    return replace(found, lo=max(0.0, found.lo), hi=min(1.0, found.hi))


def _binomial(seen: float, runs: int) -> Estimate:
    from scipy.special import betaincinv

    if seen == 0:
        return unseen(runs)
    if seen == runs:
        return Estimate(1.0, 1.0 - (unseen(runs).hi or 1.0), 1.0, kind_of(runs))

    value = seen / runs
    lo = float(betaincinv(seen, runs - seen + 1, 0.025))
    hi = float(betaincinv(seen + 1, runs - seen, 0.975))
    return Estimate(value, lo, hi, kind_of(runs, max(hi / value, value / lo)))


def mean(x: Array) -> Estimate:
    """Mean of x, one value a replication, none negative, with a Student interval; of
    what varies much as of a ratio.

    Without an interval where all replications agree to the digit.
    """
    if len(x) < 2:
        return order_of_magnitude(float(x.mean())) if len(x) else NOTHING

    value = float(x.mean())
    deviation = float(x.std(ddof=1))
    if value == 0.0 == deviation:
        return NOTHING

    if deviation <= AGREE * abs(value):
        return order_of_magnitude(value)

    if effective(x) < 0.9 * len(x):
        return ratio(x, np.ones(len(x)))

    half = student(len(x) - 1) * deviation / math.sqrt(len(x))
    return Estimate(value, value - half, value + half, kind_of(len(x)))


def unseen(units: float, share_of_calls: float = 1.0) -> Estimate:
    """Upper bound of a probability per call that none of so many independent units saw.

    The units make only that share of all calls, and no other call can see it.
    """
    if units <= 0:
        return NOTHING

    # So many of the units would see the event, at worst in all their calls.
    most = 1.0 - (1.0 - BOUND_CONFIDENCE) ** (1.0 / max(1.0, units))
    return Estimate(None, 0.0, min(1.0, share_of_calls * most), "bound")


@dataclass(frozen=True)
class Difference:
    """A quantity minus another with a 95 % interval; value None where one of the two is
    only bounded.

    pairing_saves: the share of the variance that the same random draws removed; 1 where
    no run differed.
    """

    value: float | None
    lo: float
    hi: float
    pairing_saves: float


def difference(num: Array, den: Array, num0: Array, den0: Array) -> Difference | None:
    """ratio(num, den) - ratio(num0, den0), whose first replications had the same random
    draws.

    What replications with more add, and what those with less take away, are two sums of
    terms of one sign, each with an interval on a log scale: one replication in which a
    remedy saves much is no reason to think that none saves more. None where too few
    replications differ.
    """
    n = len(num)
    n0 = len(num0)
    both = min(n, n0)
    units = min(effective(den), effective(den0))
    if both < 2 or units < 1.5 or np.array_equal(num[:both], num0[:both]):
        return None

    total = float(den.sum())
    total0 = float(den0.sum())
    value = float(num.sum()) / total
    value0 = float(num0.sum()) / total0
    each, error, error0 = np.zeros((3, max(n, n0)))
    each[:n] += num / total
    each[:n0] -= num0 / total0
    size = float(np.abs(each).sum())
    more = _sum_of_one_sign(np.maximum(0.0, each), size, units)
    less = _sum_of_one_sign(np.maximum(0.0, -each), size, units)
    if more is None or less is None:
        return None

    down = math.hypot(more.value - more.lo, less.hi - less.value)
    up = math.hypot(more.hi - more.value, less.value - less.lo)
    apart = value - value0
    error[:n] = (num - value * den) / total
    error0[:n0] = (num0 - value0 * den0) / total0
    alone = float((error**2 + error0**2).sum())
    together = float(((error - error0) ** 2).sum())
    saves = 1.0 - together / alone if alone > 0.0 else 0.0
    return Difference(apart, apart - down, apart + up, saves)


class _Sum(NamedTuple):
    """A sum with its limits."""

    value: float
    lo: float
    hi: float


def _sum_of_one_sign(terms: Array, size: float, units: float) -> _Sum | None:
    """A sum of terms >= 0 with its limits, or None if it has none.

    Where no term was seen, as many may be there as chance hides in 95 % of all cases,
    each as large as the mean of all, of sum `size`.
    """
    if float(terms.sum()) <= 0.0:
        return _Sum(0.0, 0.0, size * (1.0 - 0.05 ** (1.0 / max(1.0, units))))

    n = len(terms)
    estimate = ratio(terms, np.ones(n))
    if estimate.value is None or estimate.lo is None or estimate.hi is None:
        return None

    return _Sum(estimate.value * n, estimate.lo * n, estimate.hi * n)


def between(estimate: Estimate, estimate0: Estimate) -> Difference | None:
    """The difference as if the errors had nothing in common; None if undefined.

    Each end comes from the ends of both (method of variance estimates recovery, MOVER).

    What is only bounded may be anything from 0 to the bound: there is no value, and all
    of it is in the interval.
    """
    if (
        None in (estimate.lo, estimate.hi, estimate0.lo, estimate0.hi)
        or estimate.kind == estimate0.kind == "bound"
    ):
        return None

    lo, hi, lo0, hi0 = (
        float(end or 0.0) for end in (estimate.lo, estimate.hi, estimate0.lo, estimate0.hi)
    )
    if estimate.value is None or estimate0.value is None:
        return Difference(None, lo - hi0, hi - lo0, 0.0)

    apart = estimate.value - estimate0.value
    down = math.hypot(estimate.value - lo, hi0 - estimate0.value)
    up = math.hypot(hi - estimate.value, estimate0.value - lo0)
    return Difference(apart, apart - down, apart + up, 0.0)


def quantile(
    hist: NDArray[np.int64], edges: Array, q: float, below: Array, floor: float
) -> Estimate:
    """The q-quantile of times in hist[group, bin] and of below[group] times at `floor`,
    which lies below all bins.

    The interval leaves out, to whole bins, times that too many or too few are known to
    exceed; groups are the units.
    """
    counts = np.concatenate([below[:, None], hist.astype(float)], axis=1)
    size = counts.sum(axis=1)
    if float(size.sum()) <= 0.0:
        return NOTHING
    value = _quantile(hist.sum(axis=0), edges, q, float(below.sum()), floor)
    tops = np.concatenate([[floor], edges[1:]])
    upto = np.cumsum(counts, axis=1)
    used = [int(index) for index in np.flatnonzero(counts.sum(axis=0))]
    units = effective(size)

    def at_most(part: Array) -> float:
        """The most that a part of all times may be."""
        most = share(part, size, units).hi
        return 1.0 if most is None else most

    # From bin to bin: the first that is not surely too short, and the first that is
    # surely long enough.
    first = bisect_left(used, True, key=lambda index: at_most(upto[:, index]) > q)
    last = bisect_left(used, True, key=lambda index: at_most(size - upto[:, index]) <= 1.0 - q)
    surely_none_below = first > 0 or used[0] == 0 or at_most(np.zeros_like(size)) <= q
    if last == len(used) or not surely_none_below:
        return order_of_magnitude(value)

    bottoms = np.concatenate([[floor], edges[:-1]])
    lo = float(tops[used[first - 1]]) if first > 0 else float(bottoms[used[0]])
    # no finer than a bin
    hi = max(float(tops[used[last]]), value * float(edges[1] / edges[0]))
    return Estimate(value, min(lo, value), hi, kind_of(units, hi / max(lo, edges[0]) / 2.0))


def _quantile(hist: NDArray[np.int64], edges: Array, q: float, below: float, floor: float) -> float:
    """The same of all groups together: times are spread over their bin."""
    cum = np.cumsum(hist)
    want = min(q * (cum[-1] + below) - below, cum[-1])
    if want <= 0:
        return floor
    index = int(np.searchsorted(cum, want))
    part = (want - (cum[index] - hist[index])) / hist[index]
    return float(edges[index] * (edges[index + 1] / edges[index]) ** part)
