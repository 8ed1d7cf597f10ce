# SPDX-License-Identifier: GPL-2.0-only
"""Which assumption moves the answer most: Sobol' indices of log10 P(wait) over stated ranges."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import is_real
from krcsim.base.old_names import takes_rungs
from krcsim.model.constants import fqs_jiffies
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import given
from krcsim.results.quantities import window_ms
from krcsim.runs.ladder import SEED, Stop, check_study
from krcsim.studies.ask import Finding, ask

CLASSES = ("head", "head_atomic", "head_high", "head_reclaim")
SHARE, AROUND = 0.5, 2.0  # default ranges: from half to twice the scenario's own
MOST_POINTS = 100_000
RESAMPLES = 500
AGAIN = 16  # points that are asked in other worlds
Put = Callable[[Scenario, float], Scenario]
Range = tuple[float, float]
Shared = tuple[float, float, float]  # a share of the variance, and the ends of its interval
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Input:
    """An uncertain number: its words and unit, how it goes into a scenario, and what the scenario
    has.
    """

    words: str
    unit: str
    put: Put
    own: Callable[[Scenario], float]
    scale: str = "log"  # how values are spread over a range: log, linear, or whole numbers


def field(path: str, words: str, unit: str, scale: str = "log") -> Input:
    """An input that is one field."""
    return Input(words, unit, lambda s, v: changed(s, **{path: v}), attrgetter(path), scale)


def with_heads(s: Scenario, factor: float) -> Scenario:
    """All failures of an rcu_head in episodes times a factor, at most 1."""
    episode = s.allocator.episode
    now = {name: getattr(episode, name) for name in CLASSES}
    more = {name: min(1.0, p * factor) for name, p in now.items() if p is not None}
    return replace(s, allocator=replace(s.allocator, episode=replace(episode, **more)))


def with_page(s: Scenario, p: float) -> Scenario:
    """P(a page request fails) in episodes; with __GFP_NORETRY in proportion."""
    episode = s.allocator.episode
    noretry = (
        None if episode.page_noretry is None else min(p, episode.page_noretry * p / episode.page)
    )
    calm = replace(s.allocator.calm, page=min(s.allocator.calm.page, p))
    return replace(
        s,
        allocator=replace(
            s.allocator, calm=calm, episode=replace(episode, page=p, page_noretry=noretry)
        ),
    )


def with_peaks(s: Scenario, ratio: float) -> Scenario:
    """Calls in bursts of that many, or in on phases with that many times the mean rate."""
    w = s.workload
    if w.arrivals == "bursts":
        return changed(s, **{"workload.burst": max(1, round(ratio))})
    return replace(
        s, workload=replace(w, arrivals="onoff", off_ms=max(1e-3, w.on_ms * (ratio - 1.0)))
    )


def peaks(s: Scenario) -> float:
    """Calls in a burst, or the peak rate over the mean."""
    w = s.workload
    return (
        float(w.burst)
        if w.arrivals == "bursts"
        else 1.0 + w.off_ms / w.on_ms
        if w.arrivals == "onoff"
        else 1.0
    )


def with_pool(s: Scenario, objects: float) -> Scenario:
    """A pool of that size, full at boot if the scenario's own is."""
    n, r = round(objects), s.remedy
    full = r.emergency_at_boot == r.nr_emergency_objs > 0
    return replace(s, remedy=replace(r, nr_emergency_objs=n, emergency_at_boot=n if full else 0))


def with_pages(s: Scenario, pages: float) -> Scenario:
    """So many preallocated pages in one list, beside the pool that is there."""
    n = round(pages)
    return replace(s, remedy=replace(s.remedy, cache_shared=True, nr_bkv_objs=n, cache_at_boot=n))


def mean_ms(s: Scenario) -> float:
    """The mean grace period."""
    lengths, shares = s.grace_period.table(s.machine.hz, s.machine.cpus)
    return float(np.diff(shares, prepend=0.0) @ lengths) * 1000.0 / s.machine.hz


INPUTS: dict[str, Input] = {
    "rate_hz": field("workload.rate_hz", "calls", "1/s per CPU"),
    "episode_ms": field("allocator.episode_ms", "length of an episode", "ms"),
    "calm_ms": field("allocator.calm_ms", "calm between episodes", "ms"),
    "page": Input(
        "P(page fails) in an episode", "", with_page, lambda s: s.allocator.episode.page, "linear"
    ),
    "head": Input("P(rcu_head fails) in an episode, times", "", with_heads, lambda _: 1.0),
    "grace_ms": Input(
        "mean grace period", "ms", lambda s, v: changed(s, **{"grace_period.mean_ms": v}), mean_ms
    ),
    "cpus": field("machine.cpus", "CPUs", "", "whole"),
    "burstiness": Input("peak over mean of calls (or calls a burst)", "", with_peaks, peaks),
    "pool": Input(
        "pool", "objects per CPU", with_pool, lambda s: float(s.remedy.nr_emergency_objs), "whole"
    ),
    "pages": Input("pages", "per CPU", with_pages, lambda s: float(s.remedy.nr_bkv_objs), "whole"),
    "hog_pages_s": field("memory.hog_pages_s", "how fast the hog takes pages", "pages/s"),
    "free_mib": field("memory.free_mib", "free memory at boot", "MiB"),
    "instruction_ns": field("machine.instruction_ns", "time of an instruction", "ns"),
}
DRAWN = (
    "rate_hz",
    "episode_ms",
    "calm_ms",
    "page",
    "head",
    "grace_ms",
    "cpus",
    "burstiness",
    "pool",
)
HOGGED = (
    "rate_hz",
    "hog_pages_s",
    "free_mib",
    "instruction_ns",
    "grace_ms",
    "burstiness",
    "pool",
    "pages",
)


