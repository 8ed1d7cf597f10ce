# SPDX-License-Identifier: GPL-2.0-only
"""How the rate of calls changed while it was recorded: pieces of time, each at a rate of its own.

Pieces are those of the least penalised likelihood: of all ways to cut the recorded time, the one
for which the deviance of the counts, over how far counts vary from one window to the next, plus a
penalty for each piece is the least. All CPUs have the same pieces.
"""

import math
from dataclasses import dataclass

import numpy as np

from krcsim.trace import intervals
from krcsim.trace.evidence import WINDOW_S, Calls, Counts
from krcsim.trace.intervals import Array, Interval

PENALTY = 5.0  # for each piece, times the logarithm of the number of places for a change
LEAST_STEP = 5  # windows; twice that where a recording has a minute
SHORTEST = 10  # of a piece, in steps
MOST_STEPS = 3000
FEWEST_STEPS = 8 * SHORTEST
FEWEST_CALLS, MOST_CALLS = 50, 1e10
LONGEST_S = 90_000.0  # a run may last 100,000 s
MOST_PIECES = 200  # more are no course, but phases
_KEPT = 0.9  # of the differences from one window to the next, without the largest
_PART = 0.6230  # the mean of so many squares of a normal law, the smallest: over that of all

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Course:
    """Pieces of the recorded time, without the pauses in it, in windows of WINDOW_S.

    `edges`: where they begin, and the end of the last; `calls`: those of all CPUs in each;
    `spread`: variance over mean of the counts within pieces, in windows of `width`.
    """

    edges: Counts
    calls: Counts
    spread: float
    width: int

    @property
    def rates(self) -> Array:
        """Calls a second of all CPUs in each piece."""
        found: Array = self.calls / (np.diff(self.edges) * WINDOW_S)
        return found

    @property
    def seconds(self) -> Array:
        """How long each piece is."""
        found: Array = np.diff(self.edges) * WINDOW_S
        return found

    def expected(self, positions: Counts) -> Array:
        """The calls before positions in the recorded time, at the rates of their pieces."""
        found: Array = np.interp(positions, self.edges, np.append(0.0, np.cumsum(self.calls)))
        return found

    def squares(self, positions: Counts) -> Array:
        """The sum of squares of what is expected in each window before positions."""
        each = self.calls.astype(float) ** 2 / np.diff(self.edges)
        found: Array = np.interp(positions, self.edges, np.append(0.0, np.cumsum(each)))
        return found

    @property
    def unevenness(self) -> float:
        """How far rates are from their mean, over time: root of the mean square, in parts of it."""
        rates, seconds = self.rates, self.seconds
        mean = float(np.average(rates, weights=seconds))
        return math.sqrt(float(np.average((rates - mean) ** 2, weights=seconds))) / mean

    def piece_of(self, positions: Counts) -> Counts:
        """In which piece positions lie."""
        found = np.searchsorted(self.edges, positions, side="right") - 1
        return np.clip(found, 0, len(self.calls) - 1)

    def errors(self) -> Array:
        """Of the rate of each piece the standard deviation in parts of it; infinite of 0."""
        with np.errstate(divide="ignore"):
            found: Array = np.sqrt(self.spread / self.calls)
        return found

    def mean_limits(self, mean: float) -> Interval:
        """The interval of the mean rate, were the recording made again with the same pieces."""
        total = int(self.calls.sum())
        freedom = max(1.0, self.edges[-1] / self.width - len(self.calls))
        low, high = (end * mean / total for end in intervals.of_count(total))
        found = intervals.around(mean, math.sqrt(self.spread / total), freedom)
        return intervals.wider(found, Interval(low, high))


def positions_of(windows: Counts, spans: Spans) -> tuple[Counts, int]:
    """Where windows lie in the recorded time without its pauses, -1 outside of it; and how many
    windows that has.
    """
    found = np.full(len(windows), -1, dtype=np.int64)
    many = 0
    for start, end in spans:
        first = math.ceil(start / WINDOW_S - 1e-6)
        size = max(0, math.floor(end / WINDOW_S + 1e-6) - first)
        inside = (windows >= first) & (windows < first + size)
        found[inside] = windows[inside] - first + many
        many += size
    return found, many


