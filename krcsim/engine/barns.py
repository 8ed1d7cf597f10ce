# SPDX-License-Identifier: GPL-2.0-only
"""Barns: the sheaves of a node, full and empty, and those in flight (rules R66, R69 and R71 of
docs/model.md).
"""

import math

from krcsim.engine.codes import NO, ZERO
from krcsim.engine.page_memory import give_pages, take_page
from krcsim.engine.pointers import barn_at, cpu_at, pcs_at, size_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_records import Barn, CpuSheaves


def pcs_of(world: World, cpu: Cpu, size: int) -> CpuSheaves:
    """R66 and R113: the sheaves of a CPU in the cache of a size, by number."""
    return pcs_at(world.pcs_address, cpu.first_pcs + size)


def barn_of(world: World, cpu: Cpu, size: int) -> Barn:
    """R66 and R113, get_barn(): the barn of a CPU's node in the cache of a size, by number."""
    return barn_at(world.barns_address, cpu.node * world.nr_caches + size)


def count_barns(world: World) -> int:
    """R66 and R113: a barn for each cache on each node, node after node."""
    return world.kmem_cache.nr_nodes * world.nr_caches


def finds_no_empty_sheaf(world: World, cpu: Cpu, size: int) -> bool:
    """R67: whether the CPU has no empty spare, and the barn of its node no empty sheaf."""
    return pcs_of(world, cpu, size).spare != 0 and barn_of(world, cpu, size).nr_empty == 0


def wait_for_grace_period(world: World, barn: Barn, sheaves: int, needed: int, now: float) -> None:
    """R68, call_rcu(): full sheaves of a node wait for the grace period of this number."""
    tick = int(math.floor(now))
    if barn.asked_tick != tick:
        barn.asked_tick = tick
        barn.asked_now = 0
    barn.asked_now += sheaves

    if needed == world.gps_done + 1:
        barn.waits_for_next += sheaves
    else:
        barn.waits_for_later += sheaves


def serve_sheaves(world: World, served_at: float) -> bool:
    """R69: sheaves whose grace period has ended get the time at which they come back; whether
    others wait for a later one.
    """
    any_needs_more = NO

    for number in range(count_barns(world)):
        barn = barn_at(world.barns_address, number)
        if barn.waits_for_next > 0:
            barn.coming_back += barn.waits_for_next
            world.sheaves_back_at = served_at
        barn.waits_for_next = barn.waits_for_later
        barn.waits_for_later = 0
        any_needs_more |= barn.waits_for_next > 0

    return any_needs_more


def not_yet_known(barn: Barn, now: float) -> int:
    """R62: how many of the sheaves that wait have asked since the last tick."""
    if barn.asked_tick != int(math.floor(now)):
        return ZERO
    return min(barn.asked_now, barn.waits_for_next)


def put_off_sheaves(world: World, now: float) -> None:
    """R62: a grace period is about to start; sheaves that have asked since the last tick need the
    one after it.
    """
    for number in range(count_barns(world)):
        barn = barn_at(world.barns_address, number)
        sheaves = not_yet_known(barn, now)
        barn.waits_for_next -= sheaves
        barn.waits_for_later += sheaves


def next_start_for_sheaves(world: World, now: float) -> float:
    """R62: when the next grace period starts for sheaves: at once, or on the next tick if none of
    them asked before the last one; infinite if none waits.
    """
    starts_at = INF
    for number in range(count_barns(world)):
        barn = barn_at(world.barns_address, number)
        if barn.waits_for_next > not_yet_known(barn, now):
            starts_at = now
        elif barn.waits_for_next > 0:
            starts_at = min(starts_at, math.floor(now) + 1.0)

    return starts_at


def take_sheaf_memory(world: World, cpu: Cpu, now: float) -> bool:
    """R71: memory for a new sheaf, from the slab lists of its size or with a page for them."""
    barn = barn_of(world, cpu, world.call_size)
    if barn.free_slab_objects == 0:
        if not take_page(world, cpu, now, world.min_wmark):
            return False
        barn.free_slab_objects += size_at(world.sizes_address, world.call_size).page_sheaves

    barn.free_slab_objects -= 1
    return True


def free_sheaf_memory(world: World, number: int, sheaves: int, now: float) -> None:
    """R71: sheaves that no barn keeps go back to their slab pages; a node keeps a few empty
    pages.
    """
    barn = barn_at(world.barns_address, number)
    page_sheaves = size_at(world.sizes_address, number % world.nr_caches).page_sheaves
    barn.free_slab_objects += sheaves
    pages = barn.free_slab_objects // page_sheaves - world.slab_pages_kept

    if pages > 0:
        barn.free_slab_objects -= pages * page_sheaves
        node = number // world.nr_caches
        first_cpu = cpu_at(world.cpus_address, node * world.kmem_cache.node_cpus)
        give_pages(world, first_cpu, now, pages)
