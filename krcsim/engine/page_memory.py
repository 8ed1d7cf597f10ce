# SPDX-License-Identifier: GPL-2.0-only
"""Free pages and watermarks, what takes pages and what brings them back; brought up to date when
somebody asks.
"""

import math

from krcsim.engine.codes import HEAD_NONE, HEAD_STALL, HEAD_TRYHARD, LIST
from krcsim.engine.compiling import compile_module
from krcsim.engine.random_streams import INF, uniform
from krcsim.engine.records import Cpu, World, cpu_at

CLUSTER = 32.0  # SWAP_CLUSTER_MAX: a round of direct reclaim ends when it has as many
# rounds without progress until no_progress_loops is above MAX_RECLAIM_RETRIES = 16; the guest's
# stalls of
RETRIES = 17
# 15 ms fit that while 3/8 of min are free. With nothing free they end after 2 ms:
# should_reclaim_retry() says no.


def boot_memory(world: World) -> None:
    """The memory at time 0: cached pages and the pages of the slab lists are taken already."""
    world.free_pages, world.file_pages = world.free_pages_at_boot, world.file_pages_at_boot
    for i in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, i)
        cpu.free_slab_objects = world.slab_pages_kept * world.slab_page_objects
        world.kfree_rcu_pages += (
            cpu.cached_pages[0]
            + world.has_channel_caches * cpu.cached_pages[1]
            + world.slab_pages_kept
        )


def bring_up_to_date(world: World, now: float) -> None:
    """What the hog, the load and kswapd do until now: free pages move at a steady pace from mark to
    mark.
    """
    while world.memory_known_at < now:
        if world.file_pages < 1e-6:
            world.file_pages = 0.0
        if world.free_pages >= world.full_mark:
            world.kswapd_runs = 0
        elif world.free_pages <= world.low_mark:
            world.kswapd_runs = 1
        hog, to = 0.0, now
        if world.has_hog > 0 and world.in_episode > 0:
            if (
                world.hog_wakes_at <= world.memory_known_at and world.free_pages <= world.hog_mark
            ):  # nothing to take: it sleeps
                world.hog_wakes_at = world.memory_known_at + world.hog_sleep
            if world.hog_wakes_at <= world.memory_known_at:
                hog = world.hog_rate
            else:
                to = min(now, world.hog_wakes_at)
        load = world.load_rate if world.in_episode > 0 else 0.0
        back = world.kswapd_rate if world.kswapd_runs > 0 else 0.0
        if world.file_pages <= 0.0:
            back = min(back, load)
        if world.free_pages <= world.nowait_mark:  # who reads files reclaims for himself
            load = min(load, back)
        step, pace, mark = to - world.memory_known_at, back - load - hog, world.full_mark
        if back > load:
            step = min(step, world.file_pages / (back - load))
        if pace < 0.0:  # the next mark below
            mark = world.hog_mark if hog > 0.0 else 0.0
            if load > 0.0 and world.free_pages > world.nowait_mark:
                mark = max(mark, world.nowait_mark)
            if world.free_pages > world.low_mark:
                mark = max(mark, world.low_mark)
        if pace != 0.0 and (mark - world.free_pages) / pace <= step:
            step, world.free_pages = (mark - world.free_pages) / pace, mark
        else:
            world.free_pages += pace * step
        world.hog_pages += hog * step
        world.file_pages += (load - back) * step
        world.memory_known_at = max(
            min(to, world.memory_known_at + step), math.nextafter(world.memory_known_at, INF)
        )
    world.memory_known_at = max(world.memory_known_at, now)


def switch_hog(world: World, now: float) -> None:
    """An episode is about to begin or to end at now: the hog starts, or gives back all it has."""
    bring_up_to_date(world, now)
    world.hog_wakes_at = now
    if world.in_episode > 0:
        world.free_pages, world.hog_pages = world.free_pages + world.hog_pages, 0.0
    elif now == 0.0:
        world.hog_wakes_at = world.memory_known_at = -world.hog_lead


def take_page(world: World, cpu: Cpu, now: float, mark: float) -> bool:
    """A page for the kernel's side at now, if more than `mark` are free: those in per-CPU lists do
    not count.
    """
    bring_up_to_date(world, now)
    if world.free_pages <= mark or world.free_pages < 1.0:
        return False
    if cpu.pcp_pages == 0:
        cpu.pcp_pages = min(world.pcp_batch, int(world.free_pages))
        world.free_pages -= cpu.pcp_pages
    cpu.pcp_pages -= 1
    world.kfree_rcu_pages += 1
    return True


