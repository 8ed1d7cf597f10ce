# SPDX-License-Identifier: GPL-2.0-only
"""The calls of recordings as they came, for a scenario that replays them.

Exact times are taken where the recordings have the time of each call, else counts in windows.
Pauses between recordings are left out: what follows is moved up to what comes before.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.model.calls import RecordedCalls, counted_calls, timed_calls
from krcsim.model.scenario import Scenario
from krcsim.trace import arrivals
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence
from krcsim.trace.intervals import BLOCKS, FEWEST
from krcsim.trace.value import READ, Value

# Fitted fields of calls that are not replayed.
_PIECES = ("rate_changes", "rate_period_ms")
REPLACED = tuple(f"workload.{name}" for name in ("arrivals", "burst", "on_ms", "off_ms", *_PIECES))
# Fields that the calls themselves say.
OVERRULED = ("burst", "gap", "producers", "cpu_shares", "rate_hz", *_PIECES)
PHASES_A_BLOCK = 5.0  # on and off phases that a block of time holds, at least
BOOT_SHARE = 0.2  # of a recording, at most


def replayed_calls(evidence: Evidence) -> tuple[RecordedCalls, str]:
    """The calls of recordings and a sentence about them; raises KrcsimError if there are none."""
    total = evidence.calls.total
    if not total:
        raise KrcsimError(
            "--replay needs calls of kfree_rcu(), and the recording has none; record those too"
        )
    if evidence.has_parts:
        raise KrcsimError(
            "--replay needs a recording that counted all calls; this one counted them in "
            f"{evidence.parts_words}: print the recorder with --most-cpu 100, or read it without "
            "--replay"
        )
    cpus = np.unique(evidence.calls.cpus)
    if evidence.call_times_s:
        calls = _exact(evidence, cpus)
        how = "at their own times"
    else:
        calls = _counted(evidence, cpus)
        how = f"at random times within their {WINDOW_S * 1000:g} ms"
    text = f"{calls.total:,} calls in {calls.length_ms / 1000:.4g} s, {how}"
    if calls.total < total:
        text += f"; {total - calls.total:,} in windows cut by an end of the recording are left out"
    if evidence.lost:
        text += f"; {evidence.lost:,} events were lost and are not replayed"
    return calls, text


def _exact(evidence: Evidence, cpus: Counts) -> RecordedCalls:
    times_ms = [[0.0] * 0 for _ in cpus]
    offset_s = 0.0
    for start, end in evidence.spans:
        for place, cpu in enumerate(cpus):
            at = evidence.call_times_s[int(cpu)]
            inside = at[(at >= start) & (at <= end)]
            times_ms[place] += ((inside - start + offset_s) * 1000.0).tolist()
        offset_s += end - start
    return timed_calls(times_ms, max(offset_s, WINDOW_S) * 1000.0)


def _counted(evidence: Evidence, cpus: Counts) -> RecordedCalls:
    calls = evidence.calls
    spans = [_whole_windows(start, end) for start, end in evidence.spans]
    many = sum(max(0, end - first) for first, end in spans)
    counts = []
    for cpu in cpus:
        own = calls.cpus == cpu
        counts.append(_of_cpu(calls.windows[own], calls.calls[own], spans, many))
    if not many:
        raise KrcsimError(
            f"the recording covers no whole window of {WINDOW_S * 1000:g} ms; record longer"
        )
    return counted_calls(counts, WINDOW_S * 1000.0, many * WINDOW_S * 1000.0)


def _of_cpu(
    windows: Counts, calls: Counts, spans: Sequence[tuple[int, int]], many: int
) -> Sequence[int]:
    counts = np.zeros(many, np.int64)
    offset = 0
    for first, end in spans:
        inside = (windows >= first) & (windows < end)
        counts[windows[inside] - first + offset] = calls[inside]
        offset += max(0, end - first)
    found: list[int] = counts.tolist()
    return found


def blocks_that_keep_phases(evidence: Evidence) -> int:
    """Into how many blocks of time recorded calls are cut: fewer and longer ones where they come in
    long phases, so that hardly any phase is cut.
    """
    blocks = arrivals.blocks_of(evidence.calls, evidence.spans)
    shape = arrivals.shape(evidence.calls, blocks)
    if shape is None or shape.on_ms is None or shape.off_ms is None:
        return BLOCKS
    phase_s = (shape.on_ms[0] + shape.off_ms[0]) / 1000.0
    return max(FEWEST, min(BLOCKS, int(evidence.seconds / (PHASES_A_BLOCK * phase_s))))


def in_blocks(
    calls: RecordedCalls, evidence: Evidence, blocks: arrivals.Blocks, chosen: Counts
) -> RecordedCalls:
    """The same calls with the chosen blocks of the recording one behind another; as they were where
    no call would be left.
    """
    begins: list[float] = []  # of all blocks, in s of what is replayed: pauses are left out
    offset_s = 0.0
    for start, end in evidence.spans:
        windows = _whole_windows(start, end)
        first_s = windows[0] * WINDOW_S if calls.cell_ms else start
        begins += [
            offset_s + max(0.0, first * WINDOW_S - first_s)
            for first in blocks.first.tolist()
            if windows[0] <= first < windows[1]
        ]
        offset_s += (windows[1] - windows[0]) * WINDOW_S if calls.cell_ms else end - start
    length_ms = blocks.windows * WINDOW_S * 1000.0
    at_ms = tuple(float(f"{begins[place] * 1000.0:.6f}") for place in chosen.tolist())
    found = replace(calls, block_ms=length_ms, blocks_ms=at_ms)
    return found if found.total else calls


def _whole_windows(start: float, end: float) -> tuple[int, int]:
    """The first window within a time, and the first one behind it."""
    return math.ceil(start / WINDOW_S - 1e-6), math.floor(end / WINDOW_S + 1e-6)


def instead_of(found: Iterable[Value], evidence: Evidence) -> list[Value]:
    """The fitted fields, with the calls themselves instead of the law of their arrivals."""
    return [*(one for one in found if one.field not in REPLACED), *values_of(evidence)]


def values_of(evidence: Evidence) -> Iterator[Value]:
    """The fields of a scenario that replays the recordings."""
    calls, text = replayed_calls(evidence)
    at = evidence.sources.get("calls", ())
    yield Value("workload.arrivals", "replay", "", READ, None, text, at)
    yield Value("workload.calls", calls, "", READ, None, text, at)


def consequences(calls: RecordedCalls, base: Scenario) -> dict[str, object]:
    """Fields that have to go with a recording: the run is as long."""
    return {
        "horizon_ms": calls.length_ms,
        "warmup_ms": min(base.warmup_ms, BOOT_SHARE * calls.length_ms),
        "workload.loop": "open",
        **{f"workload.{name}": None for name in OVERRULED},
    }
