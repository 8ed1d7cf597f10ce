# SPDX-License-Identifier: GPL-2.0-only
"""Probabilities as counts that a person can act on: 1 call in 1,930, 2 calls in 3, every call.

What stands for a bound is rounded so that it claims no more than the bound, and intervals are
rounded outward.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from krcsim.results.estimate import Estimate

OFTEN = 0.05  # from here on calls are counted in so many, below one call in so many
PARTS = (2, 3, 4, 5, 8, 10, 20)  # of a fraction of calls, where it is one; else 100
NEAR = 0.01  # how far a fraction may be off, in parts of the probability
ALMOST_ALL = 0.995  # from here on the calls that do not are counted
RAREST = 1e-12  # below that nobody counts: less than one in a trillion
ORDER = "order of magnitude"
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))

Rounding = Callable[[float], float]


@dataclass(frozen=True)
class Share:
    """So many of something in words, and whether more than one of them are the subject."""

    words: str
    is_plural: bool = False


def count(n: float, rounded: Rounding = round) -> str:
    """A number of at least 1 as people write it: 1,930, 66,000, 2.4 million, 10 billion.

    Three digits below 10,000 and two from there on. `rounded`: math.floor or math.ceil for what
    must not be more or less than it is.
    """
    digits = 3 if n < 1e4 else 2
    step = 10.0 ** max(0, math.floor(math.log10(max(n, 1.0))) + 1 - digits)
    nudge = 1e-9 * ((rounded is math.floor) - (rounded is math.ceil))  # 1 / 1e-12 is below 1e12
    n = rounded(n / step + nudge) * step
    for size, name in _LARGE:
        if n >= size:
            return f"{n / size:,.2g} {name}" if n < 100 * size else f"{n / size:,.0f} {name}"
    return f"{n:,.0f}"


def factor(ratio: float, rounded: Rounding = round) -> str:
    """How many times: 1.8, 34, 2,400."""
    if ratio < 9.95:
        return f"{rounded(ratio * 10.0) / 10.0:.1f}".removesuffix(".0")
    digits = 10.0 ** max(0, math.floor(math.log10(ratio)) - 1)
    return count(rounded(ratio / digits) * digits)


def percent(part: float) -> str:
    """A part of 1 in per cent: 0.3 %, 12 %."""
    return f"{100 * part:.1g} %" if part < 0.095 else f"{100 * part:.0f} %"


def share(p: float, noun: str = "call") -> Share:
    """A probability in so many of `noun`, which has a plural with s.

    `noun` left empty: only the numbers, behind a share that names it.
    """
    if p <= 0.0:
        return Share(f"no {noun}".strip() if noun else "none")
    if p >= 1.0:
        return Share(f"every {noun}" if noun else "all")
    if p >= ALMOST_ALL:
        return Share(f"all but {_one(noun)}in {count(1.0 / (1.0 - p))}", is_plural=True)
    if p < OFTEN:
        return Share(f"{_one(noun)}in {count(1.0 / p)}")

    parts, of = _fraction(p)
    nouns = f" {noun}{'s' * (parts != 1)}" if noun else ""
    return Share(f"{parts}{nouns} in {of}", parts != 1)


def _one(noun: str) -> str:
    return f"1 {noun} " if noun else "1 "


def _fraction(p: float) -> tuple[int, int]:
    """A probability as so many in a few, or in a hundred."""
    for of in PARTS:
        parts = round(p * of)
        if 0 < parts < of and abs(parts / of - p) <= NEAR * p:
            return parts, of
    return round(100 * p), 100


def interval(lo: float, hi: float) -> str:
    """The limits of a probability in words, rounded outward: 1,780 to 2,090, or 60 to 72 in 100."""
    if hi >= OFTEN:
        low, high = math.floor(100 * lo), math.ceil(100 * hi)
        return f"{low} to {high} in 100"
    if lo < RAREST:
        return f"at most 1 in {count(1.0 / hi, math.floor)}"
    return f"{count(1.0 / hi, math.floor)} to {count(1.0 / lo, math.ceil)}"


def estimated(estimate: Estimate, noun: str = "call", *, with_interval: bool = True) -> Share:
    """An estimate of a probability in so many of `noun`, no more than it carries.

    An order of magnitude and a bound say that they are one. Raises ValueError for an estimate of
    kind `none`.
    """
    if estimate.kind == "bound":
        return _bounded(estimate.hi or 0.0, noun)
    if estimate.value is None:
        raise ValueError("there is no number to put into words")

    value = estimate.value
    if 0.0 < value < RAREST:
        return _bounded(value, noun)
    if estimate.kind == "rough":
        return _rough(value, noun)

    found = share(value, noun)
    ends = _ends(estimate) if with_interval else ""
    return Share(f"{found.words} ({ends})", found.is_plural) if ends else found


def _ends(estimate: Estimate) -> str:
    """The interval behind a value, "" if there is none."""
    lo, hi = estimate.lo, estimate.hi
    if estimate.kind != "interval" or lo is None or hi is None or lo == hi:
        return ""
    if estimate.value == 1.0:
        return f"at least {math.floor(100 * lo)} in 100"
    if lo >= ALMOST_ALL:
        return f"{count(1.0 / (1.0 - lo), math.floor)} or more"
    return interval(lo, hi)


def _rough(value: float, noun: str) -> Share:
    """An order of magnitude: one digit of the count."""
    if value >= OFTEN:
        return Share(f"about {_one(noun)}in {max(1, round(1.0 / value))} ({ORDER})")
    n = 1.0 / value
    step = 10.0 ** math.floor(math.log10(n))
    return Share(f"about {_one(noun)}in {count(round(n / step) * step)} ({ORDER})")


def _bounded(most: float, noun: str) -> Share:
    """Less than a bound: the count is rounded down, and no larger than anybody counts."""
    most = max(most, RAREST)
    if most >= 1.0:
        return Share(f"an unknown share of {noun}s" if noun else "an unknown share")
    if most >= OFTEN:
        return Share(f"fewer than {_of_hundred(math.ceil(100 * most), noun)}", is_plural=True)
    return Share(f"fewer than {_one(noun)}in {count(1.0 / most, math.floor)}")


def _of_hundred(parts: int, noun: str) -> str:
    return f"{parts} {noun}s in 100" if noun else f"{parts} in 100"
