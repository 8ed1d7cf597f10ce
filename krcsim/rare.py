# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits by forks (see engine/fork.py): what is biased and how far, and estimates from what the forks found."""
import math
import numpy as np
from krcsim.engine.state import TALLY
from krcsim.measures import harmless_calm
from krcsim.run import rare_runs
from krcsim.scenario import Scenario
TALLY_NAMES = list(TALLY.names or ())

def bias(s: Scenario) -> dict[str, float]:
    """How a fork's luck is biased: any bias is right, this one is cheap.

    choice: that trouble is a hit, so that a pool is often emptied in a row; least: that a call is trouble, so that as
    many hits come before wrappers return; calm_share: of the forks in calm, where waits are fewer still.
    """
    pool = s.remedy.nr_emergency_objs
    calls = s.workload.rate_hz * s.workload.single_share / s.machine.hz * (1.5 * s.drain_jiffies + 6)
    choice = max(0.6, 1 - 2 / (pool + 2)) if calls > s.remedy.block_entries else max(0.85, 1 - 1 / (pool + 2))
    batches = s.machine.cpus * s.horizon_ms / 1000.0 * s.machine.hz / s.drain_jiffies
    return dict(rare=1, choice=choice, least=min(0.5, (pool + 2) / max(calls, 1e-9)), most=5.0, calm_share=0.1,
        share=1 / s.machine.cpus, repeat=max(1, min(16, int(300 / batches))))

PILOT = 1 << 40  # replications from here on choose the levels

def split(s: Scenario) -> dict[str, float]:
    """As bias(), for a run that is split: plans are short, so that danger is looked at often."""
    a, away_ms = s.allocator, 1000.0 * (2 * s.drain_jiffies + 6) / s.machine.hz
    counts = a.spells == "none" or not harmless_calm(s) or (a.spells == "exponential" and a.spell_ms < away_ms)
    return bias(s) | dict(look=max(1, s.remedy.block_entries // 16), calm_counts=counts)

def levels(s: Scenario, seed: int, share: float = 0.2, want: int = 200) -> list[tuple[float, float]]:
    """Levels of danger, each passed by about `share` of those that passed the one before, up to where waits are met."""
    found: list[tuple[float, float]] = []
    at = PILOT
    for _ in range(30):
        peaks: list[float] = []
        met = 0.0
        for _ in range(8):
            _, tally, seen = rare_runs(s, seed, at, at + 4, split(s), found, 1 << 14)
            at += 4
            peaks += [x for x in seen if x > -math.inf]
            met += tally[:, :, TALLY_NAMES.index("forks")].sum()
            if len(peaks) >= want:
                break
        if len(peaks) < 10 or met > share * (len(peaks) if found else at - PILOT):
            break
        top = float(np.quantile(peaks, 1.0 - (share if found else 0.1)))
        if found and top <= found[-1][0] + 1e-9:
            top = min([x for x in peaks if x > found[-1][0] + 1e-9], default=top)
            if top <= found[-1][0] + 1e-9:
                break
        passed = float(np.mean(np.array(peaks) >= top))
        if found:
            found[-1] = (found[-1][0], max(1, round(1 / passed)))
        found.append((top, round(1 / share)))
    return found
