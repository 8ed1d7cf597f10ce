# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of a run: each quantity with its unit, its words and its estimate."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from krcsim.engine.records import BIN_LO_MS, BINS
from krcsim.model.allocator import Failure
from krcsim.model.remedy import Remedy
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import (
    NOTHING,
    Array,
    Estimate,
    effective,
    exact,
    mean,
    quantile,
    ratio,
    share,
    unseen,
)
from krcsim.runs.replications import Replications

Get = Callable[[Replications, Scenario, int], Estimate]
# With fewer episodes of pressure in all replications no interval is given: how long pressure lasts,
# and what it brings, would be told from next to none.
FEW_EPISODES = 5
EDGES_MS: Array = BIN_LO_MS * 2.0 ** (np.arange(BINS + 1) / 16.0)


@dataclass(frozen=True)
class Quantity:
    """A column of answers: `get(runs, scenario, window)` estimates it."""

    unit: str
    words: str
    get: Get


def window_ms(s: Scenario, window: int) -> float:
    """Length of a window in ms."""
    return s.warmup_ms if window == 0 else s.horizon_ms - s.warmup_ms


def callers(s: Scenario) -> int:
    """What a share of time is a share of: the producers of a closed loop, else the time itself."""
    return s.machine.cpus * s.workload.producers if s.workload.loop == "closed" else 1


def harmless_calm(s: Scenario) -> bool:
    """Whether no call made in calm can wait: its page, or else its rcu_head, never fails."""
    # With memory as pages the hog of an episode may be felt after it.
    return s.memory.pressure != "pages" and out_of_luck(s.remedy, s.allocator.calm) == 0.0


def out_of_luck(r: Remedy, f: Failure) -> float:
    """P(a call gets neither page nor rcu_head), where no page is cached: what it needs fails, one
    by one.
    """
    page, noretry, _, atomic, high, last = f.resolved()
    head = dict(none=1.0, atomic=atomic, tryhard=min(high, last), three_step=min(atomic, last))[
        r.head_alloc
    ]
    return head * ((noretry if r.page_class == "noretry" else page) if r.array_path else 1.0)


def pressed_share(s: Scenario, window: int) -> float:
    """The expected share of the time of boot (0) or steady state (1) under pressure, by the law of
    the episodes.
    """
    a, (t0, t1) = s.allocator, ((0.0, s.warmup_ms), (s.warmup_ms, s.horizon_ms))[window]
    if a.episodes == "none" or t1 <= t0:
        return 0.0
    if a.episodes == "schedule":
        inside = [
            sum(max(0.0, min(end, t1) - max(start, t0)) for start, end in plan)
            for plan in a.schedules
        ]
        return sum(inside) / len(inside) / (t1 - t0)
    begins, ends = 1.0 / a.calm_ms, 1.0 / a.episode_ms
    settled, pace = begins / (begins + ends), begins + ends
    if a.start == "stationary":
        return settled
    return settled * (1.0 - (math.exp(-pace * t0) - math.exp(-pace * t1)) / pace / (t1 - t0))


