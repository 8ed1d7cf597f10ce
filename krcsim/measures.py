# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of a run: each quantity with its unit, its words and its estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from krcsim.engine.state import BIN_LO_MS, BINS
from krcsim.estimate import Array, Estimate, exact, mean, quantile, ratio, unseen
from krcsim.run import Replications
from krcsim.scenario import Scenario

EDGES_MS: Array = BIN_LO_MS * 2.0 ** (np.arange(BINS + 1) / 16.0)

@dataclass(frozen=True)
class Quantity:
    """A column of answers: `get(runs, scenario, window)` estimates it."""

    unit: str
    words: str
    get: Callable[[Replications, Scenario, int], Estimate]

def window_ms(s: Scenario, window: int) -> float:
    """Length of a window in ms."""
    return s.warmup_ms if window == 0 else s.horizon_ms - s.warmup_ms

def harmless_calm(s: Scenario) -> bool:
    """Whether no call made in calm can wait: its page, or else its rcu_head, never fails."""
    page, noretry, _, atomic, _, last = s.allocator.calm.resolved()
    if s.remedy.array_path and (noretry if s.remedy.page_class == "noretry" else page) == 0.0:
        return True
    head = dict(none=1.0, atomic=atomic, tryhard=last, three_step=last)[s.remedy.head_alloc]
    return head == 0.0

def bound(runs: Replications, s: Scenario, window: int) -> Estimate:
    """Upper bound of P(wait) per single-argument call when no wait was seen in a window."""
    single = runs.of("single", window)
    if single.sum() <= 0:
        return Estimate(None, None, None, "none")
    spells = int(runs.of("spells", window).sum())
    if spells > 0 and harmless_calm(s):
        # Only calls made in a spell can wait, so a spell is the unit; they hold this share.
        share = float(runs.of("single_spell", window).sum() / single.sum())
        return unseen(spells, share)
    return unseen(len(runs))

def p_wait(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call, or its bound."""
    seen = ratio(runs.of("waits", window), runs.of("single", window))
    return seen if seen.kind != "none" else bound(runs, s, window)

def p_wait_spell(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call made in a spell, or its bound."""
    seen = ratio(runs.of("waits_spell", window), runs.of("single_spell", window))
    if seen.kind != "none" or runs.of("single_spell", window).sum() <= 0:
        return seen
    return unseen(int(runs.of("spells", window).sum()) or len(runs))

def p_spell(runs: Replications, s: Scenario, window: int) -> Estimate:
    """Share of spells in which a call on any CPU waited, or its bound."""
    seen = ratio(runs.of("spells_waited", window), runs.of("spells", window))
    return seen if seen.kind != "none" else unseen(int(runs.of("spells", window).sum()))

def _held(counter: str) -> Callable[[Replications, Scenario, int], Estimate]:
    def get(runs: Replications, s: Scenario, window: int) -> Estimate:
        whole = window_ms(s, window)
        if s.workload.loop == "closed":
            whole *= s.machine.cpus * s.workload.producers
        seen = ratio(runs.of(counter, window), np.full(len(runs), whole))
        return seen if seen.kind != "none" else Estimate(None, None, None, "none")

    return get

def _per(num: str, den: str) -> Callable[[Replications, Scenario, int], Estimate]:
    def get(runs: Replications, s: Scenario, window: int) -> Estimate:
        return ratio(runs.of(num, window), runs.of(den, window))

    return get

def _wait_quantile(q: float) -> Callable[[Replications, Scenario, int], Estimate]:
    def get(runs: Replications, s: Scenario, window: int) -> Estimate:
        hist = runs.wait_hist[:, window]
        return quantile(hist, EDGES_MS, q, np.zeros(len(hist)), 0.0)

    return get

def _call_quantile(q: float) -> Callable[[Replications, Scenario, int], Estimate]:
    def get(runs: Replications, s: Scenario, window: int) -> Estimate:
        hist = runs.late_hist[:, window]
        quick = runs.grouped("single", window) - hist.sum(axis=1)
        call_ms = s.workload.call_instructions * s.machine.instruction_ns * 1e-6
        return quantile(hist, EDGES_MS, q, quick, call_ms)

    return get

def _mean_of(counter: str, scale: Callable[[Scenario, int], float]) -> Callable[
        [Replications, Scenario, int], Estimate]:
    def get(runs: Replications, s: Scenario, window: int) -> Estimate:
        return mean(runs.of(counter, window) * scale(s, window))

    return get

def _bytes(s: Scenario, window: int) -> float:
    return float(s.workload.object_bytes)

def _list_share(runs: Replications, s: Scenario, window: int) -> Estimate:
    calls = runs.of("single", window) + runs.of("double", window)
    return ratio(runs.of("list_pushes", window), calls)

def _per_ms(s: Scenario, window: int) -> float:
    return 1.0 / window_ms(s, window)

QUANTITIES: dict[str, Quantity] = {"p_wait": Quantity("", "P(wait) per single-argument call",
    p_wait), "p_wait_spell": Quantity("", "P(wait) per such call made in a spell", p_wait_spell),
    "p_spell": Quantity("", "share of spells with a wait on any CPU", p_spell),
    "blocked": Quantity("", "time blocked in grace-period waits", _held("wait_ms")),
    "stalled": Quantity("", "time blocked in reclaim stalls", _held("stall_ms")),
    "wait_ms": Quantity("ms", "mean wait", _per("wait_ms", "waits")),
    "wait_p50_ms": Quantity("ms", "median wait", _wait_quantile(0.5)),
    "wait_p99_ms": Quantity("ms", "99th percentile of waits", _wait_quantile(0.99)),
    "call_p99_ms": Quantity("ms", "99th percentile of a call", _call_quantile(0.99)),
    "call_p999_ms": Quantity("ms", "99.9th percentile of a call", _call_quantile(0.999)),
    "list_share": Quantity("", "share of calls queued on the list", _list_share),
    "peak_objects": Quantity("objects", "most deferred objects", _mean_of("peak", lambda *_: 1.0)),
    "peak_bytes": Quantity("bytes", "most deferred bytes", _mean_of("peak", _bytes)),
    "mean_objects": Quantity("objects", "deferred objects on average", _mean_of("area", _per_ms)),
    "mean_bytes": Quantity("bytes", "deferred bytes on average",
    _mean_of("area", lambda s, w: _bytes(s, w) * _per_ms(s, w))),
    "early_frees_hz": Quantity("objects/s", "objects freed before their grace period",
    _mean_of("early_frees", lambda s, w: 1000.0 * _per_ms(s, w))),
    "calls_hz": Quantity("calls/s", "single-argument calls of all CPUs",
    _mean_of("single", lambda s, w: 1000.0 * _per_ms(s, w))),
    "bytes_at_boot": Quantity("bytes", "reserve per CPU at boot", lambda r, s,
    w: exact(s.bytes_at_boot())), "bytes_at_full": Quantity("bytes", "reserve per CPU at full",
    lambda r, s, w: exact(s.bytes_at_full()))}

def blocked_words(s: Scenario) -> str:
    """What `blocked` and `stalled` measure in a scenario."""
    if s.workload.loop == "closed":
        return "share of the producers' time"
    return "mean number of tasks at once, all CPUs"

def answers(runs: Replications, s: Scenario, window: int) -> dict[str, Estimate]:
    """All quantities of a window; all undefined if the window has no length."""
    if window_ms(s, window) <= 0:
        return {}
    return {name: q.get(runs, s, window) for name, q in QUANTITIES.items()}
