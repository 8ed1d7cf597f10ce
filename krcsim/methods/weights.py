# SPDX-License-Identifier: GPL-2.0-only
"""What a sum of weights says: its limits, how few replications hold it, and how heavy its tail is.

Weights have long tails, and a sum of few of them is nearly always too low, now and then far too
high. So limits are drawn on a log scale, the upper one allows for a replication that was not met
and would have been larger than all others, and where few replications hold the sum only what no
tail can break is said.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from krcsim.results.estimate import NOTHING, Array, Estimate, effective, student

RUNS = 32  # replications below which an answer is an order of magnitude only
RUNS_ROUGH = 16  # and below which that has no limits of its own
EFFECTIVE = 10.0  # with fewer effective replications an answer is an order of magnitude
# With fewer that hold the sum, or held what can wait, there are no limits of its own.
EFFECTIVE_ROUGH, EXPOSED_ROUGH = 2.0, 5.0
# The shape of a tail above which an answer is an order of magnitude only: no sample shows its
# variance.
HEAVY = 0.7
HEAVIEST = 0.9  # shape of a tail that is allowed for at most
MARKOV = 40.0  # what is never negative is above so many times its mean once in so many times


def tail(x: Array) -> float:
    """The shape of the tail of what is positive: 0 for an exponential one, 1/2 where the variance
    ends, 1 the mean.

    A generalised Pareto law is fitted to the largest fifth (at most 3 sqrt(n)), by the posterior
    mean of Zhang and Stephens (2009), and drawn to 1/2 where there are few, as is done for
    importance sampling (Vehtari et al. 2024). HEAVY where there are too few to say.
    """
    x = np.sort(x[x > 0.0])
    n = int(min(len(x) / 5.0, 3.0 * math.sqrt(len(x))))
    if n < 5 or x[-1] <= x[-n - 1]:
        return HEAVY if n < 5 else 0.0
    over = np.maximum((x[-n:] - x[-n - 1]) / (x[-1] - x[-n - 1]), 1e-12)
    grid = 30 + int(math.sqrt(n))
    theta = 1.0 / over[-1] + (1.0 - np.sqrt(grid / (np.arange(grid) + 0.5))) / (
        3.0 * over[int(n / 4 + 0.5) - 1]
    )
    theta = theta[theta != 0.0]
    shape = np.log1p(-theta[:, None] * over).mean(axis=1)
    likely = n * (np.log(-theta / shape) - shape - 1.0)
    weight = np.exp(likely - likely.max())
    at = float((theta * weight).sum() / weight.sum())
    fitted = float(np.log1p(-at * over).mean())
    return (n * fitted + 5.0) / (n + 10.0)


def weighed(
    y: Array,
    den: Array,
    exposed: Array,
    control: Array | None = None,
    *,
    least: float = EFFECTIVE,
    most: float | None = None,
) -> Estimate:
    """Sum of weights y over sum of den, a value of each a replication, y regressed on a control of
    mean 0.

    exposed: what could come to harm in each replication: it takes some of these before anything is
    said. least: the effective number of replications of an interval. most: an upper limit from
    elsewhere, for where these few have none.
    """
    n, total, sum_y = len(y), float(den.sum()), float(y.sum())
    if total <= 0.0 or sum_y <= 0.0:
        return NOTHING
    value, spent = sum_y / total, 1
    held, met = effective(y), effective(exposed)
    if n < RUNS_ROUGH or held < EFFECTIVE_ROUGH or met < EXPOSED_ROUGH:
        return faint(value, most)
    share = total / n * value
    y, den = y / share, den / (total / n)  # both of mean 1
    rest, moved = y - den, 1.0
    if control is not None and float(np.var(control)) > 0.0:
        off = control - control.mean()
        slope = float((off * rest).sum() / (off * off).sum())
        less = 1.0 - slope * float(control.mean())
        if less > 0.1:
            moved, spent = less, 2
            rest = (rest - slope * off) * math.sqrt(
                1.0 + n * float(control.mean()) ** 2 / float((off * off).sum())
            )
    squares = float((rest * rest).sum())
    # By the kurtosis, the variance is known as well as from fewer normal numbers.
    kurtosis = n * float((rest**4).sum()) / squares**2 if squares > 0.0 else 3.0
    freedom = max(2, min(n - spent, int(2 * n / max(1e-9, kurtosis - 1.0))))
    factor = math.exp(min(300.0, student(freedom) * math.sqrt(squares / (n - spent) / n) / moved))
    heavy = tail(y)
    unmet = max(0.0, float(rest.max())) / n  # what one more, beyond the largest, would add
    unmet /= 1.0 - min(max(heavy, 0.0), HEAVIEST)
    value *= moved
    sure = n >= RUNS and min(held / least, met / EFFECTIVE) >= 1.0 and heavy <= HEAVY
    return Estimate(
        value,
        value / factor / (1.0 + 1.0 / n),
        value * factor * (1.0 + unmet),
        "interval" if sure else "rough",
    )


def faint(value: float, most: float | None) -> Estimate:
    """Where hardly any replications hold a sum: what is true whatever its tail; no limits if
    nothing is known above.

    A sum that is right on average and never negative is rarely many times its mean; below it may be
    as far as you like.
    """
    if most is None:
        return Estimate(value, None, None, "rough")
    return Estimate(min(value, most), min(value, most) / MARKOV, most, "rough")


def says_little(e: Estimate) -> bool:
    """Whether an estimate is faint(), or was not even defined."""
    return e.kind == "none" or (
        e.kind == "rough" and (not e.value or not e.lo or e.value > 0.99 * MARKOV * e.lo)
    )


def at_most(e: Estimate, most: float) -> Estimate:
    """The same where nothing can be above `most`."""
    value, hi = (None if x is None else min(most, x) for x in (e.value, e.hi))
    return replace(e, value=value, hi=hi)
