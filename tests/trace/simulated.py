# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of a machine that is known: its calls, requests, episodes and stalls are drawn here.

This shares no code with the fit; times are drawn one by one, and only the tally counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.trace.evidence import Evidence
from krcsim.trace.tally import (
    Tally,
    add_calls,
    add_length,
    add_reclaim,
    add_requests,
    cover,
    evidence,
    window_of,
)

NOWAIT, NORETRY = b"GFP_NOWAIT", b"GFP_KERNEL|__GFP_NORETRY|__GFP_NOMEMALLOC|__GFP_NOWARN"
BEGIN_S = 1234.5


@dataclass(frozen=True)
class Truth:
    """What a machine is like."""

    seconds: float = 60.0
    cpus: int = 2
    arrivals: str = "poisson"
    rate_hz: float = 500.0
    steps: tuple[tuple[float, float], ...] = ((0.0, 1.0),)  # from then on so many times the rate
    burst: int = 1
    on_ms: float = 50.0
    off_ms: float = 150.0
    single_share: float = 0.3
    vmalloc_share: float = 0.1
    episode_ms: float = 500.0
    calm_ms: float = 3000.0
    requests_hz: float = 400.0  # of each class
    calm_page: float = 0.002
    episode_page: float = 0.8
    episode_noretry: float = 0.5
    stall_ms: float = 3.0
    stall_sigma: float = 1.2
    grace_period_ms: float = 12.0


def phases(
    random: np.random.Generator, seconds: float, on_s: float, off_s: float
) -> list[tuple[float, float]]:
    """Exponential phases that are on, from a start that may lie in one."""
    found = []
    at = 0.0 if random.random() < on_s / (on_s + off_s) else random.exponential(off_s)
    while at < seconds:
        end = at + random.exponential(on_s)
        found.append((at, min(end, seconds)))
        at = end + random.exponential(off_s)
    return found


def poisson(
    random: np.random.Generator, rate: float, begin: float, end: float
) -> NDArray[np.float64]:
    return random.uniform(begin, end, random.poisson(rate * (end - begin)))


def call_times(random: np.random.Generator, truth: Truth) -> NDArray[np.float64]:
    """The calls of one CPU."""
    if truth.arrivals == "onoff":
        rate = truth.rate_hz * (truth.on_ms + truth.off_ms) / truth.on_ms
        spans = phases(random, truth.seconds, truth.on_ms / 1e3, truth.off_ms / 1e3)
        parts = [poisson(random, rate, *span) for span in spans]
        return np.concatenate([np.empty(0), *parts])
    ends = [begin for begin, _ in truth.steps[1:]] + [truth.seconds]
    parts = [
        poisson(random, factor * truth.rate_hz / truth.burst, begin, end)
        for (begin, factor), end in zip(truth.steps, ends, strict=True)
    ]
    return np.repeat(np.concatenate(parts), truth.burst)


def recorded(truth: Truth, seed: int) -> Evidence:
    """What a recorder would show of such a machine."""
    random = np.random.default_rng(seed)
    tally = Tally()
    cover(tally, BEGIN_S)
    tally.spans[0][1] = BEGIN_S + truth.seconds
    tally.seen |= {"calls", "page", "noretry", "reclaims", "grace_periods"}
    for cpu in range(truth.cpus):
        for time in call_times(random, truth):
            single, vmalloc = random.random(2)
            window = window_of(BEGIN_S + time)
            is_single = bool(single < truth.single_share)
            add_calls(tally, window, cpu, 1, is_single, bool(vmalloc < truth.vmalloc_share))

    episodes = phases(random, truth.seconds, truth.episode_ms / 1e3, truth.calm_ms / 1e3)
    for flags, calm, episode in (
        (NOWAIT, truth.calm_page, truth.episode_page),
        (NORETRY, 0.0, truth.episode_noretry),
    ):
        for time in poisson(random, truth.requests_hz, 0.0, truth.seconds):
            p = episode if any(begin <= time < end for begin, end in episodes) else calm
            failed = int(random.random() < p)
            add_requests(tally, window_of(BEGIN_S + time), flags, 1, failed)
    for begin, end in episodes:
        for time in poisson(random, 20.0, begin, end):
            stall_s = truth.stall_ms / 1e3 * np.exp(truth.stall_sigma * random.normal())
            add_reclaim(tally, BEGIN_S + time, BEGIN_S + time + stall_s)
    for _ in range(200):
        add_length(tally.grace_periods, random.gamma(4.0, truth.grace_period_ms / 4e3))
    return evidence(tally)
