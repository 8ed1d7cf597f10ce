# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios in which no call can wait, or only if far more calls come than usual: the reason, and
the bound.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from krcsim.methods.finding import Finding, Question
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario
from krcsim.results.certainty import p_neither_page_nor_head, sheaves_take_all
from krcsim.results.estimate import Estimate, exact
from krcsim.results.quantities import SUMS

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


def impossible(scenario: Scenario) -> Impossible | None:
    """What makes a wait impossible, or None if nothing known does.

    A batch takes one block a channel where no more calls come than fit. Pages return to the CPU
    they came from, so two a channel are enough while a batch is back before the next is drained
    (one fills, one is away), three otherwise (a CPU has two batches under way at most). The bound:
    that somewhere more calls come in a life of a batch than fit. Nothing is said of a remedy that
    drains when a block is full: its batches follow one another as fast as calls come.
    """
    allocator, remedy, machine = scenario.allocator, scenario.remedy, scenario.machine
    if scenario.memory.pressure != "injected":
        return None

    regimes = [allocator.calm]
    if allocator.episodes != "none":
        regimes.append(allocator.episode)
    if all(p_neither_page_nor_head(remedy, failure) == 0.0 for failure in regimes):
        return Impossible(
            "an rcu_head is always had at last: no failure that counts has a probability above 0",
            0.0,
        )
    if all(sheaves_take_all(scenario, failure) for failure in regimes):
        return Impossible("a sheaf takes the object of every call", 0.0)

    # Up to the first call that finds no page cached nothing is on the list: no drain is expedited,
    # no worker refills.
    if not remedy.array_path or (remedy.page_return == "worker" and machine.nocb_share > 0):
        return None
    channels = scenario.workload.channels() if remedy.cache_shared else 1
    scattered = scenario.grace_period.reader_ms > 0 or machine.nocb_share > 0
    if scattered or remedy.nr_bkv_objs < 2 * channels or remedy.drain_full or remedy.ready_blocks:
        return None

    away = _away(scenario)
    # What the timer wheel may add.
    drain = scenario.drain_jiffies * (1.0 if scenario.drain_jiffies < 63 else 1.25)
    quick = away < drain
    kept = min(remedy.cache_at_boot, remedy.nr_bkv_objs) // channels
    if kept < (2 if quick else 3):
        return None

    life = drain + 1.0 if quick else drain + 1.0 + (drain + 1.0) * math.ceil(2 * away / drain)
    over = _more_than(scenario, remedy.block_entries, life)
    if over >= 1.0:
        return None

    batches = machine.cpus * (ticks(scenario.horizon_ms, machine.hz) / drain + 2.0)
    bound = min(1.0, 2.0 * over * batches)
    why = (
        f"{kept} pages a channel are cached and kept, a batch takes one, and at most "
        f"{1 if quick else 2} are away"
    )
    if bound > 0.0:
        why += f" unless over {remedy.block_entries} calls come in {life:.0f} ticks"
    return Impossible(why, bound)


def _away(scenario: Scenario) -> float:
    """Ticks until a batch is back at most: a grace period under way, one more, the tick to start
    and the callback; then the work of two batches.
    """
    machine = scenario.machine
    lengths, _ = scenario.grace_periods()
    periods = 1 if machine.cpus == 1 and scenario.grace_period.background_hz == 0 else 2
    away = periods * float(lengths[-1]) + 2.0 + ticks(machine.work_delay_ms, machine.hz)

    scale = machine.instruction_ns * 1e-6
    entries = 4 * scenario.remedy.block_entries
    return away + ticks(entries * scenario.workload.free_instructions * scale, machine.hz)


def _more_than(scenario: Scenario, entries: int, life: float) -> float:
    """P(more than `entries` calls come in `life` ticks on a CPU), or a bound of it; 1 if that
    cannot be said.
    """
    from scipy.special import pdtrc

    workload, hz = scenario.workload, scenario.machine.hz
    if workload.calls is not None:
        most = workload.calls.most_calls(life * 1000.0 / hz)
        return 0.0 if most <= entries else 1.0
    mean = workload.rate_hz * max(workload.rates_of_cpus(scenario.machine.cpus)) * life / hz
    busiest = workload.highest_factor()  # as if the rate was that always
    mean *= busiest
    if workload.arrivals == "onoff":
        mean *= (workload.on_ms + workload.off_ms) / workload.on_ms  # as if always on
    if workload.arrivals in ("poisson", "onoff"):
        return float(pdtrc(entries, mean)) if mean < entries else 1.0
    if workload.gap == "exponential":
        bursts = entries // workload.burst - 1
        return float(pdtrc(bursts, mean / workload.burst)) if mean < entries else 1.0

    period_ms = workload.period_ms * workload.producers / busiest
    periods = math.ceil(life * 1000.0 / hz / period_ms) + 1
    return 0.0 if workload.producers * workload.burst * periods <= entries else 1.0