def give_pages(world: World, cpu: Cpu, now: float, n: int) -> None:
    """n pages are freed at now, first into the list of the CPU."""
    bring_up_to_date(world, now)
    cpu.pcp_pages += n
    world.kfree_rcu_pages -= n
    while cpu.pcp_pages > world.pcp_high:
        cpu.pcp_pages -= world.pcp_batch
        world.free_pages += world.pcp_batch


def count_held_objects(world: World, n: int) -> None:
    """n more objects wait to be freed (or fewer): the slab pages they hold come from what the marks
    leave to all.
    """
    world.held_objects += n
    if world.deferred_objects_count == 0:
        return
    more = (world.held_objects * world.object_bytes + 4095) // 4096 - world.object_pages
    if n > 0 and more > 0:
        more = min(more, max(0, int(world.free_pages - world.nowait_mark)))
    elif n > 0 or more > 0:
        more = 0
    world.object_pages += more
    world.free_pages -= more


def take_head_object(world: World, cpu: Cpu, now: float, what: int) -> bool:
    """An rcu_head object at now: from the CPU's slab lists; else a page for them, which is all
    there is after a stall.
    """
    if world.head_alloc == HEAD_NONE:
        return False
    if what != HEAD_STALL and cpu.free_slab_objects > 0:
        cpu.free_slab_objects -= 1
        return True
    got = take_page(
        world,
        cpu,
        now,
        mark_after_stall(world)
        if what == HEAD_STALL or world.head_alloc == HEAD_TRYHARD
        else world.atomic_mark,
    )
    if got:
        cpu.free_slab_objects += world.slab_page_objects - 1
    return got


def mark_after_stall(world: World) -> float:
    """What a request for an object that slept has to pass: the last step of three_step is
    GFP_KERNEL.
    """
    return world.high_mark if world.head_alloc == HEAD_TRYHARD else world.nowait_mark


def free_wrappers(world: World, cpu: Cpu, now: float, n: int) -> None:
    """n wrappers go back to their slab pages at now; a CPU keeps a few empty pages."""
    cpu.free_slab_objects += n
    pages = cpu.free_slab_objects // world.slab_page_objects - world.slab_pages_kept
    if pages > 0:
        cpu.free_slab_objects -= pages * world.slab_page_objects
        give_pages(world, cpu, now, pages)


def median_stall(world: World, cpu: Cpu, now: float, what: int) -> float:
    """The median of a stall that begins at now: rounds until a page can be had, or until it gives
    up.
    """
    bring_up_to_date(world, now)
    rounds = 1
    if world.file_pages > 0.0:
        if what == HEAD_STALL:
            rounds = max(
                rounds, int(math.ceil((mark_after_stall(world) - world.free_pages + 1.0) / CLUSTER))
            )
        return rounds * world.stall_median
    if what == HEAD_STALL:  # allocate_slab() asks twice, first for one round only
        rounds += RETRIES if world.free_pages >= world.atomic_mark else 1
    return rounds * world.reclaim_round


def reclaim_pages(world: World, now: float, what: int) -> None:
    """A stall in direct reclaim ends at now: one round, or with __GFP_RETRY_MAYFAIL as many as it
    takes.
    """
    bring_up_to_date(world, now)
    n = min(
        max(CLUSTER, mark_after_stall(world) - world.free_pages + 1.0)
        if what == HEAD_STALL
        else CLUSTER,
        world.file_pages,
    )
    world.file_pages -= n
    world.free_pages += n


def refill_caches(world: World, cpu: Cpu, now: float) -> None:
    """The worker tops up the caches of the CPU at now: each page GFP_KERNEL | __GFP_NORETRY, until
    one fails.
    """
    for channel in range(1 + world.has_channel_caches):
        while cpu.cached_pages[channel] < world.cache_capacity:
            if not refill_one_page(world, cpu, now):
                return
            cpu.cached_pages[channel] += 1


def refill_one_page(world: World, cpu: Cpu, now: float) -> bool:
    """One page for the worker; a round of reclaim takes CPU time, of which worker and caller get
    turns of a round.
    """
    if world.has_page_memory == 0:
        return uniform(cpu.stall_stream) >= world.p_noretry_page_fails
    got = take_page(world, cpu, now, world.nowait_mark)
    if not got:
        turn = median_stall(world, cpu, now, LIST)
        if now > cpu.refill_turn_at + 2.0 * turn:  # it was idle: the caller has its turn first
            cpu.refill_turn_at = now + turn
        elif now >= cpu.refill_turn_at:
            cpu.cpu_free_at, cpu.refill_turn_at = max(cpu.cpu_free_at, now) + turn, now + 2.0 * turn
            reclaim_pages(world, now, LIST)
            got = take_page(world, cpu, now, world.nowait_mark)
    return got


compile_module()
