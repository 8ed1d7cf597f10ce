# SPDX-License-Identifier: GPL-2.0-only
"""How often the code itself ran while it was recorded: the monitor, works, refills, page requests,
grace periods.
"""

import math

import numpy as np

from krcsim.trace import intervals
from krcsim.trace.evidence import WINDOW_S, Evidence, Happened
from krcsim.trace.intervals import BLOCKS, FEWEST, Array, Interval

SHEAVES = "sheaves"


def grace_periods(evidence: Evidence) -> int:
    """Grace periods that ended while they were recorded."""
    known = evidence.ran.get("grace_periods")
    return max(known.total if known else 0, len(evidence.grace_periods_s))


def seconds_of(evidence: Evidence, name: str) -> Interval:
    """For how long a counter was on, at least and at most.

    One without times was on a bit before and after the recording, as long as the others beside it.
    """
    known = evidence.ran.get(name)
    with_times = known.total if known else 0
    is_timeless = name == SHEAVES or evidence.counters.get(name, 0) > with_times
    return Interval(evidence.seconds, evidence.seconds + evidence.beyond_s * is_timeless)


def rate_of(evidence: Evidence, name: str, count: int) -> tuple[float, Interval]:
    """How often something happened a second, with its 95 % interval.

    By how it varies from block to block of the recording, where it is known when it happened, else
    as of a Poisson law.
    """
    shortest, longest = seconds_of(evidence, name)
    low, high = intervals.of_count(count)
    value = count / math.sqrt(shortest * longest)
    limits = Interval(low / longest, high / shortest)
    known = evidence.ran.get(name)
    if count and known is not None and known.total == count:
        blocks = in_blocks(known, evidence.spans, BLOCKS)
        found = intervals.of_ratio(blocks, np.ones(len(blocks))) if len(blocks) >= FEWEST else None
        if found is not None:
            scale = value / float(found.low * found.high) ** 0.5
            limits = Interval(found.low * scale, found.high * scale)
    return value, limits


def in_blocks(happened: Happened, spans: tuple[tuple[float, float], ...], wanted: int) -> Array:
    """How often it happened in `wanted` blocks of the recorded time at most, of equal length."""
    total = sum(end - start for start, end in spans)
    size = total / wanted
    parts = []
    for start, end in spans:
        many = int((end - start) / size + 1e-9)
        edges = start + size * np.arange(many + 1)
        at = (happened.windows + 0.5) * WINDOW_S
        parts.append(np.histogram(at, edges, weights=happened.times.astype(float))[0])
    return np.concatenate([np.empty(0), *parts])
