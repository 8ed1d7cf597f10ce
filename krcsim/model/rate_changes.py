# SPDX-License-Identifier: GPL-2.0-only
"""A rate of calls that changes in time, the same way on all CPUs: pieces that repeat."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from krcsim.base.errors import refuse
from krcsim.base.fields import numbers

NAME = "workload.rate_changes"
PERIOD = "workload.rate_period_ms"
MOST_PIECES = 1000
_MOST_RATE = 1e9

Pieces = tuple[tuple[float, float], ...]


def given_changes(given: Any, period_ms: float | None) -> Pieces:
    """Pairs [start_ms, rate] as tuples, checked; rates are in any unit. Raises FieldError."""
    rule = (
        f"up to {MOST_PIECES} pairs [start_ms, rate], the first start 0, the others rising, rates "
        f"from 0 to {_MOST_RATE:g} in any unit, one of them above 0",
        "write for example [[0, 100], [5000, 400]]",
    )
    pieces: Pieces = numbers(NAME, 2, *rule, given)
    for pair in pieces:
        refuse(len(pair) != 2, NAME, pair, *rule)
    if not pieces:
        refuse(
            period_ms is not None,
            PERIOD,
            period_ms,
            "left out where workload.rate_changes is",
            "give the pieces, or leave it out",
        )
        return ()

    refuse(len(pieces) > MOST_PIECES, NAME, f"{len(pieces)} pairs", *rule)
    refuse(pieces[0][0] != 0.0, NAME, pieces[0], *rule)
    for (before, _), (start, rate) in pairwise(pieces):
        refuse(not before < start < math.inf, NAME, (start, rate), *rule)
    for pair in pieces:
        refuse(not 0.0 <= pair[1] <= _MOST_RATE, NAME, pair, *rule)
    refuse(not any(rate > 0.0 for _, rate in pieces), NAME, pieces, *rule)
    refuse(
        period_ms is None or period_ms <= pieces[-1][0],
        PERIOD,
        period_ms,
        f"above {pieces[-1][0]:g} ms, the last start of workload.rate_changes",
        "say after how long the pieces begin anew",
    )
    return pieces


def factors_of(pieces: Pieces, period_ms: float) -> Pieces:
    """Start and rate of each piece, rates as multiples of their mean over the period; pieces that
    follow each other at the same rate are one.
    """
    kept = [pieces[0]]
    kept += [after for before, after in pairwise(pieces) if after[1] != before[1]]
    if len(kept) == 1:
        return ((0.0, 1.0),)
    mean = sum(rate * ms for (_, rate), ms in zip(kept, lengths_of(kept, period_ms), strict=True))
    return tuple((start, rate * period_ms / mean) for start, rate in kept)


def lengths_of(pieces: Sequence[tuple[float, float]], period_ms: float) -> list[float]:
    """How long each piece lasts, in ms."""
    starts = [start for start, _ in pieces]
    return [end - start for start, end in pairwise([*starts, period_ms])]
