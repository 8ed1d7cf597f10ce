# SPDX-License-Identifier: GPL-2.0-only
"""An interval of two parts: chance in the simulation, and what a recording does not know.

Each draw of the scenario (krcsim/model/joint.py) has an answer with an interval of its own. How
answers differ from draw to draw is both parts together; how wide their own intervals are is chance.
Answers differ by factors, so all of it is on a scale of logarithms, of shares above a half that of
what is missing to 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from krcsim.results.estimate import (
    AGREE,
    NOTHING,
    Array,
    Difference,
    Estimate,
    exact,
    kind_of,
    order_of_magnitude,
    student,
)

FEWEST = 6  # draws with an answer, for an interval
_NORMAL = 1.959964  # two-sided 95 % of a normal law


@dataclass(frozen=True)
class Parts:
    """An answer over the draws of a recording.

    whole: with its 95 % interval, in which both parts are; fitted: of the fitted scenario alone,
    whose interval is chance in the simulation; recording: the share (0 to 1) of the variance of
    the logarithm of the answer that is what the recording does not know, None where that cannot be
    said; draws: how many were asked, seen: how many saw something.
    """

    whole: Estimate
    fitted: Estimate
    recording: float | None
    draws: int
    seen: int


def combined(fitted: Estimate, drawn: Sequence[Estimate], is_probability: bool = False) -> Parts:
    """The two parts of an answer, of the draws with other random numbers each.

    Where some draws saw nothing the interval begins at 0, and where most did there is a bound.
    Where most have no answer, that of the fitted scenario is an order of magnitude.
    """
    known = [e for e in drawn if e.kind != "none"]
    seen = [e.value for e in known if e.value]
    if 2 * len(known) < len(drawn) or len(known) < FEWEST:
        alone = order_of_magnitude(fitted.value) if fitted.value else NOTHING
        return Parts(alone, fitted, None, len(drawn), len(seen))
    if is_probability and np.median([e.value or 0.0 for e in known]) > 0.5:
        return _of_the_rest(fitted, drawn)
    return _parts(fitted, known, len(drawn), 1.0 if is_probability else math.inf)


def _of_the_rest(fitted: Estimate, drawn: Sequence[Estimate]) -> Parts:
    """The same of shares above a half, by what is missing to 1."""
    found = combined(_missing(fitted), [_missing(e) for e in drawn])
    whole = _missing(found.whole)
    if whole.kind == "bound" and whole.lo is not None:  # hardly any draw misses anything
        whole = Estimate(1.0, whole.lo, 1.0, kind_of(found.draws))
    return Parts(whole, fitted, found.recording, found.draws, len(drawn))


def _missing(e: Estimate) -> Estimate:
    if e.value == 1.0 and e.kind != "exact":
        return Estimate(None, 0.0, 1.0 - (1.0 if e.lo is None else e.lo), "bound")
    value = None if e.value is None else 1.0 - e.value
    lo = None if e.hi is None else max(0.0, 1.0 - e.hi)
    hi = None if e.lo is None else 1.0 - e.lo
    return Estimate(value, lo, hi, e.kind)


def _parts(fitted: Estimate, known: Sequence[Estimate], draws: int, most: float) -> Parts:
    some = [e for e in known if e.value]
    values = np.array([e.value for e in some], dtype=float)
    highest = max((e.hi or e.value or 0.0) for e in known)
    if 2 * len(some) <= len(known) or len(some) < FEWEST:
        nothing = exact(0.0) if highest == 0.0 else Estimate(None, 0.0, highest, "bound")
        return Parts(nothing, fitted, None, draws, len(some))

    logs = np.log(values)
    variance = float(logs.var(ddof=1))
    if math.sqrt(variance) <= AGREE:
        return Parts(some[0], fitted, None, draws, len(some))

    n = len(logs)
    down, middle, up = _limits(logs)
    lo = math.exp(down) if len(some) == len(known) else 0.0
    hi = min(most, math.exp(up))
    kind = kind_of(n, math.exp(min(50.0, max(up - middle, middle - down)))) if lo else "rough"
    whole = Estimate(min(math.exp(middle), hi), lo, hi, kind)
    chance = _chance(some)
    share = None if chance is None else max(0.0, 1.0 - chance / variance)
    return Parts(whole, fitted, share, draws, n)


def _limits(logs: Array) -> tuple[float, float, float]:
    """95 % limits of one more value, and the median: each side by its own spread, since what is
    hardly known (the time between episodes, of which none was seen) is lopsided.
    """
    n = len(logs)
    middle = float(np.median(logs))
    t = student(n // 2 - 1) * math.sqrt(1.0 + 1.0 / n)
    below, above = (
        min(25.0, t * math.sqrt(float((part**2).mean())))
        for part in (logs[logs <= middle] - middle, logs[logs >= middle] - middle)
    )
    return middle - below, middle, middle + above


def _chance(some: Sequence[Estimate]) -> float | None:
    """The mean variance of the logarithm of one answer by chance; None where it is not known."""
    errors = [
        0.0 if e.kind == "exact" else math.log(e.hi / e.lo) / 2.0 / _NORMAL
        for e in some
        if e.lo and e.hi
    ]
    if len(errors) < len(some) / 2.0:
        return None
    largest = max(errors)  # of those of which only the order of magnitude is known
    return float(np.mean([*(x * x for x in errors), *[largest**2] * (len(some) - len(errors))]))


def after(parts: Parts, longer: float) -> float:
    """How much narrower the interval gets with a recording `longer` times as long, as a factor of
    its width on a scale of logarithms: what a recording does not know falls with its length.
    """
    share = parts.recording or 0.0
    return math.sqrt(1.0 - share + share / longer)


def combined_difference(differences: Sequence[float], pairing_saves: float) -> Difference | None:
    """A difference of two remedies over the draws, in each of which both had the same random
    numbers; None of too few.

    Where it has the same sign in all draws, on a scale of logarithms, so that it keeps its sign.
    """
    found: Array = np.array(differences, dtype=float)
    n = len(found)
    if n < FEWEST or not found.any():
        return None

    t = student(n - 1) * math.sqrt(1.0 + 1.0 / n)
    if (found > 0.0).all() or (found < 0.0).all():
        logs = np.log(np.abs(found))
        middle = math.exp(float(logs.mean()))
        factor = math.exp(min(50.0, t * float(logs.std(ddof=1))))
        sign = math.copysign(1.0, float(found[0]))
        lo, hi = sorted((sign * middle / factor, sign * middle * factor))
        return Difference(sign * middle, lo, hi, pairing_saves)
    middle = float(found.mean())
    half = t * float(found.std(ddof=1))
    return Difference(middle, middle - half, middle + half, pairing_saves)
