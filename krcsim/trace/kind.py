# SPDX-License-Identifier: GPL-2.0-only
"""What kind of arrivals recorded calls have, and how their rate changes, as fields of a scenario.

A rate that changes over seconds looks like long phases by its dispersions alone. So the recording
is cut into pieces first; where there are several, what is left within them decides the kind.
"""

from collections.abc import Sequence

import numpy as np

from krcsim.trace import arrivals
from krcsim.trace.arrivals import Blocks, Shape
from krcsim.trace.course import Course, course_of, positions_of
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence
from krcsim.trace.intervals import Array
from krcsim.trace.value import MEASURED, READ, Value

FEWEST_PHASES = 5  # of a length that is believed
SHORTEST_MS = 0.1  # shorter phases are bursts
WIDEST = 100.0  # from the low to the high end of an interval that still says something
NEAR = 0.25  # rates that differ less, in parts, are one
SILENT = 0.02  # of the highest rate: less is none
MOST_TIME = 0.8  # that has one of two rates
# Rates are as far as this from their mean, over time, before pieces take the place of another kind
# of arrivals: less changes hardly an answer.
UNEVEN = 0.25


def kind_of(
    evidence: Evidence, blocks: Blocks, reasons: dict[str, str]
) -> tuple[Sequence[Value], Course | None]:
    """The kind of arrivals and what goes with it, as far as the recording says it; and the pieces
    of a rate that changes. Why the kind is not known is added to `reasons`.
    """
    at = evidence.sources.get("calls", ())
    shape, course = shape_and_course(evidence, blocks)
    if shape is None:
        reasons["workload.arrivals"] = (
            "too few calls or too short a recording to tell bursts and phases from single calls"
        )
        return (), None
    seen = _dispersion_words(shape)
    if not is_resolved(evidence, shape):
        reasons["workload.arrivals"] = (
            "the rate changes over times for which the recording is too short, or not on all CPUs "
            f"at once ({seen}); record longer, or take the calls as they came with --replay"
        )
        return (), None
    if course is not None:
        seen += ", within pieces at one rate"
    found = [Value("workload.arrivals", shape.arrivals, "", MEASURED, None, seen, at)]
    for name, unit, one in (
        ("burst", "calls", shape.burst),
        ("on_ms", "ms", shape.on_ms),
        ("off_ms", "ms", shape.off_ms),
    ):
        if one is not None:
            value: float | int = int(one[0]) if name == "burst" else one[0]
            found.append(Value(f"workload.{name}", value, unit, MEASURED, one[1], seen, at))
    if course is not None:
        text = course_words(course)
        pieces, period_ms = pieces_of(course, len(blocks.cpus))
        found.append(Value("workload.rate_changes", pieces, "", MEASURED, None, text, at))
        text = "the recording begins anew when it has ended"
        found.append(Value("workload.rate_period_ms", period_ms, "ms", READ, None, text, at))
    return found, course


def _dispersion_words(shape: Shape) -> str:
    small, large = shape.window_s
    return (
        f"variance over mean of the counts: {shape.dispersion[0]:.3g} in windows of "
        f"{small * 1000:g} ms, {shape.dispersion[1]:.3g} in windows of {large:g} s"
    )


def pieces_of(course: Course, cpus: int) -> tuple[tuple[tuple[float, float], ...], float]:
    """The pieces as a scenario has them, in ms and calls a second and CPU, and their period."""
    starts = (course.edges[:-1] * (1000.0 * WINDOW_S)).tolist()
    rates = [float(f"{rate / cpus:.5g}") for rate in course.rates]
    return tuple(zip(starts, rates, strict=True)), float(course.edges[-1] * (1000.0 * WINDOW_S))


def course_words(course: Course) -> str:
    """What was found, for people."""
    rates = course.rates
    busiest, quietest = int(np.argmax(rates)), int(np.argmin(rates))
    begins_s = course.edges * WINDOW_S
    least, most = (
        f"{_piece_words(course, piece)} (from {begins_s[piece]:.4g} s on)"
        for piece in (quietest, busiest)
    )
    return (
        f"{len(rates)} pieces of {course.seconds.min():.3g} to {course.seconds.max():.3g} s, on "
        f"all CPUs together from {least} to {most}; within pieces "
        f"the variance of the counts is {course.spread:.3g} times their mean in windows of "
        f"{course.width * WINDOW_S:g} s"
    )


def _piece_words(course: Course, piece: int) -> str:
    rate = course.rates[piece]
    if not course.calls[piece]:
        return f"0 calls/s, below {3.0 / course.seconds[piece]:.2g} (95 %)"
    half = min(1.0, 1.96 * float(course.errors()[piece]))
    return f"{rate:.4g} calls/s (± {100 * half:.2g} %)"