def default_ranges(s: Scenario) -> dict[str, Range]:
    """From half to twice what the scenario has; P(page) in its odds; a pool from 0 to twice its
    own, at least 8.
    """
    names = HOGGED if s.memory.pressure == "pages" else DRAWN
    ranges: dict[str, Range] = {}
    for name in names:
        own = INPUTS[name].own(s) or 0.0
        low, high = own * SHARE, own * AROUND
        if name == "page":
            low, high = (own * f / (1.0 - own + own * f) for f in (SHARE, AROUND))
        elif name in ("pool", "pages"):
            low, high = 0.0 if name == "pool" else 1.0, max(8.0, 2.0 * own)
        elif name == "burstiness" and s.workload.arrivals != "bursts":
            low, high = 1.1, max(4.0, 2.0 * own)
        elif name == "grace_ms" and s.grace_period.kind == "ticks":  # never shorter than one scan
            low = max(
                low,
                1001.0
                * fqs_jiffies(s.machine.hz, min(1024, round(AROUND * s.machine.cpus)))
                / s.machine.hz,
            )
        elif name == "free_mib":
            high = min(high, s.memory.mib - s.memory.file_mib)
        elif name == "cpus":
            low, high = max(1.0, low), min(1024.0, high)
        ranges[name] = (low, high)
    ns = ranges.get("instruction_ns", (0.0, s.machine.instruction_ns))[1]
    most = 0.99e9 / max(1e-9, s.workload.call_instructions * ns)  # calls for which a CPU has time
    ranges["rate_hz"] = (ranges["rate_hz"][0], min(ranges["rate_hz"][1], most))
    if s.memory.pressure != "pages" and s.allocator.episodes != "exponential":
        ranges = {k: v for k, v in ranges.items() if k not in ("episode_ms", "calm_ms")}
    if s.workload.arrivals == "periodic":
        ranges.pop("burstiness", None)
    return ranges


@dataclass(frozen=True)
class Index:
    """What one input moves: its range, and the share of the variance by itself and with all others
    (95 %).
    """

    name: str
    range: Range
    first: Shared
    total: Shared


@dataclass(frozen=True)
class Sensitivity:
    """Inputs, the one that moves log10 of the quantity most first; holds for these ranges only.

    floor: what was smaller, or never seen, counts as this; at_floor: the share of points there.
    chance: the share of the variance that the same points have in other worlds; a total below that
    may be chance, which more replications lessen.
    """

    quantity: str
    window: str
    indices: tuple[Index, ...]
    floor: float
    at_floor: float
    chance: float
    spread: float  # standard deviation of log10 of the quantity over the ranges
    n: int
    points: int
    max_runs: int
    scenario: Scenario
    seed: int
    command: str = ""

    def __repr__(self) -> str:
        """In a line what it is."""
        return (
            f"<Sensitivity: {', '.join(row.name for row in self.indices)}, most first; "
            f"{self.points} points>"
        )

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        from krcsim.studies.size_chart import drawn

        return drawn(self)._repr_png_()


def value_in(name: str, ends: Range, share: float) -> float:
    """The value of an input at a share (0 to 1) of its range."""
    low, high = ends
    scale = INPUTS[name].scale
    if scale == "log":
        return low * math.pow(high / low, share)
    if scale == "whole":
        return min(high, math.floor(low + share * (high - low + 1.0)))
    return low + share * (high - low)


