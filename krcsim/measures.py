# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of a run: each quantity with its unit, its words and its estimate."""
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
import numpy as np
from krcsim.allocator import Failure
from krcsim.engine.state import BIN_LO_MS, BINS
from krcsim.estimate import Array, Estimate, exact, mean, quantile, ratio, unseen
from krcsim.remedy import Remedy
from krcsim.run import Replications
from krcsim.scenario import Scenario
Get = Callable[[Replications, Scenario, int], Estimate]
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
    # With memory as pages the hog of a spell may be felt after it.
    return s.memory.pressure != "pages" and out_of_luck(s.remedy, s.allocator.calm) == 0.0

def out_of_luck(r: Remedy, f: Failure) -> float:
    """P(a call gets neither page nor rcu_head), where no page is cached: what it needs fails, one by one."""
    page, noretry, _, atomic, high, last = f.resolved()
    head = dict(none=1.0, atomic=atomic, tryhard=min(high, last), three_step=min(atomic, last))[r.head_alloc]
    return head * ((noretry if r.page_class == "noretry" else page) if r.array_path else 1.0)

def p_wait(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call, or its upper bound when no wait was seen."""
    single, in_spell, spells = (float(runs.of(name, window).sum()) for name in ("single", "single_spell", "spells"))
    if spells > 0 and harmless_calm(s):  # only calls made in a spell can wait: the spell is the unit
        return _share(runs, window, "waits", "single", int(spells), in_spell / max(1.0, single))
    return _share(runs, window, "waits", "single", len(runs))

def p_wait_spell(runs: Replications, s: Scenario, window: int) -> Estimate:
    """P(wait) per single-argument call made in a spell, or its bound."""
    spells = int(runs.of("spells", window).sum())
    return _share(runs, window, "waits_spell", "single_spell", spells or len(runs))

def p_spell(runs: Replications, s: Scenario, window: int) -> Estimate:
    """Share of spells in which a call on any CPU waited, or its bound."""
    spells = int(runs.of("spells", window).sum())
    seen = _share(runs, window, "spells_waited", "spells", spells)
    # All of them: the bound of the unseen the other way round.
    return replace(seen, lo=1.0 - (unseen(spells).hi or 0.0)) if seen.value == 1.0 else seen

def _share(runs: Replications, window: int, num: str, den: str, units: int, share: float = 1.0) -> Estimate:
    """A ratio that cannot pass 1, or its bound where none of the units, which hold a share of den, saw num."""
    e = ratio(runs.of(num, window), runs.of(den, window))
    if e.kind == "none" and runs.of(den, window).sum() > 0:
        return unseen(units, share)
    return e if e.hi is None else replace(e, hi=min(1.0, e.hi))

def _held(runs: Replications, s: Scenario, window: int, counter: str) -> Estimate:
    return ratio(runs.of(counter, window), np.full(len(runs), window_ms(s, window) * callers(s)))

def _rate(runs: Replications, s: Scenario, window: int, counter: str, scale: float = 1) -> Estimate:
    return mean(runs.of(counter, window) * (scale * (1.0 / window_ms(s, window))))

def _wait_quantile(runs: Replications, s: Scenario, window: int, q: float) -> Estimate:
    return quantile(runs.wait_hist[:, window], EDGES_MS, q, np.zeros(len(runs.wait_hist)), 0.0)

def _call_quantile(runs: Replications, s: Scenario, window: int, q: float) -> Estimate:
    late, call_ms = runs.late_hist[:, window], s.workload.call_instructions * s.machine.instruction_ns * 1e-6
    calls = np.bincount(np.arange(len(runs)) % len(late), runs.of("single", window), len(late))
    return quantile(late, EDGES_MS, q, calls - late.sum(axis=1), call_ms)

_ROWS: dict[str, tuple[str, str, Get]] = {"p_wait": ("", "P(wait) per single-argument call", p_wait),
    "p_wait_spell": ("", "P(wait) per such call made in a spell", p_wait_spell),
    "p_spell": ("", "share of spells with a wait on any CPU", p_spell),
    "blocked": ("", "time blocked in grace-period waits", partial(_held, counter="wait_ms")),
    "stalled": ("", "time blocked in reclaim stalls", partial(_held, counter="stall_ms")),
    "wait_ms": ("ms", "mean wait", lambda r, s, w: ratio(r.of("wait_ms", w), r.of("waits", w))),
    "wait_p50_ms": ("ms", "median wait", partial(_wait_quantile, q=0.5)),
    "wait_p99_ms": ("ms", "99th percentile of waits", partial(_wait_quantile, q=0.99)),
    "call_p99_ms": ("ms", "99th percentile of a call", partial(_call_quantile, q=0.99)),
    "call_p999_ms": ("ms", "99.9th percentile of a call", partial(_call_quantile, q=0.999)),
    "list_share": ("", "share of calls queued on the list",
        lambda r, s, w: ratio(r.of("list_pushes", w), r.of("single", w) + r.of("double", w))),
    "peak_objects": ("objects", "most deferred objects", lambda r, s, w: mean(r.of("peak", w))),
    "peak_bytes": ("bytes", "most deferred bytes", lambda r, s, w: mean(r.of("peak", w) * s.workload.object_bytes)),
    "mean_objects": ("objects", "deferred objects on average", partial(_rate, counter="area")),
    "mean_bytes": ("bytes", "deferred bytes on average",
        lambda r, s, w: _rate(r, s, w, "area", s.workload.object_bytes)),
    "early_frees_hz": ("objects/s", "objects freed before their grace period",
        partial(_rate, counter="early_frees", scale=1000.0)),
    "calls_hz": ("calls/s", "single-argument calls of all CPUs", partial(_rate, counter="single", scale=1000.0)),
    "bytes_at_boot": ("bytes", "reserve per CPU at boot", lambda r, s, w: exact(s.bytes_at_boot())),
    "bytes_at_full": ("bytes", "reserve per CPU at full", lambda r, s, w: exact(s.bytes_at_full())),
    "bytes_added": ("bytes", "the same, beyond what the plain code keeps", lambda r, s, w: exact(s.bytes_added()))}
QUANTITIES = {name: Quantity(*row) for name, row in _ROWS.items()}

def answers(runs: Replications, s: Scenario, window: int, names: Iterable[str] = QUANTITIES) -> dict[str, Estimate]:
    """The named quantities of a window (all of them if left out); none if the window has no length."""
    return {name: QUANTITIES[name].get(runs, s, window) for name in names} if window_ms(s, window) > 0 else {}
