# SPDX-License-Identifier: GPL-2.0-only
"""Episodes of pressure, and how often requests fail inside and outside of them.

The model's pressure comes and goes at exponential times, and a request of a class fails with one
probability in calm and another in an episode: that law is fitted to the requests for one page.
Where a recording has none, direct reclaim marks the episodes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.trace import intervals, two_states
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence, Requests
from krcsim.trace.intervals import Array, Interval
from krcsim.trace.two_states import Chain

GAP_S = 0.1  # between direct reclaims that are of one episode
# Fewer failures, or a smaller part of the requests, are chance and no episode.
FEWEST_FAILURES = 3
LEAST_SHARE = 0.05
CLASSES = ("page", "noretry")


@dataclass(frozen=True)
class Inside:
    """What the fitted law says of windows with requests.

    shares: how likely each lies in an episode; at_edge: whether it may have requests of both
    states, since an episode begins or ends near it; few: whether it lies in an episode of so few
    failures that they may as well be of calm; tries_hz: requests of each class a second.
    """

    windows: Counts
    shares: Array
    at_edge: NDArray[np.bool_]
    few: NDArray[np.bool_]
    chain: Chain
    tries_hz: Array


@dataclass(frozen=True)
class Episodes:
    """Episodes in order: windows of their first and last mark, and how many marks they have.

    `inside`: where they were found by requests that failed.
    """

    first: Counts
    last: Counts
    marks: Counts
    inside: Inside | None = None

    @property
    def by_failures(self) -> bool:
        """Whether the marks are failed requests; else they are direct reclaims."""
        return self.inside is not None

    @property
    def lengths_s(self) -> Array:
        """Their lengths, from the first mark to the last one."""
        found: Array = (self.last - self.first + 1).astype(np.float64) * WINDOW_S
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
    requests = dict(zip(CLASSES, (evidence.page, evidence.noretry), strict=True))
    if any(len(kind.windows) for kind in requests.values()):
        return _of_failures(requests)

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
    return _episodes(runs, None)


def _episodes(runs: list[list[int]], inside: Inside | None) -> Episodes:
    table = np.array(runs, dtype=np.int64).reshape(-1, 3)
    return Episodes(table[:, 0], table[:, 1], table[:, 2], inside)


def _of_failures(requests: dict[str, Requests]) -> Episodes:
    """The episodes of the law that makes the requests likeliest; none where one probability for all
    of them does as well.
    """
    seen = _in_one_row(requests)
    if seen.failed.sum() < FEWEST_FAILURES:
        return _episodes([], None)
    chain = two_states.fitted(seen)
    tries, failed = seen.tries.sum(axis=0), seen.failed.sum(axis=0)
    shares = chain.in_episode
    enough = float(shares @ failed) >= max(FEWEST_FAILURES, LEAST_SHARE * float(shares @ tries))
    if not chain.is_more_than_chance or not enough:
        return _episodes([], None)

    windows = np.round(seen.at_s / WINDOW_S - 0.5).astype(np.int64)
    runs = _runs(windows, shares > 0.5, failed)
    at_edge = _near_an_end(windows, runs)
    few = np.zeros(len(windows), dtype=bool)
    for first, last, marks in runs:
        if marks < FEWEST_FAILURES:
            few |= (first <= windows) & (windows <= last)
    seconds = max(WINDOW_S, float(seen.at_s[-1] - seen.at_s[0]))
    tries_hz = seen.tries.sum(axis=1) / seconds
    return _episodes(runs, Inside(windows, shares, at_edge, few, chain, tries_hz))


def _in_one_row(requests: dict[str, Requests]) -> two_states.Observations:
    """Requests of all classes by the windows in which any was made."""
    windows = np.unique(np.concatenate([kind.windows for kind in requests.values()]))
    tries, failed = np.zeros((2, len(requests), len(windows)))
    for place, kind in enumerate(requests.values()):
        at = np.searchsorted(windows, kind.windows)
        np.add.at(tries[place], at, kind.tries.astype(float))
        np.add.at(failed[place], at, np.minimum(kind.tries, kind.failed).astype(float))
    return two_states.Observations((windows + 0.5) * WINDOW_S, tries, failed)


def _runs(windows: Counts, is_inside: NDArray[np.bool_], failed: Array) -> list[list[int]]:
    """First and last window of each run of windows in an episode, and the failures in it."""
    found: list[list[int]] = []
    was_inside = False
    for window, now, count in zip(windows, is_inside, failed, strict=True):
        if now and was_inside:
            found[-1][1] = int(window)
            found[-1][2] += int(count)
        elif now:
            found.append([int(window), int(window), int(count)])
        was_inside = bool(now)
    return found


def _near_an_end(windows: Counts, runs: list[list[int]]) -> NDArray[np.bool_]:
    """Windows so near to the begin or the end of an episode, by how often requests fail in it, that
    their requests may be of either state.
    """
    found = np.zeros(len(windows), dtype=bool)
    for first, last, marks in runs:
        near = 1 + 2 * (last - first) // max(1, marks - 1)
        for end in (first, last):
            low, high = np.searchsorted(windows, [end - near, end + near + 1])
            found[low:high] = True
    return found


def law_of(episodes: Episodes, seconds: float) -> Law | None:
    """Mean lengths of exponential episodes and calms; None where there was no episode."""
    lengths = episodes.lengths_s
    count = len(lengths)
    if count == 0:
        return None

    few, many = intervals.of_count(count)
    if episodes.inside is None:
        mean = float(lengths.mean())
        calm_s = max(WINDOW_S, seconds - float(lengths.sum())) / count
        calm = Interval(calm_s * count / many, calm_s * count / few)
        return Law(mean, intervals.of_mean_length(lengths), calm_s, calm)

    chain = episodes.inside.chain
    found = []
    for rate, error in ((chain.calms_hz, chain.errors[1]), (chain.episodes_hz, chain.errors[0])):
        mean = 1.0 / rate
        by_count = Interval(mean * count / many, mean * count / few)
        normal = intervals.around(mean, min(float(error), 10.0), math.inf)
        found.append((mean, intervals.wider(by_count, normal)))
    (episode_s, episode), (calm_s, calm) = found
    return Law(episode_s, episode, calm_s, calm)


def inside(requests: Requests, episodes: Episodes, kind: str, lost: float = 0.0) -> Failures | None:
    """Requests within episodes, but for those at their edges; None where none was made.

    kind: the class of the requests, page or noretry; lost: as of intervals.with_lost().
    """
    if episodes.inside is None:
        return None
    at = np.searchsorted(episodes.inside.windows, requests.windows)
    shares = np.where(episodes.inside.at_edge, 0.0, episodes.inside.shares)[at]
    block = np.maximum(0, np.searchsorted(episodes.first, requests.windows, "right") - 1)
    found = _failures(requests, shares, block, len(episodes.first), lost)
    return found and _as_uncertain(found, episodes.inside.chain, two_states.EPISODE, kind)


def outside(
    requests: Requests, episodes: Episodes, kind: str, lost: float = 0.0
) -> Failures | None:
    """Requests between episodes, but for those at an edge; None where none was made.

    kind and lost: as of inside().
    """
    windows = requests.windows
    if not len(windows):
        return None
    shares = np.ones(len(windows))
    if episodes.inside is not None:
        at = np.searchsorted(episodes.inside.windows, windows)
        shares = np.where(episodes.inside.at_edge, 0.0, 1.0 - episodes.inside.shares)[at]
    width = max(1, math.ceil((int(windows.max()) + 1 - int(windows.min())) / intervals.BLOCKS))
    at = (windows - windows.min()) // width
    found = _failures(requests, shares, at, intervals.BLOCKS, lost)
    if found is None or episodes.inside is None:
        return found
    found = _as_uncertain(found, episodes.inside.chain, two_states.CALM, kind)
    return _unless_of_short_episodes(found, requests, episodes, kind)


def _unless_of_short_episodes(
    found: Failures, requests: Requests, episodes: Episodes, kind: str
) -> Failures:
    """The interval in calm where one or two failures may be a short episode, or a short episode one
    or two failures in calm.
    """
    assert episodes.inside is not None
    chain = episodes.inside.chain
    rates = chain.p_fails[two_states.EPISODE] * episodes.inside.tries_hz
    goes_on = float(rates.sum() / (rates.sum() + chain.calms_hz))  # to another failure
    alone = (1.0 - goes_on) * (goes_on + 2.0 * goes_on**2)  # in those of one or two failures
    of_kind = float(rates[CLASSES.index(kind)] / max(1e-300, rates.sum()))
    hidden = intervals.most_of(len(episodes.first) * alone * of_kind)

    at = np.searchsorted(episodes.inside.windows, requests.windows)
    lone = int(np.minimum(requests.tries, requests.failed)[episodes.inside.few[at]].sum())
    low, high = found.limits
    sure = max(0, found.failed - hidden)
    low = min(low, intervals.of_share(sure, found.tries).low if sure else 0.0)
    if lone:
        more = min(found.tries, found.failed + lone)
        high = max(high, intervals.of_share(more, found.tries).high)
    return Failures(found.tries, found.failed, Interval(low, high))


def _as_uncertain(found: Failures, chain: Chain, state: int, kind: str) -> Failures:
    """With an interval that knows, too, that requests may have been in the other state."""
    place = state * len(CLASSES) + CLASSES.index(kind)
    error = float(chain.errors[2 + place])
    share = found.failed / found.tries
    if not (math.isfinite(error) and 0.0 < share < 1.0):
        return found
    odds = intervals.around(share / (1.0 - share), error, math.inf)
    ends = Interval(*(end / (1.0 + end) for end in odds))
    return Failures(found.tries, found.failed, intervals.wider(found.limits, ends))


def _failures(
    requests: Requests, shares: Array, block: Counts, blocks: int, lost: float
) -> Failures | None:
    """What is expected of requests of which each counts with its share."""
    tries, failed = np.zeros((2, blocks))
    np.add.at(tries, block, shares * requests.tries)
    np.add.at(failed, block, shares * np.minimum(requests.tries, requests.failed))
    size, count = round(float(tries.sum())), round(float(failed.sum()))
    if not size:
        return None
    limits = intervals.of_share(count, size)
    if 0 < count < size:
        for some, part in ((failed, True), (tries - failed, False)):
            found = intervals.of_ratio(some, tries)
            if found is not None and (part == (2 * count <= size)):
                ends = found if part else Interval(1.0 - found.high, 1.0 - found.low)
                limits = intervals.wider(limits, ends)
    limits = intervals.with_lost(limits, lost)
    return Failures(size, count, Interval(max(0.0, limits.low), min(1.0, limits.high)))