def p_wait(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call, or its upper bound when no wait was seen.

    Where no call made in calm can wait and none under pressure was seen to, the bound is that of
    calls under pressure times the share of calls that are made there: of random call times that of
    time, by the law of the episodes.
    """
    waits, single = runs.of("waits", window), runs.of("single", window)
    if float(waits.sum()) > 0.0 or not harmless_calm(s):
        return share(waits, single, effective(single))
    if float(single.sum()) <= 0.0:
        return NOTHING
    part = pressed_share(s, window) if runs.counts.shape[1] == 2 else 1.0
    return unseen(_units_in_episodes(runs, window), part)


def p_wait_episode(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call made in an episode, or its bound."""
    return share(
        runs.of("waits_episode", window),
        runs.of("single_episode", window),
        _units_in_episodes(runs, window),
    )


def p_episode(runs: Replications, s: Scenario, window: int) -> Estimate:
    """Share of episodes in which a call on any CPU waited, or its bound."""
    episodes = runs.of("episodes", window)
    # As _units_in_episodes(): the long ones decide.
    return share(runs.of("episodes_waited", window), episodes, float(episodes.sum()) / 2.0)


def _units_in_episodes(runs: Replications, window: int) -> float:
    """How many independent episodes of equal weight the calls made under pressure came from.

    A run has no more of them than calls; and m episodes of random (exponential) length weigh as
    much as m/2 equal ones, since most calls come in the long ones.
    """
    calls, episodes = runs.of("single_episode", window), runs.of("episodes", window)
    held = calls > 0
    units = np.maximum(1.0, np.minimum(calls, episodes) / 2.0)
    return (
        float(calls.sum()) ** 2 / float((calls[held] ** 2 / units[held]).sum())
        if held.any()
        else 0.0
    )


def _held(runs: Replications, s: Scenario, window: int, counter: str) -> Estimate:
    return ratio(runs.of(counter, window), np.full(len(runs), window_ms(s, window) * callers(s)))


def _rate(runs: Replications, s: Scenario, window: int, counter: str, scale: float = 1) -> Estimate:
    return mean(runs.of(counter, window) * (scale * (1.0 / window_ms(s, window))))


def _listed(runs: Replications, window: int) -> Estimate:
    calls = runs.of("single", window) + runs.of("double", window)
    return share(runs.of("list_pushes", window), calls, effective(calls))


def _wait_quantile(runs: Replications, s: Scenario, window: int, q: float) -> Estimate:
    return quantile(runs.wait_hist[:, window], EDGES_MS, q, np.zeros(len(runs.wait_hist)), 0.0)


def _call_quantile(runs: Replications, s: Scenario, window: int, q: float) -> Estimate:
    late, call_ms = (
        runs.late_hist[:, window],
        s.workload.call_instructions * s.machine.instruction_ns * 1e-6,
    )
    calls = np.bincount(np.arange(len(runs)) % len(late), runs.of("single", window), len(late))
    return quantile(late, EDGES_MS, q, calls - late.sum(axis=1), call_ms)


_ROWS: dict[str, tuple[str, str, Get]] = {
    "p_wait": ("", "P(wait) per single-argument call", p_wait),
    "p_wait_episode": ("", "P(wait) per such call made in an episode", p_wait_episode),
    "p_episode": ("", "share of episodes with a wait on any CPU", p_episode),
    "blocked": ("", "time blocked in grace-period waits", partial(_held, counter="wait_ms")),
    "stalled": ("", "time blocked in reclaim stalls", partial(_held, counter="stall_ms")),
    "wait_ms": ("ms", "mean wait", lambda r, s, w: ratio(r.of("wait_ms", w), r.of("waits", w))),
    "wait_p50_ms": ("ms", "median wait", partial(_wait_quantile, q=0.5)),
    "wait_p99_ms": ("ms", "99th percentile of waits", partial(_wait_quantile, q=0.99)),
    "call_p99_ms": ("ms", "99th percentile of a call", partial(_call_quantile, q=0.99)),
    "call_p999_ms": ("ms", "99.9th percentile of a call", partial(_call_quantile, q=0.999)),
    "list_share": ("", "share of calls queued on the list", lambda r, s, w: _listed(r, w)),
    "peak_objects": ("objects", "most deferred objects", lambda r, s, w: mean(r.of("peak", w))),
    "peak_bytes": (
        "bytes",
        "most deferred bytes",
        lambda r, s, w: mean(r.of("peak", w) * s.workload.object_bytes),
    ),
    "mean_objects": ("objects", "deferred objects on average", partial(_rate, counter="area")),
    "mean_bytes": (
        "bytes",
        "deferred bytes on average",
        lambda r, s, w: _rate(r, s, w, "area", s.workload.object_bytes),
    ),
    "early_frees_hz": (
        "objects/s",
        "objects freed before their grace period",
        partial(_rate, counter="early_frees", scale=1000.0),
    ),
    "calls_hz": (
        "calls/s",
        "single-argument calls of all CPUs",
        partial(_rate, counter="single", scale=1000.0),
    ),
    "bytes_at_boot": ("bytes", "reserve per CPU at boot", lambda r, s, w: exact(s.bytes_at_boot())),
    "bytes_at_full": ("bytes", "reserve per CPU at full", lambda r, s, w: exact(s.bytes_at_full())),
    "bytes_added": (
        "bytes",
        "the same, beyond what the plain code keeps",
        lambda r, s, w: exact(s.bytes_added()),
    ),
}
QUANTITIES = {name: Quantity(*row) for name, row in _ROWS.items()}


def answers(
    runs: Replications, s: Scenario, window: int, names: Iterable[str] = QUANTITIES
) -> dict[str, Estimate]:
    """The named quantities of a window (all of them if left out); none if the window has no
    length.
    """
    if window_ms(s, window) <= 0:
        return {}
    few_episodes = (
        s.allocator.episodes == "exponential"
        and float(runs.of("episodes", window).sum()) < FEW_EPISODES
    )
    found = {name: QUANTITIES[name].get(runs, s, window) for name in names}
    return {name: without_interval(e) if few_episodes else e for name, e in found.items()}


def without_interval(e: Estimate) -> Estimate:
    """An estimate as a hint only; bounds and exact numbers stay."""
    return replace(e, lo=None, hi=None, kind="rough") if e.kind in ("interval", "rough") else e
