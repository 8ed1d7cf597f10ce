# SPDX-License-Identifier: GPL-2.0-only
"""95 % intervals of what a recording shows.

Things come in clusters, so a time of recording is cut into blocks, which are the units; where
things come one by one the exact limits of the binomial and the Poisson law are the floor.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv, pdtrik

from krcsim.results.estimate import student

Array = NDArray[np.float64]

BLOCKS = 30  # into which a recording is cut
FEWEST = 8  # blocks that say something about how blocks vary
_TAIL = 0.025
_ONE_SIDED = 0.05  # of a limit where nothing was seen


class Interval(NamedTuple):
    """The two ends."""

    low: float
    high: float


def wider(one: Interval, other: Interval) -> Interval:
    """The interval that holds both."""
    return Interval(min(one.low, other.low), max(one.high, other.high))


def with_lost(share: Interval, lost: float) -> Interval:
    """A share of events of which `lost` for each recorded one are missing: all or none of them may
    be of that kind.
    """
    return Interval(share.low / (1.0 + lost), (share.high + lost) / (1.0 + lost))


def of_count(count: int) -> Interval:
    """The mean of a Poisson law of which this count was seen; of none an upper limit alone."""
    if count == 0:
        return Interval(0.0, -math.log(_ONE_SIDED))
    return Interval(float(gammaincinv(count, _TAIL)), float(gammaincinv(count + 1.0, 1.0 - _TAIL)))


def most_of(mean: float) -> int:
    """What a Poisson law of this mean does not exceed at 97.5 %."""
    return int(pdtrik(1.0 - _TAIL, mean)) + 1 if mean > 0.0 else 0


def of_share(count: int, tries: int) -> Interval:
    """A probability of which so many tries showed so many; of none or all a one-sided limit."""
    if count == 0:
        return Interval(0.0, 1.0 - _ONE_SIDED ** (1.0 / max(1, tries)))
    if count == tries:
        return Interval(_ONE_SIDED ** (1.0 / tries), 1.0)
    return Interval(
        float(betaincinv(count, tries - count + 1.0, _TAIL)),
        float(betaincinv(count + 1.0, tries - count, 1.0 - _TAIL)),
    )


def of_mean_length(lengths: Array) -> Interval:
    """The mean of an exponential law of lengths: one length already says something."""
    total = float(lengths.sum())
    count = len(lengths)
    return Interval(
        total / float(gammaincinv(count, 1.0 - _TAIL)), total / float(gammaincinv(count, _TAIL))
    )


def of_median_of_logs(lengths: Array) -> Interval:
    """The median of a log-normal law of lengths, at least two."""
    logs = np.log(lengths)
    half = student(len(logs) - 1) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    return Interval(math.exp(float(logs.mean()) - half), math.exp(float(logs.mean()) + half))


def of_sigma_of_logs(lengths: Array) -> Interval:
    """The standard deviation of the logarithms of a log-normal law, of at least two lengths."""
    logs = np.log(lengths)
    half_freedom = (len(logs) - 1) / 2.0
    squares = float(((logs - logs.mean()) ** 2).sum()) / 2.0
    return Interval(
        math.sqrt(squares / float(gammaincinv(half_freedom, 1.0 - _TAIL))),
        math.sqrt(squares / float(gammaincinv(half_freedom, _TAIL))),
    )


def of_mean(values: Array) -> Interval:
    """The mean of values above 0, symmetric on a scale of logarithms; at least two."""
    mean = float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) / mean
    return around(mean, error, len(values) - 1)


def of_ratio(num: Array, den: Array) -> Interval | None:
    """Sum of num over sum of den, an element a block; None where too few blocks say something."""
    total = float(den.sum())
    value = float(num.sum()) / total if total > 0.0 else 0.0
    parts = int(np.count_nonzero(den))
    if value <= 0.0 or parts < 2:
        return None
    rest = num - value * den
    error = math.sqrt(float((rest**2).sum()) * parts / (parts - 1.0)) / total / value
    return around(value, error, parts - 1)


def around(value: float, relative_error: float, freedom: float) -> Interval:
    """An interval symmetric on a scale of logarithms."""
    factor = math.exp(min(50.0, student(freedom) * relative_error))
    return Interval(value / factor, value * factor)
