# SPDX-License-Identifier: GPL-2.0-only
"""Uncertain inputs: how each goes into a scenario, and the range that is looked at."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import is_real
from krcsim.model.constants import fqs_jiffies
from krcsim.model.scenario import Scenario, changed

HEAD_FAILURES = ("head", "head_atomic", "head_high", "head_reclaim")
# Default ranges: from half to twice what the scenario has.
HALF, TWICE = 0.5, 2.0
MOST_POINTS = 100_000
Put = Callable[[Scenario, float], Scenario]
Ends = tuple[float, float]


@dataclass(frozen=True)
class Input:
    """An uncertain number: its words and unit, how it goes into a scenario, and what the scenario
    has of it.
    """

    words: str
    unit: str
    put: Put
    get: Callable[[Scenario], float]
    scale: str = "log"  # how values are spread over a range: log, linear, or whole numbers


def one_field(path: str, words: str, unit: str, scale: str = "log") -> Input:
    """An input that is one field."""

    def put(scenario: Scenario, value: float) -> Scenario:
        return changed(scenario, **{path: value})

    return Input(words, unit, put, attrgetter(path), scale)


def with_head_failures(scenario: Scenario, factor: float) -> Scenario:
    """All failures of an rcu_head in episodes times a factor, at most 1."""
    episode = scenario.allocator.episode
    now = {name: getattr(episode, name) for name in HEAD_FAILURES}
    more = {name: min(1.0, p * factor) for name, p in now.items() if p is not None}
    allocator = replace(scenario.allocator, episode=replace(episode, **more))
    return replace(scenario, allocator=allocator)


def with_page_failure(scenario: Scenario, p: float) -> Scenario:
    """P(a page request fails) in episodes; with __GFP_NORETRY in proportion."""
    calm, episode = scenario.allocator.calm, scenario.allocator.episode
    noretry = episode.page_noretry
    if noretry is not None:
        noretry = min(p, noretry * p / episode.page)
    allocator = replace(
        scenario.allocator,
        calm=replace(calm, page=min(calm.page, p)),
        episode=replace(episode, page=p, page_noretry=noretry),
    )
    return replace(scenario, allocator=allocator)


def with_grace_period(scenario: Scenario, mean_ms: float) -> Scenario:
    """Grace periods of that mean length."""
    return changed(scenario, **{"grace_period.mean_ms": mean_ms})


def mean_grace_period_ms(scenario: Scenario) -> float:
    """The mean grace period."""
    lengths, shares = scenario.grace_periods()
    ticks = float(np.diff(shares, prepend=0.0) @ lengths)
    return ticks * 1000.0 / scenario.machine.hz


def with_peaks(scenario: Scenario, ratio: float) -> Scenario:
    """Calls in bursts of that many, or in on phases with that many times the mean rate."""
    workload = scenario.workload
    if workload.arrivals == "bursts":
        return changed(scenario, **{"workload.burst": max(1, round(ratio))})
    off_ms = max(1e-3, workload.on_ms * (ratio - 1.0))
    return replace(scenario, workload=replace(workload, arrivals="onoff", off_ms=off_ms))


def peaks(scenario: Scenario) -> float:
    """Calls in a burst, or the peak rate over the mean."""
    workload = scenario.workload
    if workload.arrivals == "bursts":
        return float(workload.burst)
    if workload.arrivals == "onoff":
        return 1.0 + workload.off_ms / workload.on_ms
    return 1.0


def with_phases(scenario: Scenario, on_ms: float) -> Scenario:
    """On phases of that mean length, and off phases in proportion."""
    workload = scenario.workload
    off_ms = workload.off_ms * on_ms / workload.on_ms
    return replace(scenario, workload=replace(workload, on_ms=on_ms, off_ms=off_ms))


def with_recorded_lengths(scenario: Scenario, mean_ms: float) -> Scenario:
    """The lengths of grace periods that the scenario holds, scaled to that mean."""
    factor = mean_ms / recorded_mean_ms(scenario)
    lengths = tuple(one * factor for one in scenario.grace_period.lengths_ms)
    return changed(scenario, **{"grace_period.lengths_ms": lengths})


def recorded_mean_ms(scenario: Scenario) -> float:
    """The mean of the lengths of grace periods that the scenario holds, 0 without any."""
    lengths = scenario.grace_period.lengths_ms
    return float(np.mean(lengths)) if lengths else 0.0


def with_calm_failure(scenario: Scenario, p: float) -> Scenario:
    """P(a page request fails) outside of episodes; those that try harder fail no more often."""
    calm = scenario.allocator.calm
    noretry = None if calm.page_noretry is None else min(p, calm.page_noretry)
    calm = replace(calm, page=p, page_noretry=noretry)
    return replace(scenario, allocator=replace(scenario.allocator, calm=calm))


def with_noretry_failure(scenario: Scenario, p: float) -> Scenario:
    """P(a page request with __GFP_NORETRY fails) in episodes, at most that of one without
    reclaim.
    """
    episode = scenario.allocator.episode
    episode = replace(episode, page_noretry=min(p, episode.page))
    return replace(scenario, allocator=replace(scenario.allocator, episode=episode))


def with_pool(scenario: Scenario, objects: float) -> Scenario:
    """A pool of that size, full at boot if the scenario's own is."""
    remedy = scenario.remedy
    count = round(objects)
    full = remedy.emergency_at_boot == remedy.nr_emergency_objs > 0
    resized = replace(remedy, nr_emergency_objs=count, emergency_at_boot=count if full else 0)
    return replace(scenario, remedy=resized)