def course_of(calls: Calls, spans: Spans) -> Course | None:
    """The pieces of a recording; None where it is too short, or its rate is the same always."""
    positions, many = positions_of(calls.windows, spans)
    step = max(LEAST_STEP, math.ceil(many / MOST_STEPS), min(2 * LEAST_STEP, many // 600))
    steps = many // step
    kept = (positions >= 0) & (positions < steps * step)
    positions, counts = positions[kept], calls.calls[kept].astype(float)
    if steps < FEWEST_STEPS or not FEWEST_CALLS <= counts.sum() <= MOST_CALLS:
        return None
    if many * WINDOW_S > LONGEST_S:
        return None

    in_steps = np.bincount(positions // step, counts, steps).astype(float)
    noise = _noise(in_steps)
    edges = _best_pieces(in_steps, noise) * step
    if not 2 < len(edges) <= MOST_PIECES:
        return None
    edges = _refined(edges, positions, counts, step)
    edges[-1] = many  # the rest of the last step
    return _with_spread(edges, *_all_in(calls, spans), SHORTEST * step)


def _all_in(calls: Calls, spans: Spans) -> tuple[Counts, Array]:
    positions, _ = positions_of(calls.windows, spans)
    return positions[positions >= 0], calls.calls[positions >= 0].astype(float)


def _noise(in_steps: Array) -> float:
    """Variance over mean of counts in windows of SHORTEST steps, by how much they differ from the
    window before; the largest differences, which may be changes, are left out. At least 1.
    """
    windows = len(in_steps) // SHORTEST
    counts = in_steps[: windows * SHORTEST].reshape(windows, SHORTEST).sum(axis=1)
    sums = counts[1:] + counts[:-1]
    ratio = np.sort(np.diff(counts)[sums > 0] ** 2 / sums[sums > 0])
    if not len(ratio):
        return 1.0
    smallest = ratio[: max(1, int(_KEPT * len(ratio)))]
    return max(1.0, float(smallest.mean()) / _PART)


def _best_pieces(in_steps: Array, noise: float) -> Counts:
    """Where the best pieces begin and end, in steps: of all ways to cut, by dynamic programming."""
    steps = len(in_steps)
    penalty = PENALTY * math.log(steps)
    before = np.append(0.0, np.cumsum(in_steps))
    best = np.full(steps + 1, np.inf)
    best[0] = -penalty
    begins = np.zeros(steps + 1, dtype=np.int64)
    for end in range(SHORTEST, steps + 1):
        starts = np.arange(0, end - SHORTEST + 1)
        calls = before[end] - before[starts]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(calls > 0.0, calls * np.log(calls / (end - starts)), 0.0)
        total = best[starts] - 2.0 * gain / noise + penalty
        begins[end] = int(np.argmin(total))
        best[end] = total[begins[end]]

    edges = [steps]
    while edges[-1] > 0:
        edges.append(int(begins[edges[-1]]))
    return np.array(edges[::-1], dtype=np.int64)


def _refined(edges: Counts, positions: Counts, counts: Array, step: int) -> Counts:
    """Each change at the window where it is most likely, within a step to both sides."""
    order = np.argsort(positions, kind="stable")
    rising, before = positions[order], np.append(0.0, np.cumsum(counts[order]))

    def until(places: Counts) -> Array:
        found: Array = before[np.searchsorted(rising, places)]
        return found

    found = edges.copy()
    for place in range(1, len(edges) - 1):
        around = until(edges[place - 1 : place + 2])
        lengths = np.diff(edges[place - 1 : place + 2])
        one, other = np.maximum(np.diff(around), 0.5) / lengths
        tried = np.arange(edges[place] - step, edges[place] + step + 1)
        likely = until(tried) * math.log(one / other) - (one - other) * tried
        found[place] = tried[int(np.argmax(likely))]
    return found


def _with_spread(edges: Counts, positions: Counts, counts: Array, width: int) -> Course:
    """The course with its calls, and how far counts are from it in windows of this width."""
    piece = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, len(edges) - 2)
    calls = np.bincount(piece, counts, len(edges) - 1).astype(np.int64)
    course = Course(edges, calls, 1.0, width)
    windows = int(edges[-1]) // width
    inside = positions < windows * width
    seen = np.bincount(positions[inside] // width, counts[inside], windows)
    wanted = np.diff(course.expected(np.arange(windows + 1) * width))
    some = wanted > 0.0
    freedom = max(1, int(some.sum()) - len(calls))
    spread = float(((seen - wanted)[some] ** 2 / wanted[some]).sum()) / freedom
    return Course(edges, calls, max(1.0, spread), width)
