# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits by forks (see engine/fork.py): what is biased and how far, and estimates from what the forks found."""
from krcsim.scenario import Scenario

def bias(s: Scenario) -> dict[str, float]:
    """How a fork's luck is biased: any bias is right, this one is cheap.

    choice: that trouble is a hit, so that a pool is often emptied in a row; least: that a call is trouble, so that as
    many hits come before wrappers return; calm_share: of the forks in calm, where waits are fewer still.
    """
    pool, ticks_away = s.remedy.nr_emergency_objs, 2 * s.drain_jiffies + 6
    calls = s.workload.rate_hz * s.workload.single_share / s.machine.hz * ticks_away
    return dict(rare=1, choice=max(0.6, 1.0 - 2.0 / (pool + 2)), least=min(0.3, (pool + 2) / max(calls, 1e-9)), most=5.0,
        calm_share=0.1)
