# SPDX-License-Identifier: GPL-2.0-only
"""Parts of the time in which calls were counted, where counting all of them would cost too much.

The recorder cuts its time into equal pieces and counts in a part of each. All parts are cut to one
length, so that each piece of the time has the same weight.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from krcsim.trace.evidence import WINDOW_S, Calls, Spans

_ROUNDED = 1e-6  # of a window: times have two decimals


def counted_spans(spans: Spans, counted: Sequence[tuple[float, float]]) -> Spans:
    """When calls were counted: the spans themselves, but for those in which parts were.

    Parts are whole windows, and all as long as the shortest of them; one of less than half the
    median length, which something cut off, is left out.
    """
    whole = sorted(
        (math.ceil(start / WINDOW_S - _ROUNDED), math.floor(end / WINDOW_S + _ROUNDED))
        for start, end in counted
    )
    lengths = [end - first for first, end in whole if end > first]
    if not lengths:
        return spans
    least = float(np.median(lengths)) / 2.0
    length = min(one for one in lengths if one >= least)
    kept: list[tuple[float, float]] = []
    for first, end in whole:
        if end - first >= length and (not kept or first * WINDOW_S >= kept[-1][1]):
            kept.append((first * WINDOW_S, (first + length) * WINDOW_S))
    others = [span for span in spans if not any(_lies_in(part, span) for part in kept)]
    return tuple(sorted([*others, *kept]))


def _lies_in(part: tuple[float, float], span: tuple[float, float]) -> bool:
    return part[0] < span[1] and span[0] < part[1]


def within(calls: Calls, spans: Spans) -> Calls:
    """Calls in windows that lie in these spans."""
    begins = np.array([start for start, _ in spans])
    ends = np.array([end for _, end in spans])
    middle = (calls.windows + 0.5) * WINDOW_S
    place = np.searchsorted(begins, middle) - 1
    kept = (place >= 0) & (middle < ends[place])
    return replace(
        calls,
        windows=calls.windows[kept],
        cpus=calls.cpus[kept],
        calls=calls.calls[kept],
        single=calls.single[kept],
        vmalloc=calls.vmalloc[kept],
    )
