# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios in which no call can wait, or only if far more calls come than usual: the reason, and
the bound.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from krcsim.methods.finding import Finding, Question
from krcsim.methods.sums import SUMS
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate, exact
from krcsim.results.quantities import out_of_luck

NAME = "by construction"
LABEL = "by construction"
NEGLIGIBLE = 1e-12  # a bound above says less than a simulation


@dataclass(frozen=True)
class Impossible:
    """Why no call waits, and an upper bound of P(wait): 0 where nothing random could change
    that.
    """

    why: str
    bound: float

    @property
    def estimate(self) -> Estimate:
        """What follows for P(wait)."""
        return exact(0.0) if self.bound == 0.0 else Estimate(None, 0.0, self.bound, "bound")


def why_not(scenario: Scenario, quantity: str = "p_wait") -> str:
    """Why nothing follows from the scenario alone, or "" if something does."""
    if quantity not in SUMS:
        return f"what cannot happen is said of {', '.join(SUMS)} only"
    return "" if negligible(scenario) else "a call may wait"


def findings(question: Question) -> Iterator[Finding]:
    """That no call waits, or hardly one."""
    none = negligible(question.scenario)
    if none:
        window = question.window_name
        yield Finding(question.quantity, window, none.estimate, NAME, none.why, 0, 0.0)


def negligible(scenario: Scenario) -> Impossible | None:
    """What makes waits impossible or negligibly rare, or None."""
    none = impossible(scenario)
    return none if none and none.bound <= NEGLIGIBLE else None


def impossible(s: Scenario) -> Impossible | None:
    """What makes a wait impossible, or None if nothing known does.

    A batch takes one block a channel where no more calls come than fit. Pages return to the CPU
    they came from, so two a channel are enough while a batch is back before the next is drained
    (one fills, one is away), three otherwise (a CPU has two batches under way at most). The bound:
    that somewhere more calls come in a life of a batch than fit.
    """
    a, r, w = s.allocator, s.remedy, s.workload
    if s.memory.pressure != "injected":
        return None
    regimes = {"calm": a.calm, "episode": a.episode}
    if a.episodes == "none":
        del regimes["episode"]
    if all(out_of_luck(r, f) == 0.0 for f in regimes.values()):
        return Impossible(
            "an rcu_head is always had at last: no failure that counts has a probability above 0",
            0.0,
        )
    # Up to the first call that finds no page cached nothing is on the list: no drain is expedited,
    # no worker refills.
    if not r.array_path or (r.page_return == "worker" and s.machine.nocb_share > 0):
        return None
    channels = w.channels() if r.cache_shared else 1
    lengths, _ = s.grace_period.table(s.machine.hz, s.machine.cpus)
    scale = s.machine.instruction_ns * 1e-6
    # A grace period under way, one more, the tick to start and the callback; then the work of two
    # batches.
    away = (
        (1 if s.machine.cpus == 1 else 2) * float(lengths[-1])
        + 2.0
        + ticks(s.machine.work_delay_ms, s.machine.hz)
    )
    away += ticks(4 * r.block_entries * w.free_instructions * scale, s.machine.hz)
    drain = s.drain_jiffies * (
        1.0 if s.drain_jiffies < 63 else 1.25
    )  # what the timer wheel may add
    if s.grace_period.reader_ms > 0 or s.machine.nocb_share > 0 or r.nr_bkv_objs < 2 * channels:
        return None
    kept = min(r.cache_at_boot, r.nr_bkv_objs) // channels
    quick = away < drain
    if kept < (2 if quick else 3):
        return None
    life = drain + 1.0 if quick else drain + 1.0 + (drain + 1.0) * math.ceil(2 * away / drain)
    over = _more_than(s, r.block_entries, life)
    if over >= 1.0:
        return None
    batches = s.machine.cpus * (ticks(s.horizon_ms, s.machine.hz) / drain + 2.0)
    bound = min(1.0, 2.0 * over * batches)
    why = (
        f"{kept} pages a channel are cached and kept, a batch takes one, and at most "
        f"{1 if quick else 2} are away"
    )
    unless = (
        "" if bound == 0.0 else f" unless over {r.block_entries} calls come in {life:.0f} ticks"
    )
    return Impossible(why + unless, bound)


def _more_than(s: Scenario, entries: int, life: float) -> float:
    """P(more than `entries` calls come in `life` ticks on a CPU), or a bound of it; 1 if that
    cannot be said.
    """
    from scipy.special import pdtrc

    w = s.workload
    mean = w.rate_hz * life / s.machine.hz
    if w.arrivals == "onoff":
        mean *= (w.on_ms + w.off_ms) / w.on_ms  # as if always on
    if w.arrivals in ("poisson", "onoff"):
        return float(pdtrc(entries, mean)) if mean < entries else 1.0
    if w.gap == "exponential":
        return float(pdtrc(entries // w.burst - 1, mean / w.burst)) if mean < entries else 1.0
    most = (
        w.producers
        * w.burst
        * (math.ceil(life * 1000.0 / s.machine.hz / (w.period_ms * w.producers)) + 1)
    )
    return 0.0 if most <= entries else 1.0
