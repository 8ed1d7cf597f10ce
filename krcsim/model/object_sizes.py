# SPDX-License-Identifier: GPL-2.0-only
"""Sizes of the objects that calls free, where they are not all alike."""

from typing import Any

from krcsim.base.errors import refuse
from krcsim.base.fields import numbers
from krcsim.model.constants import PAGE_BYTES

MOST_SIZES = 16
LEAST_BYTES = 8
MOST_BYTES = 1 << 30

Sizes = tuple[tuple[int, float], ...]  # each size in bytes with its share of the calls

FIELD = "workload.object_sizes"
RULE = (
    f"up to {MOST_SIZES} pairs of a size, a whole number from {LEAST_BYTES} to {MOST_BYTES} bytes, "
    "and its share of the calls, in any unit",
    "write for example [[64, 0.7], [256, 0.3]]",
)


def read_sizes(given: Any) -> Sizes:
    """Checked pairs of a size and its share, ascending, each size once; raises FieldError."""
    if given is None or (isinstance(given, (list, tuple)) and not given):
        return ()
    pairs = numbers(FIELD, 2, *RULE, given)
    refuse(any(len(pair) != 2 for pair in pairs), FIELD, given, *RULE)
    shares: dict[int, float] = {}
    for size, share in pairs:
        fits = LEAST_BYTES <= size <= MOST_BYTES and size % 1 == 0
        refuse(not fits or not 0.0 <= share <= 1e12, FIELD, given, *RULE)
        if share > 0.0:
            shares[int(size)] = shares.get(int(size), 0.0) + share
    refuse(not 1 <= len(shares) <= MOST_SIZES, FIELD, given, *RULE)
    return tuple(sorted(shares.items()))


def objects_in_page(size: int) -> int:
    """Objects of a size in a slab page; 1 of those that have pages of their own."""
    return max(1, PAGE_BYTES // size)


def pages_of_object(size: int) -> int:
    """Pages of an object that is larger than a page; 1 of a smaller one."""
    return max(1, -(-size // PAGE_BYTES))


def spread(count: int, sizes: Sizes) -> tuple[int, ...]:
    """So many objects by size, whole numbers next to their shares, which add up to the count."""
    exact = [count * share for _, share in sizes]
    found = [int(one) for one in exact]
    by_rest = sorted(range(len(sizes)), key=lambda at: found[at] - exact[at])
    for at in by_rest[: count - sum(found)]:
        found[at] += 1
    return tuple(found)
