# SPDX-License-Identifier: GPL-2.0-only
"""A call begins to wait for a grace period, in synchronize_rcu().

Such waits are what the package counts: a caller of kfree_rcu() that has to sleep.
"""

import math

from krcsim.engine.calendar import heap_call_at, new_waiter, push_held_call
from krcsim.engine.call_records import HeldCall
from krcsim.engine.codes import (
    EXPEDITED_WAIT,
    FULL,
    LISTED_WAIT,
    NO_STALL,
    REFUSED_KIND,
    REFUSED_MEMORY,
    UNBIASED,
    WAIT_BEGINS,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import request_grace_period
from krcsim.engine.page_memory import follow_memory
from krcsim.engine.pointers import counters_at, cpu_at, tally_at
from krcsim.engine.random_streams import INF, normal
from krcsim.engine.records import World
from krcsim.engine.sheaves import hurry_lazy_sheaves
from krcsim.engine.waiters import add_to_list


def begin_synchronize_rcu(world: World, now: float, held_call: HeldCall) -> None:
    """R19, synchronize_rcu(): the caller in free_slot() begins to wait for a grace period.

    This function returns at once; end_wait() comes when the caller wakes. The caller then frees the
    object itself, so that the object is never queued.
    """
    log_event(world, now, WAIT_BEGINS, held_call.cpu, 0.0)
    count_wait(world, held_call)
    if world.has_live_objects:  # R82 and R83: more may grow from now on
        follow_memory(world, now)
        world.waiting_calls += 1
    held_call.wait_began_at = now + world.has_bursts * world.call_cost

    if world.rcu_expedited:  # R31
        held_call.waits_for = EXPEDITED_WAIT
        stretch = math.exp(world.expedited_sigma * normal(world.expedited_stream))
        push_held_call(world, now + world.expedited_median * stretch)
    elif world.waiters_tail - world.waiters_head >= world.waiter_capacity:
        world.error = FULL
    else:
        waiter = new_waiter(world)
        waiter.wakes_at = INF
        waiter.asked_at = now
        if world.wakes_by_gp and not world.is_latched:
            waiter.waits_for = LISTED_WAIT
            waiter.needed_gp = add_to_list(world, now)
        else:
            waiter.waits_for = NO_STALL
            if world.sheaf_entries > 0:
                hurry_lazy_sheaves(world, cpu_at(world.cpus_address, held_call.cpu), now)
            waiter.needed_gp = request_grace_period(world, now)
            counters_at(world.counters_address, waiter.window).waits_latched += world.wakes_by_gp


def count_wait(world: World, held_call: HeldCall) -> None:
    """R45: a wait counts in the window of its call, and in the episode of its call."""
    counters = counters_at(world.counters_address, held_call.window)
    counters.waits += 1
    if world.sheaf_entries > 0:
        counters.waits_kind += held_call.refused_by_sheaf == REFUSED_KIND
        counters.waits_memory += held_call.refused_by_sheaf == REFUSED_MEMORY
    if world.makes_copies:
        count_weighted_wait(world, held_call)

    if held_call.episode > 0:
        counters.waits_episode += 1
        if not held_call.episode_has_waited:
            counters_at(world.counters_address, held_call.episode_window).episodes_waited += 1
            note_episode_waited(world, held_call.episode)


def note_episode_waited(world: World, episode: int) -> None:
    """R36: the first call of an episode waits; calls of it that are made later, or still stall, do
    not make it another such episode.
    """
    world.episode_has_waited |= world.episode_number == episode

    for position in range(world.heap_size):
        stalled = heap_call_at(world, position)
        stalled.episode_has_waited |= stalled.episode == episode


def count_weighted_wait(world: World, held_call: HeldCall) -> None:
    """A wait on a CPU whose waits count with the weight of a biased copy; its random draws are no
    longer biased (docs/methods.md).
    """
    cpu = cpu_at(world.cpus_address, held_call.cpu)
    if cpu.weighs_waits:
        world.weight *= math.exp(world.log_ratio)
        world.log_ratio = 0.0
        cpu.bias = UNBIASED

        tally = tally_at(world.tallies_address, held_call.window)
        tally.waits += world.weight
        tally.waits_episode += world.weight * (held_call.episode > 0)
        world.open_weighted_waits += 1
        held_call.is_weighted = 1
