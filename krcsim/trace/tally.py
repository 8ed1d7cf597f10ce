# SPDX-License-Identifier: GPL-2.0-only
"""What was counted so far, while recordings are read line by line; evidence() makes values of it.

Nothing here grows with the length of a recording but windows in which something happened and
lengths of single things, and both have a limit.
"""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.trace import call_counts, gfp, parts
from krcsim.trace.call_counts import CallCounts
from krcsim.trace.evidence import (
    MOST_CPUS,
    WINDOW_S,
    Evidence,
    Happened,
    Reclaims,
    Requests,
    ScaleRun,
    Source,
    Spans,
)

MOST_WINDOWS = 4_000_000  # with page requests, or runs of one kind
MOST_LENGTHS = 2_000_000  # of grace periods, of waits, of stalls
MOST_TASKS = 100_000  # that wait or reclaim at once; those of a forged file end here
LATEST_S = 1e9  # thirty years after boot: no time of a recording is later
LONGEST_S = 1000.0  # of a grace period, a wait or a stall
PAUSE_S = 60.0  # nothing seen for so long: the recording was off, or its clock jumped
IN_ORDER_S = 1.0  # so far lines of several CPUs are out of order
MOST_SPANS = 1000
MOST_TIMES = 1_000_000  # of calls, where each is kept


@dataclass
class Tally:
    """Counters, by what they count."""

    calls: CallCounts = field(default_factory=CallCounts)
    call_times: "array[float] | None" = None  # None where nobody wants them
    call_cpus: "array[int]" = field(default_factory=lambda: array("H"))  # of these calls
    tries: dict[str, Counter[int]] = field(default_factory=dict)  # by class: window -> requests
    failed: dict[str, Counter[int]] = field(default_factory=dict)
    own_tries: int = 0
    grace_periods: "array[float]" = field(default_factory=lambda: array("d"))
    waits: "array[float]" = field(default_factory=lambda: array("d"))
    reclaim_begins: "array[float]" = field(default_factory=lambda: array("d"))
    reclaim_ends: "array[float]" = field(default_factory=lambda: array("d"))
    counters: Counter[str] = field(default_factory=Counter)
    ran: dict[str, Counter[int]] = field(default_factory=dict)  # window -> times
    beyond_s: float = 0.0
    rows_seen: set[int] = field(default_factory=set)  # of counts, in this section or file
    unbelieved: dict[str, list[float]] = field(default_factory=dict)  # how many, the first one
    clock_s: float | None = None  # the latest time in this file
    back_s: float = 0.0  # so far its lines went back in time at most
    ignored: int = 0  # lines that say nothing here
    lost_unknown: int = 0  # times that events were lost and nobody knows how many
    has_counts: bool = False  # whether the archive that is read has rows of counts
    block_pointers: list[int] = field(default_factory=lambda: [0, 0])
    object_sizes: Counter[int] = field(default_factory=Counter)
    sheaf_calls: list[int] = field(default_factory=lambda: [0, 0])
    scale_runs: list[ScaleRun] = field(default_factory=list)
    vmstat: dict[str, list[int]] = field(default_factory=dict)  # first and latest value
    machine: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    sources: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    spans: list[list[float]] = field(default_factory=list)
    counted: list[tuple[float, float]] = field(default_factory=list)  # parts of spans with calls
    lost: int = 0
    announced: int = 0  # calls that bpftrace counted, in rows that had room or not
    lines: int = 0
    not_understood: int = 0
    examples: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    after_s: float | None = None  # where the recordings before this archive end
    parts_from: int | None = None  # `counted` before this archive, where that counts in parts
    inside_s: tuple[float, float] | None = None  # when the archive that is read was recorded
    counted_s: tuple[float, float] | None = None  # when its histograms were on, inside or not
    has_timeless_counts: bool = False  # whether it has counts without times
    shift_s: float = 0.0  # added to the clock of what is read, so that boots do not overlap

    # what is going on: the beginning of a grace period, and of what each task waits for
    gp_began: float | None = None
    gp_number: bytes = b""
    waiting: dict[int, float] = field(default_factory=dict)
    reclaiming: dict[int, float] = field(default_factory=dict)


