# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of sheaves after their grace period: they go to a barn or are flushed, allocations
empty them and give them back (rules R69 and R70 of docs/model.md).
"""

import math

from krcsim.engine.barns import barn_of, count_barns, free_sheaf_memory, pcs_of
from krcsim.engine.calendar import update_next_event
from krcsim.engine.call_source import make_plan, settle_all, settle_calls
from krcsim.engine.codes import ALL_CPUS, ONE, SHEAVES_BACK
from krcsim.engine.event_log import log_event
from krcsim.engine.load_time import load_time_at, time_of_load
from krcsim.engine.maintenance import may_be_peak
from krcsim.engine.object_sizes import count_freed_bytes
from krcsim.engine.page_memory import count_held_bytes, count_held_objects
from krcsim.engine.pointers import barn_at, counters_at, cpu_at, size_at
from krcsim.engine.random_streams import INF, binomial, gamma
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_records import NO_SHEAF


def boot_barns(world: World) -> None:
    """R66: no sheaf is anywhere at boot."""
    world.sheaves_back_at = INF
    for number in range(count_barns(world)):
        barn = barn_at(world.barns_address, number)
        page_sheaves = size_at(world.sizes_address, number % world.nr_caches).page_sheaves
        barn.free_slab_objects = world.slab_pages_kept * page_sheaves


def boot_sheaves(world: World, cpu: Cpu, cpu_index: int) -> None:
    """R66 and R70: a CPU has no sheaf at boot; when its first allocation comes."""
    cpu.node = cpu_index // world.kmem_cache.node_cpus
    cpu.lazy_until = INF
    for size in range(world.nr_caches):
        pcs = pcs_of(world, cpu, size)
        pcs.rcu_free = NO_SHEAF
        pcs.spare = NO_SHEAF
        pcs.main_empty_at = INF
    for size in range(world.nr_caches):
        plan_allocations(world, cpu, size, 0.0)


# ---- after the grace period


def take_sheaves_back(world: World, now: float) -> None:
    """R69, rcu_free_sheaf(): full sheaves come back to the barns of their nodes; their objects are
    free.
    """
    if world.has_bursts or may_be_peak(world, now):
        settle_all(world, now)

    world.sheaves_back_at = INF
    sheaves = 0
    objects = 0
    for number in range(world.nr_caches):
        size_at(world.sizes_address, number).moved = 0
    for number in range(count_barns(world)):
        barn = barn_at(world.barns_address, number)
        if barn.coming_back > 0:
            size = size_at(world.sizes_address, number % world.nr_caches)
            sheaves += barn.coming_back
            objects += barn.coming_back * size.sheaf_capacity
            size.moved += barn.coming_back * size.sheaf_capacity
            put_into_barn(world, number, now)

    counters = counters_at(world.counters_address, world.window)
    counters.peak = max(counters.peak, world.deferred_objects)
    counters.freed += objects
    counters.area += objects * now
    counters.in_flight_area += objects * now
    world.deferred_objects -= objects
    world.kmem_cache.in_flight -= objects
    if world.nr_sizes > 1:
        count_held_bytes(world, -count_bytes_of_sheaves(world, now))
    else:
        count_held_objects(world, -objects)
    log_event(world, now, SHEAVES_BACK, ALL_CPUS, float(sheaves))


def count_bytes_of_sheaves(world: World, now: float) -> int:
    """R112: the bytes of the objects of full sheaves that come back now, which are free."""
    freed = 0
    for number in range(world.nr_sizes):
        size = size_at(world.sizes_address, number)
        size.moved *= number < world.nr_caches  # larger ones were freed by somebody else
        freed += size.moved * size.object_bytes
    count_freed_bytes(world, freed, now)
    return freed


def put_into_barn(world: World, number: int, now: float) -> None:
    """R69: sheaves of a cache come back to a node: full ones go to its barn while that has room,
    the objects of others to slab pages, and empty ones to the barn while it has room.
    """
    counters = counters_at(world.counters_address, world.window)
    cache = world.kmem_cache
    barn = barn_at(world.barns_address, number)

    kept = max(0, min(barn.coming_back, cache.barn_full - barn.nr_full))
    flushed = barn.coming_back - kept
    barn.coming_back = 0
    barn.nr_full += kept
    counters.sheaves_to_barn += kept
    counters.sheaves_flushed += flushed

    empty = max(0, min(flushed, cache.barn_empty - barn.nr_empty))
    if empty > 0:
        put_empty_sheaves(world, number, empty, now)
    if world.has_page_memory and flushed > empty:
        free_sheaf_memory(world, number, flushed - empty, now)


def put_empty_sheaves(world: World, number: int, sheaves: int, now: float) -> None:
    """R69 and R70, barn_put_empty_sheaf(): a barn gets empty sheaves; CPUs whose plan was drawn
    without any get a new one.
    """
    first = number // world.nr_caches * world.kmem_cache.node_cpus
    end = min(world.nr_cpus, first + world.kmem_cache.node_cpus)
    barn = barn_at(world.barns_address, number)
    had_none = barn.nr_empty == 0

    if had_none:
        for cpu_index in range(first, end):
            cpu = cpu_at(world.cpus_address, cpu_index)
            if cpu.plan_finds_no_sheaf:
                settle_calls(world, cpu, now)

    barn.nr_empty += sheaves

    if had_none:
        for cpu_index in range(first, end):
            cpu = cpu_at(world.cpus_address, cpu_index)
            if cpu.plan_finds_no_sheaf:
                make_plan(world, cpu, cpu_index, now)


# ---- allocations, and frees without a grace period


def allocation_rate(world: World, cpu: Cpu, size: int) -> float:
    """R70, R106 and R113: allocations a tick of a CPU of objects of a size."""
    rate = world.kmem_cache.reuse_rate * cpu.reuse_share
    if world.nr_sizes > 1:
        rate *= size_at(world.sizes_address, size).share
    return rate


def plan_allocations(world: World, cpu: Cpu, size: int, now: float) -> None:
    """R70, R106 and R109: when the allocation comes that finds the main sheaf of a size empty;
    those before now are accounted for.
    """
    rate = allocation_rate(world, cpu, size)
    if world.reuse_follows_rate:
        rate *= cpu.rate_factor
    pcs = pcs_of(world, cpu, size)
    pcs.main_known_at = now

    if rate <= 0.0:
        pcs.main_empty_at = INF
    elif world.has_bursts:
        pcs.main_empty_at = (pcs.allocations + pcs.main) / rate
        if world.reuse_follows_rate:
            pcs.main_empty_at = time_of_load(world, pcs.main_empty_at)
    else:
        pcs.main_empty_at = now + gamma(cpu.reuse_stream, pcs.main + 1) / rate

    cpu.next_allocation_at = pcs.main_empty_at
    for other in range(world.nr_caches):
        at = pcs_of(world, cpu, other).main_empty_at
        cpu.next_allocation_at = min(cpu.next_allocation_at, at)


def settle_allocations(world: World, cpu: Cpu, size: int, now: float) -> None:
    """R70 and R109: account for the allocations before now of a size, all of which the main sheaf
    serves.
    """
    pcs = pcs_of(world, cpu, size)
    if pcs.main == 0 or pcs.main_empty_at == INF or now <= pcs.main_known_at:
        return

    if world.has_bursts:
        since_boot = load_time_at(world, now) if world.reuse_follows_rate else now
        made = int(math.ceil(since_boot * allocation_rate(world, cpu, size))) - pcs.allocations
        taken = max(0, min(pcs.main, made))
    else:
        passed = (now - pcs.main_known_at) / (pcs.main_empty_at - pcs.main_known_at)
        taken = binomial(cpu.reuse_stream, pcs.main, passed)

    pcs.main -= taken
    pcs.allocations += taken
    pcs.main_known_at = now


def replace_empty_main(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R70, __pcs_replace_empty_main(): an allocation finds the main sheaf empty, and takes the
    first object of another.
    """
    size = 0
    while pcs_of(world, cpu, size).main_empty_at != cpu.next_allocation_at:
        size += 1
    pcs = pcs_of(world, cpu, size)
    barn = barn_of(world, cpu, size)
    is_searching = cpu.plan_finds_no_sheaf > 0
    if is_searching:
        settle_calls(world, cpu, now)
    pcs.allocations += pcs.main + 1

    if pcs.spare > 0:
        pcs.spare = 0
    elif barn.nr_full > 0:
        barn.nr_full -= 1
        put_empty_sheaves(world, cpu.node * world.nr_caches + size, ONE, now)
    else:  # a new sheaf for an allocation is always had: it may reclaim
        counters_at(world.counters_address, world.window).slab_refills += 1
        if pcs.spare == NO_SHEAF:
            barn.nr_empty -= barn.nr_empty > 0
            pcs.spare = 0

    pcs.main = size_at(world.sizes_address, size).sheaf_capacity - 1
    plan_allocations(world, cpu, size, now)
    if is_searching:
        make_plan(world, cpu, cpu_index, now)
    update_next_event(world, cpu_index)


