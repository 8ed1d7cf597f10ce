# SPDX-License-Identifier: GPL-2.0-only
"""Episodes of pressure, and how often requests fail inside and outside of them.

An episode is a run of failed requests for one page: that is what the model's probability means.
Where a recording has no page requests, direct reclaim marks the episodes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.trace import intervals
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence, Requests
from krcsim.trace.intervals import Array, Interval

# Two failures belong together where less time than this lies between them and hardly more requests
# were granted than chance explains, or where so few were granted that a longer time says nothing.
GAP_S = 0.1
MOST_GRANTED = 30
FEW_GRANTED = 5
MOST_GAP_S = 1.0
# Fewer failures, or a smaller part of the requests, are chance and no episode.
FEWEST_FAILURES = 3
LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Episodes:
    """Episodes in order: windows of their first and last mark, and how many marks they have."""

    first: Counts
    last: Counts
    marks: Counts
    by_failures: bool

    @property
    def lengths_s(self) -> Array:
        """Their lengths, with what lies before the first mark and after the last one."""
        span = (self.last - self.first) * WINDOW_S
        more = np.where(self.marks > 1, (self.marks + 1.0) / np.maximum(1, self.marks - 1), 1.0)
        found: Array = np.maximum(WINDOW_S, span * more if self.by_failures else span + WINDOW_S)
        return found


@dataclass(frozen=True)
class Law:
    """Mean lengths in s of episodes and of the calm between them, with their intervals."""

    episode_s: float
    episode: Interval
    calm_s: float
    calm: Interval


@dataclass(frozen=True)
class Failures:
    """Requests of a class, and how many of them failed, with the interval of the share."""

    tries: int
    failed: int
    limits: Interval


def episodes_of(evidence: Evidence) -> Episodes:
    """The episodes that a recording shows."""
    requests = (evidence.page, evidence.noretry)
    if any(len(kind.windows) for kind in requests):
        return _of_failures(*requests)

    begins = (evidence.reclaims.begins_s / WINDOW_S).astype(np.int64)
    ends = (evidence.reclaims.ends_s / WINDOW_S).astype(np.int64)
    order = np.argsort(begins)
    runs: list[list[int]] = []
    for first, last in zip(begins[order], ends[order], strict=True):
        if runs and first - runs[-1][1] < GAP_S / WINDOW_S:
            runs[-1][1] = max(runs[-1][1], int(last))
            runs[-1][2] += 1
        else:
            runs.append([int(first), int(last), 1])
    return _episodes(runs, by_failures=False)


def _episodes(runs: list[list[int]], by_failures: bool) -> Episodes:
    table = np.array(runs, dtype=np.int64).reshape(-1, 3)
    return Episodes(table[:, 0], table[:, 1], table[:, 2], by_failures)


def _of_failures(page: Requests, noretry: Requests) -> Episodes:
    windows = np.concatenate([page.windows, noretry.windows])
    order = np.argsort(windows, kind="stable")
    windows = windows[order]
    tries = np.concatenate([page.tries, noretry.tries])[order]
    failed = np.minimum(tries, np.concatenate([page.failed, noretry.failed])[order])
    granted = np.concatenate([[0], np.cumsum(tries - failed)])

    runs: list[list[int]] = []
    before = -1  # the place of the last failure
    for place in np.flatnonzero(failed):
        window = int(windows[place])
        if runs:
            gap_s = (window - runs[-1][1]) * WINDOW_S
            between = granted[place] - granted[before + 1]
            is_short = gap_s < GAP_S and between < MOST_GRANTED
            if is_short or (gap_s <= MOST_GAP_S and between < FEW_GRANTED):
                runs[-1][1] = window
                runs[-1][2] += int(failed[place])
                before = int(place)
                continue
        runs.append([window, window, int(failed[place])])
        before = int(place)

    total = np.concatenate([[0], np.cumsum(tries)])
    kept = []
    for first, last, marks in runs:
        inside = int(
            total[np.searchsorted(windows, last, "right")] - total[np.searchsorted(windows, first)]
        )
        if marks >= FEWEST_FAILURES and marks >= LEAST_SHARE * inside:
            kept.append([first, last, marks])
    return _episodes(kept, by_failures=True)


def law_of(episodes: Episodes, seconds: float) -> Law | None:
    """Mean lengths of exponential episodes and calms; None where there was no episode.

    Of episodes that are found by three failures, those that end before the third are missing: where
    failures come at rate r, the mean length of the others is m + 3 / (r + 1 / m).
    """
    lengths = episodes.lengths_s
    count = len(lengths)
    if count == 0:
        return None

    mean = float(lengths.mean())
    limits = intervals.of_mean_length(lengths)
    all_of_them = float(count)
    if episodes.by_failures:
        rate = float(episodes.marks.sum()) / float(lengths.sum())
        found = mean
        for _ in range(100):
            found = max(mean / 100, mean - FEWEST_FAILURES / (rate + 1.0 / found))
        limits = Interval(limits.low * found / mean, limits.high * found / mean)
        all_of_them /= (rate / (rate + 1.0 / found)) ** FEWEST_FAILURES
        mean = found

    calm_s = max(WINDOW_S, seconds - float(lengths.sum())) / all_of_them
    few, many = intervals.of_count(count)
    return Law(mean, limits, calm_s, Interval(calm_s * count / many, calm_s * count / few))


def inside(requests: Requests, episodes: Episodes, lost: float = 0.0) -> Failures | None:
    """Requests within episodes; None where none was made. `lost`: as of intervals.with_lost().

    The first and the last window of an episode are there because a request failed in them, and part
    of them lies outside: they are left out.
    """
    where = _place(requests, episodes)
    chosen = where >= 0
    if not int(requests.tries[chosen].sum()):
        return None
    return _failures(requests, chosen, where, len(episodes.first), lost)


def outside(requests: Requests, episodes: Episodes, lost: float = 0.0) -> Failures | None:
    """Requests between episodes; None where none was made. `lost`: as of intervals.with_lost()."""
    blocks = intervals.BLOCKS
    chosen = _place(requests, episodes) == -1
    if not int(requests.tries[chosen].sum()):
        return None
    windows = requests.windows
    width = max(1, math.ceil((int(windows.max()) + 1 - int(windows.min())) / blocks))
    return _failures(requests, chosen, (windows - windows.min()) // width, blocks, lost)


def _place(requests: Requests, episodes: Episodes) -> Counts:
    """The episode in which each window lies, -1 outside, -2 near an edge."""
    place = np.full(len(requests.windows), -1, dtype=np.int64)
    for number, (first, last, marks) in enumerate(
        zip(episodes.first, episodes.last, episodes.marks, strict=True)
    ):
        edge = 1 + 2 * (last - first) // max(1, marks - 1)
        begin, end = np.searchsorted(requests.windows, [first - edge, last + edge + 1])
        place[begin:end] = -2
        begin, end = np.searchsorted(requests.windows, [first + 1, last])
        place[begin:end] = number
    return place


def _failures(
    requests: Requests, chosen: NDArray[np.bool_], block: Counts, blocks: int, lost: float
) -> Failures:
    tries = np.zeros(blocks)
    failed = np.zeros(blocks)
    np.add.at(tries, block[chosen], requests.tries[chosen])
    np.add.at(failed, block[chosen], np.minimum(requests.tries, requests.failed)[chosen])
    count, size = int(failed.sum()), int(tries.sum())
    limits = intervals.of_share(count, size)
    if 0 < count < size:
        for some, part in ((failed, True), (tries - failed, False)):
            found = intervals.of_ratio(some, tries)
            if found is not None and (part == (2 * count <= size)):
                ends = found if part else Interval(1.0 - found.high, 1.0 - found.low)
                limits = intervals.wider(limits, ends)
    limits = intervals.with_lost(limits, lost)
    return Failures(size, count, Interval(max(0.0, limits.low), min(1.0, limits.high)))