def shape_and_course(evidence: Evidence, blocks: Blocks) -> tuple[Shape | None, Course | None]:
    """The kind of arrivals of the whole recording; or within the pieces of its course, where these
    explain what changes slowly.

    They do not take the place of on and off phases that were seen often.
    """
    calls, spans = evidence.calls, evidence.spans
    whole = arrivals.shape(calls, blocks)
    course = course_of(calls, spans) if whole is not None and not evidence.has_parts else None
    if whole is None or course is None:
        return whole, None
    within = shape_within(evidence, blocks, course)
    if not is_resolved(evidence, within):
        return whole, None
    if is_resolved(evidence, whole) and (
        course.unevenness < UNEVEN or within.arrivals == "onoff" or _are_phases(course)
    ):
        return whole, None
    return within, course


def is_resolved(evidence: Evidence, shape: Shape) -> bool:
    """Whether phases, if there are any, are short enough to have been seen often."""
    if not shape.on_ms or not shape.off_ms:
        return True
    longest_ms = min(evidence.calls_seconds / FEWEST_PHASES, evidence.part_s) * 1000.0
    return all(
        SHORTEST_MS <= value <= longest_ms and limits.high <= WIDEST * limits.low
        for value, limits in (shape.on_ms, shape.off_ms)
    )


def _are_phases(course: Course) -> bool:
    """Whether pieces are silent and at one rate in turn, often enough for a law of phases."""
    rates, seconds = course.rates, course.seconds
    silent = rates <= SILENT * rates.max()
    on = ~silent
    level = float(np.average(rates[on], weights=seconds[on]))
    near = silent | (np.abs(rates - level) <= NEAR * level)
    begins = int((on & ~np.append(False, on[:-1])).sum())
    return begins >= FEWEST_PHASES and float(seconds[near].sum()) >= MOST_TIME * seconds.sum()


def shape_within(evidence: Evidence, blocks: Blocks, course: Course) -> Shape:
    """The kind of arrivals by how far counts are from what their piece says."""
    large = arrivals.large_window(blocks)
    chosen = arrivals.choices_of_blocks(blocks)
    calls = np.maximum(1e-300, (chosen @ blocks.calls.T).sum(axis=1))
    small, of_bursts, big = (
        (chosen @ _departures(evidence, blocks, course, size).T).sum(axis=1) / calls
        for size in (1, arrivals.burst_window(blocks), large)
    )
    share = blocks.calls.sum(axis=1) / max(1.0, blocks.calls.sum())
    squares = float(course.squares(course.edges[-1:])[0]) * float((share**2).sum())
    mean_hz = squares / WINDOW_S / max(1.0, float(course.calls.sum()))
    # Each piece takes a degree of freedom, where large windows are few.
    windows = blocks.count * blocks.windows / large
    big *= windows / max(1.0, windows - len(course.calls))
    return arrivals.shape_of((small, of_bursts, big), large, mean_hz)


def _departures(evidence: Evidence, blocks: Blocks, course: Course, size: int) -> Array:
    """Sums of squares of counts less their mean by the course, in windows of `size` small ones, by
    CPU and block.
    """
    calls = evidence.calls
    kept = blocks.of >= 0
    of_cpu = np.searchsorted(blocks.cpus, calls.cpus[kept])
    first, _ = positions_of(blocks.first, evidence.spans)
    within = calls.windows[kept] - blocks.first[blocks.of[kept]]
    many = blocks.windows // size
    keys = (of_cpu * blocks.count + blocks.of[kept]) * many + within // size
    keys, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place, weights=calls.calls[kept].astype(float))
    cell_block = keys // many % blocks.count
    cell_cpu = keys // many // blocks.count
    begins = first[cell_block] + keys % many * size
    share = blocks.calls.sum(axis=1) / max(1.0, blocks.calls.sum())
    mean = (course.expected(begins + size) - course.expected(begins)) * share[cell_cpu]

    sums = np.zeros((len(blocks.cpus), blocks.count))
    np.add.at(sums, (cell_cpu, cell_block), counts**2 - 2.0 * counts * mean)
    sums += share[:, None] ** 2 * _squares_of_means(blocks, course, first, size)
    return sums


def _squares_of_means(blocks: Blocks, course: Course, first: Counts, size: int) -> Array:
    """Sums of squares of what the course expects of all CPUs in the windows of each block."""
    if size == 1:
        found: Array = course.squares(first + blocks.windows) - course.squares(first)
        return found
    edges = first[:, None] + np.arange(0, blocks.windows + 1, size)[None, :]
    means: Array = np.diff(course.expected(edges), axis=1)
    return np.asarray((means**2).sum(axis=1))
