# SPDX-License-Identifier: GPL-2.0-only
"""What an estimate decides about a target: its one-sided limits, for all looks together, and what
is still needed.
"""

import math
from functools import cache

import numpy as np

from krcsim.methods.finding import Finding
from krcsim.results.estimate import BOUND_CONFIDENCE, Estimate
from krcsim.runs.ladder import steps

ROUGH_MARGIN = 10.0  # an interval of few replications decides only where it is that far off
# By method, the replications from which on intervals are taken as they are: of fewer some agree by
# chance.
SETTLED = {"rare": 64, "skipping": 32}


def value_or_bound(estimate: Estimate) -> float:
    """The value of an estimate, or its bound; inf if there is neither."""
    known = estimate.hi if estimate.kind == "bound" else estimate.value
    return math.inf if known is None else known


def limits(
    estimate: Estimate, replications: int, confidence: float, early: bool = False
) -> tuple[float, float]:
    """The lower and the upper limit of a quantity, each one-sided at that confidence, of a 95 %
    estimate.

    Farther apart where few replications saw anything, and `early`: the weights of biased copies
    have long tails.
    """
    from scipy.special import stdtrit

    if estimate.kind == "exact" and estimate.value is not None:
        return estimate.value, estimate.value
    if estimate.kind == "bound" and estimate.hi is not None:
        # One-sided at its own confidence already; for more, a higher bound.
        higher = max(1.0, math.log1p(-confidence) / math.log1p(-BOUND_CONFIDENCE))
        return 0.0, min(1.0, estimate.hi * higher)

    value, lo, hi = estimate.value, estimate.lo, estimate.hi
    if value is None or lo is None or hi is None or not 0.0 < lo < hi:
        return 0.0, math.inf  # no width is no knowledge

    freedom = max(1, replications - 1)
    further = float(stdtrit(freedom, confidence) / stdtrit(freedom, 0.975))
    margin = ROUGH_MARGIN if early or estimate.kind == "rough" else 1.0
    low, at, high = (math.log(end) for end in (lo, value, hi))
    lower = at + further * (low - at)
    upper = at + further * (high - at)
    return math.exp(max(-700.0, lower)) / margin, math.exp(min(700.0, upper)) * margin


def needed(estimate: Estimate, target: float) -> float:
    """How many times the runs so far it takes to set an estimate apart from the target; it may be
    off by a quarter of its half width.
    """
    if estimate.value is None or not 0.0 < estimate.half_width < math.inf:
        return 1.0
    width = estimate.half_width
    return (width / (abs(math.log(estimate.value / target)) + width / 4)) ** 2


@cache
def at_each_look(confidence: float, looks: int) -> float:
    """The one-sided confidence of each of so many looks at an estimate that hold together, at twice
    the runs each.

    Such looks are a Markov chain: half of the runs of each are those of the one before. Its
    distribution below the limit is carried on from look to look, on a grid.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    def held(limit: float) -> float:
        z, step = np.linspace(-8.0, limit, 401, retstep=True)
        density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        weights = np.full(len(z), step)
        weights[[0, -1]] = step / 2
        gone = math.sqrt(2.0) * z[:, None] - z
        step_on = np.exp(-0.5 * gone * gone) / math.sqrt(math.pi) * weights
        for _ in range(looks - 1):
            density = step_on @ density
        return float(weights @ density)

    if looks == 1:
        return confidence
    least = float(ndtri(confidence))
    most = float(ndtri(1.0 - (1.0 - confidence) / looks))
    return float(ndtr(brentq(lambda limit: held(limit) - confidence, least, most)))


def looks_at(found: Finding, max_runs: int) -> int:
    """How many looks at a size can go wrong: those from SETTLED on, earlier ones decide only from
    afar.
    """
    settled = SETTLED.get(found.method, 0)
    return max(1, sum(runs >= settled for runs in steps(max_runs)))