def see(tally: Tally, kinds: Mapping[str, list[int]], file: str) -> None:
    """Remember which kinds of things a file shows: how many lines, the first and the last."""
    tally.seen.update(kinds)
    for kind, place in kinds.items():
        tally.sources.setdefault(kind, {})[file] = place


def cover(tally: Tally, seconds: float) -> None:
    """Something was seen at this time: the recording was on."""
    spans = tally.spans
    if spans:
        span = spans[-1]
        if span[0] <= seconds <= span[1]:
            return
        if span[1] < seconds <= span[1] + PAUSE_S:
            span[1] = seconds
            return
        if span[0] - PAUSE_S <= seconds < span[0]:
            span[0] = seconds
            return
        for span in spans:
            if span[0] - PAUSE_S <= seconds <= span[1] + PAUSE_S:
                span[0], span[1] = min(span[0], seconds), max(span[1], seconds)
                return
    if len(spans) >= MOST_SPANS:
        raise KrcsimError(
            f"the times of the recording jump more than {MOST_SPANS} times by over {PAUSE_S:g} s; "
            "give recordings of one machine, each in a file of its own"
        )
    spans.append([seconds, seconds])


def is_believed(tally: Tally, cpu: int, seconds: float) -> bool:
    """Whether a line may have this CPU and this time; one that may not is remembered."""
    if cpu < MOST_CPUS and seconds < LATEST_S:
        return True
    what, value = ("CPU", float(cpu)) if cpu >= MOST_CPUS else ("time", seconds)
    tally.unbelieved.setdefault(what, [0, value])[0] += 1
    return False


def step_back(tally: Tally, by_s: float) -> None:
    """A line is earlier than one above it: buffers of CPUs are a bit out of order, or the clock
    jumped, or pieces were put together in any order.
    """
    tally.back_s = max(tally.back_s, by_s)
    if by_s > IN_ORDER_S:
        forget_pairs(tally)


def forget_pairs(tally: Tally) -> None:
    """What began is not known to have ended next: lines between may be missing."""
    tally.gp_began = None
    tally.waiting.clear()
    tally.reclaiming.clear()


def add_calls(
    tally: Tally, window: int, cpu: int, calls: int, single: bool | None, vmalloc: bool | None
) -> None:
    """Calls in a window of a CPU; None for what is not known of them."""
    call_counts.add(tally.calls, window, cpu, calls, single, vmalloc)


def add_call_time(tally: Tally, cpu: int, seconds: float) -> None:
    """When a call was made; of more than MOST_TIMES no time is kept."""
    if tally.call_times is None:
        return
    tally.call_times.append(seconds)
    tally.call_cpus.append(cpu)
    if len(tally.call_cpus) > MOST_TIMES:
        tally.call_times = None
        tally.call_cpus = array("H")
        tally.notes.append(
            f"more than {MOST_TIMES:,} calls have a time of their own: those are dropped, and only "
            f"counts in windows of {WINDOW_S * 1000:g} ms are kept"
        )


def add_requests(tally: Tally, window: int, flags: bytes, tries: int, failed: int) -> str | None:
    """Requests for one page in a window; returns their class, None where the flags are none."""
    known = gfp.class_of(flags)
    if known is None:
        return None
    kind, is_own = known
    if kind == gfp.SLEEPS:
        return kind

    tally.tries.setdefault(kind, Counter())[window] += tries
    if failed:
        tally.failed.setdefault(kind, Counter())[window] += failed
    if is_own:
        tally.own_tries += tries
    _refuse_more(len(tally.tries[kind]), MOST_WINDOWS, "windows with page requests")
    return kind


def add_length(lengths: "array[float]", seconds: float) -> None:
    """A length, where it is one: recordings out of order have negative ones."""
    if 0.0 < seconds < LONGEST_S:
        lengths.append(seconds)
        _refuse_more(len(lengths), MOST_LENGTHS, "lengths of one kind")


