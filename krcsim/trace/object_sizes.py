# SPDX-License-Identifier: GPL-2.0-only
"""Sizes of the objects that a recording has seen, and what it leaves open of their shares.

The recorder counts them where sheaves take objects: of larger ones, and of those that sheaves
refuse, nothing is known.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from krcsim.model.object_sizes import LEAST_BYTES, MOST_SIZES, Sizes
from krcsim.trace import intervals
from krcsim.trace.evidence import Evidence
from krcsim.trace.value import MEASURED, READ, Value

FIELD = "workload.object_sizes"
LEAST_SHARE = 0.01  # a rarer size counts as the next larger one


def kept_sizes(counted: Mapping[int, int]) -> dict[int, int]:
    """How often each size was freed, without those that are too rare to have a cache of their own:
    the rarest goes to the next larger one, the largest to the next smaller one.
    """
    kept: dict[int, int] = {}
    for size, count in sorted(counted.items()):
        fits = max(LEAST_BYTES, size)
        if count > 0:
            kept[fits] = kept.get(fits, 0) + count
    total = sum(kept.values())
    while len(kept) > 1:
        rarest = min(kept, key=lambda size: kept[size])
        if kept[rarest] >= LEAST_SHARE * total and len(kept) <= MOST_SIZES:
            break
        count = kept.pop(rarest)
        larger = [size for size in kept if size > rarest]
        kept[min(larger) if larger else max(kept)] += count
    return dict(sorted(kept.items()))


def found(evidence: Evidence) -> Iterator[Value]:
    """The sizes of a recording as a field of the workload: one size, or several with shares."""
    counted = {size: count for size, count in evidence.object_sizes.items() if count > 0}
    kept = kept_sizes(counted)
    if not kept:
        return
    total = sum(counted.values())
    at = evidence.sources.get("sizes", ())
    if len(kept) == 1:
        (size,) = kept
        same = sum(count for one, count in counted.items() if max(LEAST_BYTES, one) == size)
        text = f"{same:,} of {total:,} objects of slab caches have this size"
        yield Value("workload.object_bytes", size, "bytes", READ, None, text, at)
        return

    parts = []
    for size, count in kept.items():
        low, high = intervals.of_share(count, total)
        parts.append(f"{count:,} of {size:,} bytes ({low:.2%} to {high:.2%})")
    text = f"{total:,} objects of slab caches: {', '.join(parts)}"
    rare = sum(count for size, count in counted.items() if size not in kept)
    if rare:
        text += f"; {rare:,} of rare sizes count as of the next larger one"
    shares = tuple((size, float(f"{count / total:.5g}")) for size, count in kept.items())
    yield Value(FIELD, shares, "", MEASURED, None, text, at)


def drawn(evidence: Evidence, random: np.random.Generator) -> Sizes:
    """Shares as likely as those that were counted: of calls that do not depend on each other, since
    a recording has no times for them.
    """
    kept = kept_sizes(evidence.object_sizes)
    shares = random.dirichlet([count + 0.5 for count in kept.values()])
    return tuple((size, float(f"{share:.5g}")) for size, share in zip(kept, shares, strict=True))
