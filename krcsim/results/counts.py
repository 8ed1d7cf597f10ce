# SPDX-License-Identifier: GPL-2.0-only
"""Probabilities as counts that a person can act on: 1 call in 1,930, 2 calls in 3, every call.

A bound is rounded so that it claims no more than it holds, and an interval is rounded outward.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from krcsim.results.estimate import Estimate

OFTEN = 0.05  # from here on so many calls are counted in a few or in a hundred
PARTS = (2, 3, 4, 5, 8, 10, 20)  # what a fraction may be of; else it is so many in 100
NEAR = 0.01  # how far a fraction may be off, in parts of the probability
ALMOST_ALL = 0.995  # from here on the calls are counted that do not
NOTHING_KNOWN = 0.99  # a bound above that says nothing
RAREST = 1e-12  # what is rarer is less than one in a trillion, and nobody counts further
_IN_100 = " in 100"
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_ROUNDING_ERROR = 1e-9  # 1 / 1e-12 is a little below 1e12

Rounding = Callable[[float], float]


@dataclass(frozen=True)
class Share:
    """So many of something in words, and whether more than one of them are the subject."""

    words: str
    is_plural: bool = False


def count(n: float, rounded: Rounding = round) -> str:
    """A number of at least 1 as people write it: 1,930, 66,000, 2.4 million, a trillion.

    Three digits below 10,000 and two from there on. `rounded`: math.floor or math.ceil for what
    must not be more or less than it is.
    """
    digits = 3 if n < 1e4 else 2
    step = 10.0 ** max(0, math.floor(math.log10(max(n, 1.0))) + 1 - digits)
    nudge = _ROUNDING_ERROR * ((rounded is math.floor) - (rounded is math.ceil))
    whole = rounded(n / step + nudge) * step
    for size, name in _LARGE:
        if whole >= size:
            times = whole / size
            text = f"{times:,.0f}" if times >= 10.0 else f"{times:.2g}"
            return f"{'a' if text == '1' else text} {name}"
    return f"{whole:,.0f}"


def times(ratio: float, rounded: Rounding = round) -> str:
    """How many times, in two digits: 1.8, 34, 2,400."""
    step = 10.0 ** (math.floor(math.log10(ratio)) - 1)
    nudge = _ROUNDING_ERROR * ((rounded is math.floor) - (rounded is math.ceil))
    value = rounded(ratio / step + nudge) * step
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else count(value)


def percent(part: float) -> str:
    """A part of 1 in per cent, in one or two digits: 0.3 %, 12 %."""
    return f"{100 * part:.1g} %" if part < 0.095 else f"{100 * part:.0f} %"


def share(p: float, noun: str = "call") -> Share:
    """A probability in so many of `noun`, the plural of which ends in s.

    An empty `noun` gives the numbers only, to stand behind a count that has named it.
    """
    if p <= 0.0:
        return Share(f"no {noun}" if noun else "none")
    if p >= 1.0:
        return Share(f"every {noun}" if noun else "all")
    if p >= ALMOST_ALL:
        return Share(f"all but {_one(noun)}in {count(1.0 / (1.0 - p))}", is_plural=True)
    if p < OFTEN:
        return Share(f"{_one(noun)}in {count(1.0 / p)}")

    parts, of = _fraction(p)
    return Share(f"{_some(parts, noun)} in {of}", parts != 1)


def _one(noun: str) -> str:
    return f"1 {noun} " if noun else "1 "


def _some(parts: int, noun: str) -> str:
    return f"{parts} {noun}{'s' * (parts != 1)}" if noun else str(parts)


def _fraction(p: float) -> tuple[int, int]:
    """A probability as so many in a few, or in a hundred."""
    for of in PARTS:
        parts = round(p * of)
        if 0 < parts < of and abs(parts / of - p) <= NEAR * p:
            return parts, of
    return round(100 * p), 100


def estimated(estimate: Estimate, noun: str = "call", *, with_interval: bool = True) -> Share:
    """An estimate of a probability in so many of `noun`, no more than it carries.

    An order of magnitude and a bound say that they are one. Raises ValueError for an estimate of
    kind `none`.
    """
    if estimate.kind == "bound":
        return bounded(estimate.hi or 0.0, noun)
    if estimate.value is None:
        raise ValueError("there is no number to put into words")

    value = estimate.value
    if 0.0 < value < RAREST:
        return bounded(RAREST, noun)
    if estimate.kind == "rough":
        return _rough(value, noun)

    found = share(value, noun)
    within = _limits(estimate) if with_interval else ""
    if found.words.endswith(_IN_100) and within:
        within = within.removesuffix(_IN_100)
    return Share(f"{found.words} ({within})", found.is_plural) if within else found


def bounded(most: float, noun: str = "call") -> Share:
    """Less than a bound: the count is rounded down."""
    most = max(most, RAREST)
    if most >= NOTHING_KNOWN:
        return Share(f"an unknown share{f' of {noun}s' if noun else ''}")
    if most >= OFTEN:
        return Share(f"fewer than {_some(math.ceil(100 * most), noun)} in 100", is_plural=True)
    return Share(f"fewer than {_one(noun)}in {count(1.0 / most, math.floor)}")


def _rough(value: float, noun: str) -> Share:
    """An order of magnitude: one digit of the count."""
    n = 1.0 / value
    step = 10.0 ** math.floor(math.log10(n))
    one_in = f"{_one(noun)}in {count(round(n / step) * step)}"
    if n < 1.5:
        one_in = share(1.0, noun).words
    return Share(f"about {one_in} (order of magnitude)")


def _limits(estimate: Estimate) -> str:
    """The interval of a value in words, "" if it has none."""
    lo, hi = estimate.lo, estimate.hi
    if estimate.kind != "interval" or lo is None or hi is None or lo == hi:
        return ""
    if hi >= 1.0:
        return f"at least {math.floor(100 * lo)} in 100"
    if lo >= ALMOST_ALL:
        return span(1.0 / (1.0 - lo), 1.0 / (1.0 - hi))
    if hi >= OFTEN:
        low = math.floor(100 * lo)
        high = math.ceil(100 * hi)
        return f"{low} to {high} in 100" if low else f"at most {high} in 100"
    if lo < RAREST:
        return f"at most 1 in {count(1.0 / hi, math.floor)}"
    return span(1.0 / hi, 1.0 / lo)


def span(low: float, high: float) -> str:
    """From one number to another, rounded outward: 1,780 to 2,090; 2.1 to 4.4 million."""
    first = count(low, math.floor)
    last = count(high, math.ceil)
    number, _, unit = first.partition(" ")
    if unit and last.endswith(f" {unit}") and number != "a":
        first = number
    return f"{first} to {last}"