@takes_rungs
def sensitivity(
    scenario: Scenario | str,
    ranges: Mapping[str, Range] | None = None,
    *,
    n: int = 64,
    max_runs: int = 16,
    quantity: str = "p_wait",
    window: str | None = None,
    floor: float | None = None,
    seed: int = SEED,
    stop: Stop | None = None,
    told: Told | None = None,
    command: str = "",
) -> Sensitivity:
    """Rank the uncertain inputs: (inputs + 2) * n points with the same random draws, each with up
    to `max_runs` replications.

    n: a power of two. floor: left out, one wait in all calls of a point. Raises KrcsimError.
    """
    from scipy.stats import qmc

    check_study(seed, 0.5, max_runs)
    scenario = given(scenario)
    ends = dict(default_ranges(scenario) if ranges is None else ranges)
    check_ranges(scenario, ends, n)
    span = window_ms(scenario, 1) or scenario.horizon_ms
    calls = (
        scenario.workload.rate_hz
        / 1000.0
        * span
        * scenario.machine.cpus
        * scenario.workload.single_share
    )
    least = min(0.1, 1.0 / max(1.0, calls * max_runs)) if floor is None else floor
    refuse(
        not (is_real(least) and 0 < least < 1),
        "floor",
        least,
        "a number above 0 and below 1",
        "leave it out",
    )
    d = len(ends)
    a, b = np.split(qmc.Sobol(2 * d, rng=np.random.default_rng(seed)).random(n), 2, axis=1)
    mixed = np.repeat(a[None], d, axis=0)  # a, but for one column, which is that of b
    for k in range(d):
        mixed[k, :, k] = b[:, k]
    points = [*a, *b, *mixed.reshape(-1, d)]
    again = points[: min(n, AGAIN)]  # in other worlds
    found: list[Finding] = []
    for point, world in [*((p, seed) for p in points), *((p, seed ^ 1) for p in again)]:
        s = at_point(scenario, ends, point)
        found.append(
            ask(s, quantity, window=window, seed=world, max_runs=max_runs, precision=0.2, stop=stop)
        )
        if told:
            told(len(found), len(points) + len(again))
    heights, others = np.split(
        np.log10([max(least, f.estimate.value or 0.0) for f in found]), [len(points)]
    )
    if np.ptp(heights) == 0.0:
        raise KrcsimError(
            f"nothing moves {quantity}: it is {10 ** heights[0]:.3g} or less at all {len(points)} "
            "points; widen the ranges, raise max_runs, or take a smaller reserve"
        )
    rows = [
        Index(name, ends[name], first, total)
        for name, first, total in zip(ends, *indices(heights, d, n, seed), strict=True)
    ]
    rows.sort(key=lambda row: -row.total[0])
    chance = float(np.mean((heights[: len(others)] - others) ** 2) / 2 / heights.var())
    return Sensitivity(
        quantity,
        found[0].window,
        tuple(rows),
        least,
        float(np.mean(heights <= math.log10(least))),
        chance,
        float(heights.std()),
        n,
        len(points),
        max_runs,
        scenario,
        seed,
        command,
    )


def at_point(scenario: Scenario, ends: Mapping[str, Range], point: Any) -> Scenario:
    """The scenario at a point of the unit cube; raises KrcsimError where there can be none."""
    try:
        for (name, span), share in zip(ends.items(), point, strict=True):
            scenario = INPUTS[name].put(scenario, value_in(name, span, float(share)))
    except KrcsimError as exc:
        raise KrcsimError(f"a point within the ranges cannot be; narrow them: {exc}") from None
    return scenario


def indices(heights: Any, d: int, n: int, seed: int) -> tuple[list[Shared], list[Shared]]:
    """First-order and total indices with 95 % intervals: percentiles over drawings of the n points
    with replacement.
    """
    from scipy.stats import sobol_indices

    f_a, f_b, f_ab = heights[:n], heights[n : 2 * n], heights[2 * n :].reshape(d, 1, n)
    rng = np.random.default_rng(seed)
    drawn = [np.arange(n), *(rng.integers(n, size=n) for _ in range(RESAMPLES))]
    both = [
        sobol_indices(func=dict(f_A=f_a[None, k], f_B=f_b[None, k], f_AB=f_ab[:, :, k]), n=n)
        for k in drawn
    ]
    out = []
    for values in (
        np.array([x.first_order for x in both]),
        np.array([x.total_order for x in both]),
    ):
        lo, hi = np.quantile(values[1:].reshape(-1, d), (0.025, 0.975), axis=0)
        out.append(
            [
                (float(v), float(min(v, x)), float(max(v, y)))
                for v, x, y in zip(values[0].ravel(), lo, hi, strict=True)
            ]
        )
    return out[0], out[1]


def check_ranges(s: Scenario, ends: Mapping[str, Range], n: int) -> None:
    """Raise KrcsimError for ranges or a number of points that cannot be used."""
    whole = isinstance(n, int) and not isinstance(n, bool)
    refuse(
        not whole or n < 2 or n & (n - 1) != 0,
        "n",
        n,
        "a power of two from 2 up",
        "64 gives a first ranking",
    )
    refuse(
        (len(ends) + 2) * n > MOST_POINTS,
        "n",
        n,
        f"up to {MOST_POINTS} points, (inputs + 2) * n",
        "lower it",
    )
    refuse(
        len(ends) < 2,
        "ranges",
        tuple(ends),
        "at least two inputs",
        "leave it out for the usual ones",
    )
    for name, (low, high) in ends.items():
        refuse(
            name not in INPUTS,
            "ranges",
            name,
            "inputs from " + ", ".join(INPUTS),
            "name one of them",
        )
        good = is_real(low) and is_real(high) and math.isfinite(high) and low < high
        good = good and (low > 0 or INPUTS[name].scale != "log" and low >= 0)
        refuse(
            not good,
            f"ranges.{name}",
            (low, high),
            "two numbers, the lower one first, above 0 where they are spread over a logarithm",
            "give for example (100, 1000)",
        )
        for end in (low, high):
            INPUTS[name].put(s, end)  # refuses what a scenario cannot have