def with_pages(scenario: Scenario, pages: float) -> Scenario:
    """So many preallocated pages in one list, next to the pool that is there."""
    count = round(pages)
    remedy = replace(scenario.remedy, cache_shared=True, nr_bkv_objs=count, cache_at_boot=count)
    return replace(scenario, remedy=remedy)


INPUTS: dict[str, Input] = {
    "rate_hz": one_field("workload.rate_hz", "calls", "1/s per CPU"),
    "episode_ms": one_field("allocator.episode_ms", "length of an episode", "ms"),
    "calm_ms": one_field("allocator.calm_ms", "calm between episodes", "ms"),
    "page": Input(
        "P(page fails) in an episode",
        "",
        with_page_failure,
        attrgetter("allocator.episode.page"),
        "linear",
    ),
    "head": Input("P(rcu_head fails) in an episode, times", "", with_head_failures, lambda _: 1.0),
    "grace_ms": Input("mean grace period", "ms", with_grace_period, mean_grace_period_ms),
    "cpus": one_field("machine.cpus", "CPUs", "", "whole"),
    "burstiness": Input("peak over mean of calls (or calls a burst)", "", with_peaks, peaks),
    "pool": Input(
        "pool", "objects per CPU", with_pool, attrgetter("remedy.nr_emergency_objs"), "whole"
    ),
    "pages": Input("pages", "per CPU", with_pages, attrgetter("remedy.nr_bkv_objs"), "whole"),
    "hog_pages_s": one_field("memory.hog_pages_s", "how fast the hog takes pages", "pages/s"),
    "free_mib": one_field("memory.free_mib", "free memory at boot", "MiB"),
    "instruction_ns": one_field("machine.instruction_ns", "time of an instruction", "ns"),
    # What a recording says besides.
    "single_share": one_field("workload.single_share", "calls with one argument", "", "linear"),
    "phase_ms": Input("length of on phases", "ms", with_phases, attrgetter("workload.on_ms")),
    "gp_mean_ms": Input(
        "mean recorded grace period", "ms", with_recorded_lengths, recorded_mean_ms
    ),
    "noretry": Input(
        "P(page with __GFP_NORETRY fails) in an episode",
        "",
        with_noretry_failure,
        attrgetter("allocator.episode.page_noretry"),
        "linear",
    ),
    "calm_page": Input(
        "P(page fails) outside of episodes",
        "",
        with_calm_failure,
        attrgetter("allocator.calm.page"),
    ),
    "stall_ms": one_field("allocator.stall_ms", "a reclaim stall", "ms"),
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
OF_CALLS = ("rate_hz", "burstiness", "cpus")  # of which a recording has its own
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


def default_ranges(scenario: Scenario) -> dict[str, Ends]:
    """From half to twice what the scenario has; P(page) in its odds; a pool from 0 to twice its
    own, at least 8.
    """
    names = HOGGED if scenario.memory.pressure == "pages" else DRAWN
    ranges = {name: _default_range(scenario, name) for name in names}

    workload = scenario.workload
    _, slowest_ns = ranges.get("instruction_ns", (0.0, scenario.machine.instruction_ns))
    # Calls for which a CPU has time.
    most = 0.99e9 / max(1e-9, workload.call_instructions * slowest_ns) / workload.highest_factor()
    low, high = ranges["rate_hz"]
    ranges["rate_hz"] = (low, min(high, most))

    if scenario.memory.pressure != "pages" and scenario.allocator.episodes != "exponential":
        for name in ("episode_ms", "calm_ms"):
            ranges.pop(name)
    if workload.arrivals == "periodic":
        ranges.pop("burstiness", None)
    if workload.calls is not None:
        for name in OF_CALLS:
            ranges.pop(name, None)
    if workload.cpu_shares:  # of so many CPUs
        ranges.pop("cpus", None)
    return ranges


def _default_range(scenario: Scenario, name: str) -> Ends:
    """The range of one input."""
    value = INPUTS[name].get(scenario) or 0.0
    low, high = value * HALF, value * TWICE
    if name == "page":
        low, high = (value * odds / (1.0 - value + value * odds) for odds in (HALF, TWICE))
    elif name in ("pool", "pages"):
        low = 0.0 if name == "pool" else 1.0
        high = max(8.0, 2.0 * value)
    elif name == "burstiness" and scenario.workload.arrivals != "bursts":
        low = 1.1
        high = max(4.0, 2.0 * value)
    elif name == "grace_ms" and scenario.grace_period.kind == "ticks":
        machine = scenario.machine
        cpus = min(1024, round(TWICE * machine.cpus))
        scan_ms = 1001.0 * fqs_jiffies(machine.hz, cpus) / machine.hz
        low = max(low, scan_ms)  # never shorter than one scan
    elif name == "free_mib":
        high = min(high, scenario.memory.mib - scenario.memory.file_mib)
    elif name == "cpus":
        low = max(1.0, low)
        high = min(1024.0, high)
    return low, high


def value_in(name: str, ends: Ends, share: float) -> float:
    """The value of an input at a share (0 to 1) of its range."""
    low, high = ends
    scale = INPUTS[name].scale
    if scale == "log":
        return low * math.pow(high / low, share)
    if scale == "whole":
        return min(high, math.floor(low + share * (high - low + 1.0)))
    return low + share * (high - low)


def at_point(scenario: Scenario, ends: Mapping[str, Ends], point: Any) -> Scenario:
    """The scenario at a point of the unit cube; raises KrcsimError where there can be none."""
    try:
        for (name, span), share in zip(ends.items(), point, strict=True):
            scenario = INPUTS[name].put(scenario, value_in(name, span, float(share)))
    except KrcsimError as exc:
        raise KrcsimError(f"a point within the ranges cannot be; narrow them: {exc}") from None
    return scenario


def check_ranges(scenario: Scenario, ends: Mapping[str, Ends], n: int) -> None:
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
        refuse(
            name in OF_CALLS and scenario.workload.calls is not None,
            "ranges",
            name,
            "other inputs where calls are those of a recording",
            'leave it out, or set workload.arrivals = "poisson"',
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
            INPUTS[name].put(scenario, end)  # refuses what a scenario cannot have
