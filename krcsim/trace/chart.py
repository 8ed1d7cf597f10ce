# SPDX-License-Identifier: GPL-2.0-only
"""What is drawn of a reading: windows of time, episodes, lengths, failures, what was predicted."""

import math
from collections.abc import Sequence

from krcsim.report.style import Picture

import numpy as np

from krcsim.report.recording_chart import Pair, RecordingChart, Share
from krcsim.report.recording_picture import picture_of_recording
from krcsim.trace import pressure
from krcsim.trace.course import course_of
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence
from krcsim.trace.fit import Made
from krcsim.trace.predicted import Against, Held

Floats = tuple[float, ...]

MOST_WINDOWS = 240  # that a picture shows


def chart_of(reading: Made, against: Against | None = None) -> RecordingChart:
    """The data of the pictures of a reading, with what was predicted if that is there."""
    evidence = reading.evidence
    begin, end = _longest(evidence)
    many = max(1, min(MOST_WINDOWS, math.floor((end - begin) / (5 * WINDOW_S))))
    edges = np.linspace(begin, max(end, begin + WINDOW_S), many + 1)
    width_s = float(edges[1] - edges[0])

    def a_second(windows: Counts, counts: Counts) -> tuple[float, ...]:
        at = (windows + 0.5) * WINDOW_S
        found = np.histogram(at, edges, weights=counts.astype(float))[0] / width_s
        return tuple(float(x) for x in found)

    kinds = (evidence.page, evidence.noretry)
    windows = np.concatenate([kind.windows for kind in kinds])
    tries = np.concatenate([kind.tries for kind in kinds])
    failed = np.concatenate([kind.failed for kind in kinds])
    episodes = pressure.episodes_of(evidence)
    spans = [
        (max(0.0, float(first) * WINDOW_S - begin), float(last + 1) * WINDOW_S - begin)
        for first, last in zip(episodes.first, episodes.last, strict=True)
        if begin <= (last + 1) * WINDOW_S and first * WINDOW_S <= end
    ]
    return RecordingChart(
        tuple(float(x - begin) for x in edges),
        _where_counted(evidence, edges, a_second(evidence.calls.windows, evidence.calls.calls)),
        a_second(windows, tries),
        a_second(windows, failed),
        tuple(spans),
        tuple(float(x) * 1000.0 for x in evidence.grace_periods_s),
        tuple(_shares(evidence, episodes)),
        tuple(_pair(row) for row in against.rows) if against else (),
        _pieces(reading, begin),
    )


def _pieces(reading: Made, begin: float) -> tuple[tuple[float, float, float], ...]:
    """The pieces of a rate that changes: begin and end, and the calls of all CPUs a second; none
    where pauses of the recording would lie between them.
    """
    evidence = reading.evidence
    course = course_of(evidence.calls, evidence.spans)
    if course is None or not reading.scenario.workload.rate_changes or len(evidence.spans) > 1:
        return ()
    first = math.ceil(begin / WINDOW_S - 1e-6) * WINDOW_S - begin
    edges = first + course.edges * WINDOW_S
    found = zip(edges[:-1], edges[1:], course.rates, strict=True)
    return tuple((float(a), float(b), float(rate)) for a, b, rate in found)


def _where_counted(
    evidence: Evidence, edges: "np.ndarray[tuple[int], np.dtype[np.float64]]", a_second: Floats
) -> Floats:
    """Calls a second of the time in which they were counted; not a number where they were not."""
    if not evidence.has_parts:
        return a_second
    found = []
    for begin, end, calls in zip(edges[:-1], edges[1:], a_second, strict=True):
        counted_s = sum(max(0.0, min(end, b) - max(begin, a)) for a, b in evidence.calls_spans)
        is_known = counted_s >= 2 * WINDOW_S
        found.append(calls * float(end - begin) / counted_s if is_known else math.nan)
    return tuple(found)


def _longest(evidence: Evidence) -> tuple[float, float]:
    """The longest time without a pause: the one that is drawn."""
    spans = evidence.spans or ((0.0, 1.0),)
    return max(spans, key=lambda span: span[1] - span[0])


def _shares(evidence: Evidence, episodes: pressure.Episodes) -> Sequence[Share]:
    found = []
    for name, kind, requests in (
        ("GFP_NOWAIT", "page", evidence.page),
        ("NORETRY", "noretry", evidence.noretry),
    ):
        for where, part in (
            ("calm", pressure.outside(requests, episodes, kind)),
            ("episode", pressure.inside(requests, episodes, kind)),
        ):
            if part is not None:
                ends = (part.limits.low, part.limits.high)
                found.append(Share(f"{name}, {where}", part.tries, part.failed, *ends))
    return found


def _pair(row: Held) -> Pair:
    return Pair(
        row.name,
        (row.recorded, *row.recorded_limits),
        (row.predicted, *row.predicted_limits),
        row.is_reproduced,
    )


def picture_of(reading: Made, against: Against | None = None) -> Picture:
    """The recording as a picture for a notebook, under what was read, or what it comes to."""
    return picture_of_recording(chart_of(reading, against), *texts_of(reading, against))


def texts_of(reading: Made, against: Against | None = None) -> tuple[str, str]:
    """What stands above the picture: what it comes to, and where it was recorded."""
    evidence = reading.evidence
    callers = len(np.unique(evidence.calls.cpus))
    said = (
        f"{evidence.calls.total:,} calls of kfree_rcu() in {evidence.counted_words} on "
        f"{callers} CPU{'s' * (callers != 1)}"
    )
    if against is not None:
        said += f": {against.finding}"
    kernel = evidence.machine.get("release", "")
    return said, f"Recorded on Linux {printable(kernel)}" if kernel else ""


def printable(text: str) -> str:
    """A text of a file as it may stand in a picture: no mark of mathematics begins there."""
    return "".join(c if c.isprintable() and c not in "$\\" else "?" for c in text[:80])
