# SPDX-License-Identifier: GPL-2.0-only
"""Probabilities of a wait in the cells of a table: one call in 1,930, as the verdict counts."""

import math

from krcsim.results.counts import RAREST, Rounding, count
from krcsim.results.estimate import Estimate

FROM_HERE_POWERS = 1e6  # calls; a longer number is written as 1.6e8
FEW = 10.0  # calls; below, with a digit behind the point


def one_in(p: float, rounded: Rounding = round) -> str:
    """Of how many calls one waits, in at most eight characters: 1.9, 676, 66,000, 1.6e8.

    `rounded`: math.floor or math.ceil for what must not be more or less than it is.
    """
    calls = 1.0 / p
    if calls < FEW - 0.05:
        nudge = 1e-9 * ((rounded is math.floor) - (rounded is math.ceil))
        return f"{max(1.0, rounded(10.0 * calls + nudge) / 10.0):g}"
    if calls < FROM_HERE_POWERS * 0.995:
        return count(calls, rounded)

    power = math.floor(math.log10(calls) + 1e-9)
    digits = rounded(calls / 10.0 ** (power - 1)) / 10.0
    return f"{digits:g}e{power}" if digits < 10.0 else f"{digits / 10.0:g}e{power + 1}"


def count_of(estimate: Estimate) -> str:
    """An estimate as a count without its interval: 1,930, ~1.6e8, >33,000, never, -."""
    if estimate.kind == "bound":
        return f">{one_in(max(estimate.hi or 0.0, RAREST), math.floor)}"

    if estimate.kind == "none" or estimate.value is None:
        return "-"

    if estimate.value <= 0.0:
        return "never"

    sign = "~" if estimate.kind == "rough" else ""
    return sign + one_in(estimate.value)


def interval_of(estimate: Estimate) -> str:
    """The interval of an estimate as counts, rounded outward: 1,780..2,090; empty without one."""
    if estimate.kind not in ("interval", "rough") or not estimate.lo or not estimate.hi:
        return ""

    return f"{one_in(estimate.hi, math.floor)}..{one_in(estimate.lo, math.ceil)}"
