# SPDX-License-Identifier: GPL-2.0-only
"""The list of the grace-period kthread, since v6.10: who joins it and who leaves it."""

from krcsim.engine.grace_periods import next_full_grace_period, start_grace_period
from krcsim.engine.records import World

RCU_SR_NORMAL_LATCH_THR = 64  # waits on the list that send further ones to callbacks


def add_to_list(world: World, now: float) -> int:
    """R60 and R61, rcu_sr_normal_add_req(): a call joins the list and starts a grace period, if
    none runs; returns the number of the one that it needs.
    """
    world.listed_waits += 1
    if world.listed_waits == RCU_SR_NORMAL_LATCH_THR:
        world.is_latched = 1

    needed = next_full_grace_period(world)
    if not world.gp_is_running:
        start_grace_period(world, now)  # start_poll_synchronize_rcu()
    return needed


def leave_list(world: World) -> None:
    """R61, rcu_sr_normal_complete(): a call on the list wakes; with the last the latch opens."""
    world.listed_waits -= 1
    if world.listed_waits == 0:
        world.is_latched = 0
