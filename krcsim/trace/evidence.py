# SPDX-License-Identifier: GPL-2.0-only
"""What recordings show, before anything is made of it: counts in windows, lengths, and where each
of them stands.

Times are seconds of the clock of the recording. A window is WINDOW_S long; window n begins at
n * WINDOW_S.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 0.01
MOST_CPUS = 1024  # as machine.cpus has it

Spans = tuple[tuple[float, float], ...]
Times = NDArray[np.float64]
Counts = NDArray[np.int64]


def is_number(text: str) -> bool:
    """Whether a text is a whole number, in digits of ASCII."""
    return text.isascii() and text.isdigit()


@dataclass(frozen=True)
class Source:
    """Lines of a file, counted from 1: how many, the first and the last of them."""

    file: str
    lines: int
    first: int
    last: int

    def words(self) -> str:
        """Where they are, for people."""
        if self.lines == 1:
            return f"{self.file} line {self.first}"
        return f"{self.file} lines {self.first:,} to {self.last:,} ({self.lines:,} of them)"


@dataclass(frozen=True)
class Calls:
    """Calls of kfree_rcu() in windows: parallel arrays, a cell for each CPU and window with calls.

    `kinds_known`: whether one argument is told from two; `vmalloc_known`: slab from vmalloc.
    """

    windows: Counts
    cpus: Counts
    calls: Counts
    single: Counts
    vmalloc: Counts
    kinds_known: bool
    vmalloc_known: bool

    @property
    def total(self) -> int:
        """All calls."""
        return int(self.calls.sum())


@dataclass(frozen=True)
class Requests:
    """Requests for one page in windows: how many were made, and how many of them failed."""

    windows: Counts
    tries: Counts
    failed: Counts


@dataclass(frozen=True)
class Happened:
    """How often something ran in windows."""

    windows: Counts
    times: Counts

    @property
    def total(self) -> int:
        """How often in all of them."""
        return int(self.times.sum())


@dataclass(frozen=True)
class Reclaims:
    """Direct reclaims of tasks: when each began and ended."""

    begins_s: Times
    ends_s: Times


@dataclass(frozen=True)
class ScaleRun:
    """A line of rcuscale: what all its threads together needed."""

    nanoseconds: int
    loops: int
    batches: int


@dataclass(frozen=True)
class Evidence:
    """All that was read. `sources` has the lines behind each kind of thing, by its name.

    `seen`: kinds of things that the recording would show if they happened. `spans` are the times
    that it covers, in order and apart from each other; `calls_spans` those in which calls were
    counted, which are shorter where counting all of them would have cost too much.
    """

    spans: Spans
    calls_spans: Spans
    calls: Calls
    call_times_s: Mapping[int, Times]  # of calls, by CPU; empty where not all of them are known
    page: Requests  # without direct reclaim: GFP_NOWAIT
    noretry: Requests  # one round of direct reclaim: __GFP_NORETRY
    own_tries: int  # of the latter those with the very flags of kfree_rcu()
    grace_periods_s: Times
    waits_s: Times  # synchronize_rcu(), from call to return
    reclaims: Reclaims
    counters: Mapping[str, int]  # monitor, work, refill, shrinker, kswapd
    ran: Mapping[str, Happened]  # the same and grace periods, as far as it is known when
    beyond_s: float  # so much longer than `spans` at most were counters on that have no times
    block_pointers: tuple[int, int]  # blocks freed, pointers in them
    object_sizes: Mapping[int, int]  # bytes: calls
    sheaf_calls: tuple[int, int]  # refused by a sheaf, taken
    scale_runs: tuple[ScaleRun, ...]
    vmstat: Mapping[str, int]  # what the counters of /proc/vmstat rose by
    machine: Mapping[str, str]  # release, cpus, hz, and parameters, as the recorder has them
    seen: frozenset[str]
    sources: Mapping[str, tuple[Source, ...]]
    lost: int  # events that the recording itself says it lost
    lines: int
    not_understood: int
    ignored: int  # lines that are understood, and say nothing here
    examples: tuple[str, ...]  # of lines not understood
    notes: tuple[str, ...]

    @property
    def lost_share(self) -> float:
        """Events that were lost for each one that was not."""
        kept = self.calls.total + int(self.page.tries.sum()) + int(self.noretry.tries.sum())
        return self.lost / max(1, kept)

    @property
    def seconds(self) -> float:
        """The time that is covered."""
        return sum(end - start for start, end in self.spans)

    @property
    def calls_seconds(self) -> float:
        """The time in which calls were counted."""
        return sum(end - start for start, end in self.calls_spans)

    @property
    def has_parts(self) -> bool:
        """Whether calls were counted in parts of the time only."""
        return self.calls_spans != self.spans

    @property
    def parts_words(self) -> str:
        """How calls were counted where that was not all the time; else nothing."""
        if not self.has_parts:
            return ""
        return f"{len(self.calls_spans)} parts of {self.part_s:.3g} s out of {self.seconds:.4g} s"

    @property
    def counted_words(self) -> str:
        """For how long calls were counted."""
        text = f"{self.calls_seconds:.4g} s"
        return f"{text} ({self.parts_words})" if self.has_parts else text

    @property
    def part_s(self) -> float:
        """The length of a part in which calls were counted; infinite where they always were."""
        return self.calls_seconds / max(1, len(self.calls_spans)) if self.has_parts else math.inf