def add_reclaim(tally: Tally, began: float, ended: float) -> None:
    """A direct reclaim of a task."""
    if 0.0 < ended - began < LONGEST_S:
        tally.reclaim_begins.append(began)
        tally.reclaim_ends.append(ended)
        _refuse_more(len(tally.reclaim_ends), MOST_LENGTHS, "direct reclaims")


def add_run(tally: Tally, name: str, seconds: float, times: int = 1) -> None:
    """Something ran: the monitor, a work, a grace period that ended."""
    windows = tally.ran.setdefault(name, Counter())
    windows[window_of(seconds)] += times
    _refuse_more(len(windows), MOST_WINDOWS, f"windows with runs of {name}")


def begin(tasks: dict[int, float], pid: int, seconds: float) -> None:
    """A task begins to wait, or to reclaim."""
    if len(tasks) < MOST_TASKS:
        tasks[pid] = seconds


def _refuse_more(many: int, most: int, what: str) -> None:
    if many > most:
        raise KrcsimError(
            f"the recordings hold more than {most:,} {what}; give a shorter part of them"
        )


def window_of(seconds: float) -> int:
    """The window in which a time lies."""
    return int(seconds / WINDOW_S)


def evidence(tally: Tally) -> Evidence:
    """Everything that was counted, as values that nobody changes."""
    spans = _merged(tally.spans)
    calls_spans = parts.counted_spans(spans, tally.counted)
    calls = call_counts.calls_of(tally.calls)
    return Evidence(
        spans=spans,
        calls_spans=calls_spans,
        calls=parts.within(calls, calls_spans) if tally.counted else calls,
        call_times_s=_call_times(tally),
        page=_requests(tally, gfp.PAGE),
        noretry=_requests(tally, gfp.NORETRY),
        own_tries=tally.own_tries,
        grace_periods_s=np.array(tally.grace_periods),
        waits_s=np.array(tally.waits),
        reclaims=Reclaims(np.array(tally.reclaim_begins), np.array(tally.reclaim_ends)),
        counters=dict(tally.counters),
        ran={name: _happened(windows) for name, windows in tally.ran.items()},
        beyond_s=tally.beyond_s,
        block_pointers=(tally.block_pointers[0], tally.block_pointers[1]),
        object_sizes=dict(tally.object_sizes),
        sheaf_calls=(tally.sheaf_calls[0], tally.sheaf_calls[1]),
        scale_runs=tuple(tally.scale_runs),
        vmstat={
            name: last - first for name, (first, last) in tally.vmstat.items() if last >= first
        },
        machine=dict(tally.machine),
        seen=frozenset(tally.seen),
        sources={
            kind: tuple(Source(file, *place) for file, place in files.items())
            for kind, files in tally.sources.items()
        },
        lost=tally.lost + max(0, tally.announced - tally.calls.total),
        lines=tally.lines,
        not_understood=tally.not_understood,
        ignored=tally.ignored,
        examples=tuple(tally.examples),
        notes=tuple(tally.notes),
    )


def _merged(spans: list[list[float]]) -> Spans:
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple((start, end) for start, end in merged)


def _happened(times: Counter[int]) -> Happened:
    windows = np.array(sorted(times), dtype=np.int64)
    return Happened(windows, np.array([times[int(w)] for w in windows], dtype=np.int64))


def _call_times(tally: Tally) -> "dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]]":
    """Times of calls, if all that were counted have one."""
    if tally.counted or tally.call_times is None or len(tally.call_cpus) != tally.calls.total:
        return {}
    times, cpus = np.array(tally.call_times), np.array(tally.call_cpus)
    return {int(cpu): np.sort(times[cpus == cpu]) for cpu in np.unique(cpus)}


def _requests(tally: Tally, kind: str) -> Requests:
    tries = tally.tries.get(kind, Counter())
    failed = tally.failed.get(kind, Counter())
    windows = np.array(sorted(tries.keys() | failed.keys()), dtype=np.int64)
    return Requests(
        windows=windows,
        tries=np.array([tries[int(w)] for w in windows], dtype=np.int64),
        failed=np.array([failed[int(w)] for w in windows], dtype=np.int64),
    )