def free_into_main(world: World, cpu: Cpu, cpu_index: int, now: float, size: int) -> None:
    """R70, free_to_pcs(): a caller frees its object of a size itself after its wait."""
    settle_allocations(world, cpu, size, now)
    pcs = pcs_of(world, cpu, size)

    if pcs.main < size_at(world.sizes_address, size).sheaf_capacity:
        pcs.main += 1
    else:
        replace_full_main(world, cpu, size)
        pcs.main = 1

    plan_allocations(world, cpu, size, now)
    update_next_event(world, cpu_index)


def replace_full_main(world: World, cpu: Cpu, size: int) -> None:
    """R70, __pcs_replace_full_main(): the main sheaf is full, and an empty one takes its place."""
    pcs = pcs_of(world, cpu, size)
    barn = barn_of(world, cpu, size)
    entries = size_at(world.sizes_address, size).sheaf_capacity

    if pcs.spare == NO_SHEAF:
        barn.nr_empty -= barn.nr_empty > 0  # else a new one
        pcs.spare = entries
    elif pcs.spare == 0:
        pcs.spare = entries
    elif barn.nr_full < world.kmem_cache.barn_full:
        barn.nr_full += 1
        barn.nr_empty -= barn.nr_empty > 0  # else a new one
    # Else the objects of the spare go to slab pages, and the two change places.
