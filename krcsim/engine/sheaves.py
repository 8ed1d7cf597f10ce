# SPDX-License-Identifier: GPL-2.0-only
"""kfree_rcu_sheaf(): sheaves in front of the blocks (rules R66 to R68 of docs/model.md).

A call gives its object to the sheaf that its CPU fills. The call that fills it detaches it, and the
sheaf, a callback, waits for a grace period; no monitor, block or page is touched. What becomes of
the sheaf then stands in sheaf_reuse.py.
"""

from krcsim.engine.barns import barn_of, pcs_of, take_sheaf_memory, wait_for_grace_period
from krcsim.engine.codes import (
    ONE,
    REFUSED_KIND,
    REFUSED_MEMORY,
    SHEAF_ALLOCATED,
    SHEAF_FAILED,
    SHEAF_FULL,
    VMALLOC,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import request_grace_period
from krcsim.engine.object_sizes import defer_objects
from krcsim.engine.page_memory import count_held_bytes, count_held_objects
from krcsim.engine.pointers import counters_at, size_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_records import NO_SHEAF


def kfree_rcu_sheaf(
    world: World,
    cpu: Cpu,
    cpu_index: int,
    now: float,
    channel: int,
    u_share: float,
    u_sheaf: float,
) -> bool:
    """R66, R67 and R113, kfree_rcu_sheaf(): whether a sheaf takes the object of a call; else it
    goes into a block or on the list, or the call waits. The uniform numbers are those of R66; its
    size is that of the present call.
    """
    counters = counters_at(world.counters_address, world.window)
    if channel == VMALLOC or u_share >= world.kmem_cache.sheaf_share:
        world.refused_by_sheaf = REFUSED_KIND
        counters.refused_kind += 1
        return False

    pcs = pcs_of(world, cpu, world.call_size)
    if pcs.rcu_free == NO_SHEAF and not get_sheaf_to_fill(world, cpu, cpu_index, now, u_sheaf):
        world.refused_by_sheaf = REFUSED_MEMORY
        counters.refused_memory += 1
        return False

    put_into_sheaf(world, cpu, now)
    if pcs.rcu_free == size_at(world.sizes_address, world.call_size).sheaf_capacity:
        detach_full_sheaf(world, cpu, cpu_index, now)
    return True


def get_sheaf_to_fill(world: World, cpu: Cpu, cpu_index: int, now: float, u_sheaf: float) -> bool:
    """R67, __kfree_rcu_sheaf(): a CPU without a sheaf to fill takes its spare if that is empty,
    else an empty one of the barn, else a new one; False if there is no memory for that.
    """
    pcs = pcs_of(world, cpu, world.call_size)
    barn = barn_of(world, cpu, world.call_size)

    if pcs.spare == 0:
        pcs.spare = NO_SHEAF
    elif barn.nr_empty > 0:
        barn.nr_empty -= 1
    else:
        counters_at(world.counters_address, world.window).sheaf_requests += 1
        if world.has_page_memory:
            u_sheaf = 1.0 * take_sheaf_memory(world, cpu, now)  # 1 if there is some
        is_there = u_sheaf >= world.kmem_cache.p_sheaf_fails
        code = SHEAF_ALLOCATED if is_there else SHEAF_FAILED
        log_event(world, now, code, cpu_index, 0.0)
        if not is_there:
            return False

    pcs.rcu_free = 0
    return True


def put_into_sheaf(world: World, cpu: Cpu, now: float) -> None:
    """R67: the sheaf that a CPU fills takes the object of a call."""
    counters = counters_at(world.counters_address, world.window)
    note_stored(world, cpu, world.call_size, ONE, now)
    world.deferred_objects += 1
    if world.nr_sizes > 1:
        count_held_bytes(world, defer_objects(world, world.call_size, ONE, now))
    else:
        count_held_objects(world, ONE)
    counters.queued += 1
    counters.area -= now


def note_stored(world: World, cpu: Cpu, size: int, objects: int, time_sum: float) -> None:
    """R67: the sheaf of a size that a CPU fills takes objects of calls made at times that add up to
    time_sum; that they are deferred objects, too, is counted elsewhere.
    """
    counters = counters_at(world.counters_address, world.window)
    pcs_of(world, cpu, size).rcu_free += objects
    world.kmem_cache.filling += objects
    counters.sheaf_stored += objects
    counters.filling_area -= time_sum


def detach_full_sheaf(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R68, __kfree_rcu_sheaf(): the sheaf is full and becomes a callback; a lazy one asks for its
    grace period later.
    """
    counters = counters_at(world.counters_address, world.window)
    cache = world.kmem_cache
    pcs = pcs_of(world, cpu, world.call_size)
    objects = size_at(world.sizes_address, world.call_size).sheaf_capacity

    pcs.rcu_free = NO_SHEAF
    cache.filling -= objects
    cache.in_flight += objects
    counters.sheaves_full += 1
    counters.filling_area += objects * now
    counters.in_flight_area -= objects * now
    counters.in_flight_peak = max(counters.in_flight_peak, cache.in_flight)
    log_event(world, now, SHEAF_FULL, cpu_index, float(objects))

    if cpu.lazy_until == INF:
        cpu.lazy_until = now + cache.laziness
    pcs.lazy += 1
    if cache.laziness <= 0.0:
        hurry_lazy_sheaves(world, cpu, now)


def hurry_lazy_sheaves(world: World, cpu: Cpu, now: float) -> None:
    """R68, rcu_nocb_flush_bypass(): the full sheaves of a CPU that have not asked for a grace
    period ask now.
    """
    if cpu.lazy_until == INF:
        return

    cpu.lazy_until = INF
    needed = request_grace_period(world, now)
    for size in range(world.nr_caches):
        pcs = pcs_of(world, cpu, size)
        if pcs.lazy > 0:
            wait_for_grace_period(world, barn_of(world, cpu, size), pcs.lazy, needed, now)
            pcs.lazy = 0


def count_batched(world: World, objects: int, now: float) -> None:
    """R72: so many more objects are in batches and works, or fewer if negative."""
    world.kmem_cache.in_batches += objects
    counters_at(world.counters_address, world.window).batches_area -= objects * now
