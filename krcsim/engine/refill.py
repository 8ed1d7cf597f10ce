# SPDX-License-Identifier: GPL-2.0-only
"""The refill worker: a call without page starts it, and it fills the page caches of a CPU.

Rules R44 and R50 to R53 of docs/model.md.
"""

from krcsim.engine.codes import (
    HEAD_STALL,
    LIST,
    ONE,
    REFILL_ANY_MISS,
    REFILL_E2,
    REFILL_E3,
    REFILL_E7,
    REFILL_RAN,
    ZERO,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.monitor import timer_expires
from krcsim.engine.page_memory import (
    follow_memory,
    give_pages,
    median_stall,
    reclaim_pages,
    take_page,
)
from krcsim.engine.pointers import counters_at, cpu_at
from krcsim.engine.random_streams import INF, uniform
from krcsim.engine.records import Cpu, World


def start_refill(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R44 and R50 to R52, run_page_cache_worker(): start the worker of a CPU, unless it is under
    way; where nothing delays it, it runs at once.
    """
    has_no_cache = world.refill == REFILL_E7 and world.cache_capacity == 0
    if cpu.refill_at < INF or has_no_cache:
        return

    if backs_off(world, cpu, now):
        cpu.refill_at = timer_expires(now, world.refill_backoff)
    elif world.refill_delay > 0.0:
        cpu.refill_at = now + world.refill_delay
    else:
        fill_page_cache(world, cpu, cpu_index, now)


def backs_off(world: World, cpu: Cpu, now: float) -> bool:
    """R52: whether refills of a CPU wait, and ask for one page only."""
    if world.refill_backoff == 0:
        return False

    if world.has_shrinker:
        follow_memory(world, now)
        if world.kswapd_runs:
            kfree_rcu_shrink_count(world)
    return cpu.backs_off > 0


def kfree_rcu_shrink_count(world: World) -> None:
    """R53: a reclaim pass counts what could be freed; each CPU backs off until its next refill has
    ended.
    """
    for cpu_index in range(world.nr_cpus):
        cpu_at(world.cpus_address, cpu_index).backs_off = 1


def fill_page_cache(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R44, R51 and R52, fill_page_cache_func(): the worker runs, and is done; the CPU no longer
    backs off.
    """
    is_late = cpu.refill_at < INF
    wanted = world.cache_capacity
    if backs_off(world, cpu, now):
        wanted = ONE

    channel = ZERO
    while channel < ONE + world.has_channel_caches:
        if not fill_cache(world, cpu, now, channel, wanted, is_late):
            break
        channel += 1

    counters_at(world.counters_address, world.window).refill_runs += not world.is_past_horizon
    log_event(world, now, REFILL_RAN, cpu_index, float(wanted))
    cpu.refill_at = INF
    cpu.backs_off = 0


def fill_cache(
    world: World, cpu: Cpu, now: float, channel: int, wanted: int, is_late: bool
) -> bool:
    """R51: the worker asks for the pages of one cache; False if a failure ends its run."""
    counters = counters_at(world.counters_address, world.window)
    counts_level = world.refill == REFILL_ANY_MISS or world.refill == REFILL_E7
    goes_on = world.refill == REFILL_E2 or world.refill == REFILL_E3

    number = cpu.cached_pages[channel] if counts_level else ZERO
    while number < wanted:
        number += 1
        counters.refill_tries += not world.is_past_horizon
        got = take_refill_page(world, cpu, now, is_late)

        if got and cpu.cached_pages[channel] < world.cache_capacity:
            cpu.cached_pages[channel] += 1
            counters.refill_pages += not world.is_past_horizon
        elif got:  # put_cached_bnode() found the cache full
            if world.has_page_memory:
                give_pages(world, cpu, now, ONE)
            return True
        elif not goes_on:
            return False

    return True


def take_refill_page(world: World, cpu: Cpu, now: float, is_late: bool) -> bool:
    """R44 and R50: one page for the worker. Right after a miss a round of reclaim takes CPU time:
    worker and caller have the CPU in turns, each as long as a round.
    """
    if world.has_page_memory == 0:
        # A worker of 2020 has drawn from the stream of stalls.
        stream = cpu.stall_stream if world.refill == REFILL_ANY_MISS else cpu.refill_stream
        return uniform(stream) >= world.p_noretry_page_fails

    if take_page(world, cpu, now, world.min_wmark):
        return True

    kind = HEAD_STALL if world.refill == REFILL_E2 else LIST  # GFP_KERNEL goes on as for an object
    turn = median_stall(world, cpu, now, kind)
    if is_late:  # no caller waits for the CPU
        reclaim_pages(world, now, kind)
        return take_page(world, cpu, now, world.min_wmark)

    if now > cpu.refill_turn_at + 2.0 * turn:  # it was idle: the caller has its turn first
        cpu.refill_turn_at = now + turn
        return False

    if now < cpu.refill_turn_at:
        return False

    cpu.cpu_free_at = max(cpu.cpu_free_at, now) + turn
    cpu.refill_turn_at = now + 2.0 * turn
    reclaim_pages(world, now, kind)
    return take_page(world, cpu, now, world.min_wmark)
