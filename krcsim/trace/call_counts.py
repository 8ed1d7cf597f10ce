# SPDX-License-Identifier: GPL-2.0-only
"""Calls of kfree_rcu() as they are counted: a cell for each CPU and window in which some were made.

What comes in is put down as it comes and, every so often, added up to one row a cell, so that a
cell takes 32 bytes and a gigabyte of text no more room than the cells in it.
"""

from array import array
from dataclasses import dataclass, field

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.trace.evidence import MOST_CPUS, Calls, Counts

MOST_CELLS = 4_000_000  # over all CPUs; ten CPUs for an hour
_AT_ONCE = 500_000  # entries that are added up together
_SINGLE, _VMALLOC = 1, 2


def _no_rows() -> Counts:
    return np.empty((4, 0), dtype=np.int64)


@dataclass
class CallCounts:
    """Rows of cell, calls, single and vmalloc, in the order of cells, and what is not yet in them.

    A cell is window * MOST_CPUS + CPU; an entry is a cell and the kind of its calls.
    """

    rows: Counts = field(default_factory=_no_rows)
    entries: "array[int]" = field(default_factory=lambda: array("q"))
    calls: "array[int]" = field(default_factory=lambda: array("q"))  # of each entry
    unknown_kind: int = 0
    unknown_memory: int = 0
    total: int = 0


def add(
    counts: CallCounts, window: int, cpu: int, calls: int, single: bool | None, vmalloc: bool | None
) -> None:
    """Calls in a window of a CPU; None for what is not known of them."""
    kind = 0
    if single:
        kind = _SINGLE
    elif single is None:
        counts.unknown_kind += calls
    if vmalloc:
        kind |= _VMALLOC
    elif vmalloc is None:
        counts.unknown_memory += calls
    counts.entries.append((window * MOST_CPUS + cpu) * 4 + kind)
    counts.calls.append(calls)
    counts.total += calls
    if len(counts.entries) >= _AT_ONCE:
        add_up(counts)


def add_up(counts: CallCounts) -> None:
    """Put the entries into the rows; raises KrcsimError where these are too many."""
    if not counts.entries:
        return
    entries = np.array(counts.entries, dtype=np.int64)
    calls = np.array(counts.calls, dtype=np.int64)
    cells, kinds = entries >> 2, entries & 3
    new = np.stack(
        [cells, calls, calls * (kinds & _SINGLE), calls * ((kinds & _VMALLOC) // _VMALLOC)]
    )
    counts.entries, counts.calls = array("q"), array("q")
    counts.rows = _merged(counts.rows, _summed(new))
    if counts.rows.shape[1] > MOST_CELLS:
        raise KrcsimError(
            f"the recordings hold more than {MOST_CELLS:,} windows with calls; give a shorter part "
            "of them"
        )


def _merged(rows: Counts, new: Counts) -> Counts:
    """Both, in the order of cells; `rows` is added to."""
    places = np.searchsorted(rows[0], new[0])
    is_there = np.zeros(len(places), dtype=bool)
    inside = places < rows.shape[1]
    is_there[inside] = rows[0][places[inside]] == new[0][inside]
    rows[1:, places[is_there]] += new[1:, is_there]
    return np.insert(rows, places[~is_there], new[:, ~is_there], axis=1)


def _summed(rows: Counts) -> Counts:
    """Rows with one for each cell, in their order."""
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    if not rows.shape[1]:
        return rows
    begins = np.flatnonzero(np.diff(rows[0], prepend=rows[0][0] - 1))
    found = np.empty((4, len(begins)), dtype=np.int64)
    found[0] = rows[0][begins]
    for number in (1, 2, 3):
        found[number] = np.add.reduceat(rows[number], begins)
    return found


def calls_of(counts: CallCounts) -> Calls:
    """What was counted, as values that nobody changes."""
    add_up(counts)
    cells, calls, single, vmalloc = counts.rows
    return Calls(
        windows=cells // MOST_CPUS,
        cpus=cells % MOST_CPUS,
        calls=calls,
        single=single,
        vmalloc=vmalloc,
        kinds_known=counts.unknown_kind == 0,
        vmalloc_known=counts.unknown_memory == 0,
    )
