# SPDX-License-Identifier: GPL-2.0-only
"""Memory as pages: free pages and watermarks, what takes pages and what brings them back.

It is brought up to date whenever a request looks at it (rules R37 to R43 of docs/model.md; what
callers allocate, and reclaim that they share, R80 to R86).
"""

import math

from krcsim.engine.channels import count_cached_pages
from krcsim.engine.codes import (
    ALL_CPUS,
    HEAD_NONE,
    HEAD_STALL,
    HEAD_THREE_STEP,
    HEAD_TRYHARD,
    OOM_END,
    OOM_KILL,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.pointers import counters_at, cpu_at, size_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import Cpu, World

# SWAP_CLUSTER_MAX: a round of direct reclaim ends when it has so many pages.
CLUSTER = 32.0

# Rounds without progress until no_progress_loops is above MAX_RECLAIM_RETRIES = 16. In the kernel
# runs that is seen while 3/8 of the min watermark are free: their stalls last 15 ms, which is the
# CPU time of so many rounds. With nothing free they last 2 ms, since should_reclaim_retry() says no
# at once.
RETRIES = 17

# MAX_RECLAIM_RETRIES: a request that may not fail invokes the OOM killer after so many rounds of
# reclaim without progress.
MAX_RECLAIM_RETRIES = 16

PAGE_SIZE = 4096  # bytes
NO_FILE_PAGES = 1e-6  # less page cache than this is rounding


def boot_memory(world: World) -> None:
    """R37: the memory at time 0; cached pages and the pages of the slab lists are taken already."""
    world.free_pages = world.free_pages_at_boot
    world.file_pages = world.file_pages_at_boot
    world.other_pages = world.other_pages_at_boot
    world.oom_frees_at = INF
    world.starves_until = INF

    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        cpu.free_slab_objects = world.slab_pages_kept * world.slab_page_objects
        world.kfree_rcu_pages += count_cached_pages(world, cpu) + world.slab_pages_kept


def follow_memory(world: World, until: float) -> None:
    """R40: what the hog, the load and kswapd do until a time; free pages move at a steady pace from
    mark to mark.
    """
    while world.memory_known_at < until:
        if world.oom_frees_at <= world.memory_known_at:
            finish_kill(world)
        switch_kswapd(world)

        # The hog takes pages; or it sleeps, and the step goes no further than its sleep.
        hog = 0.0
        step_until = min(until, world.oom_frees_at)
        if world.has_hog > 0 and world.in_episode > 0:
            hog = pace_of_hog(world)
            if hog == 0.0 and world.hog_wakes_at > world.memory_known_at:
                step_until = min(step_until, world.hog_wakes_at)

        # The load reads files into the page cache, and kswapd frees pages of it. Without page cache
        # kswapd frees no more than is read; below the min watermark the readers have to reclaim
        # what they read, and read no more than is freed.
        load = world.load_rate if world.in_episode > 0 else 0.0
        reclaimed = world.kswapd_rate if world.kswapd_runs > 0 else 0.0
        if world.file_pages <= 0.0:
            reclaimed = min(reclaimed, load)
        if world.free_pages <= world.min_wmark:
            load = min(load, reclaimed)
        growth = 0.0
        if world.has_growth:
            growth, own = growth_now(world, reclaimed - load)
            reclaimed += own
            if growth < world.growth_rate * world.waiting_calls and own == 0.0:
                step_until = min(step_until, time_of_oom(world), world.oom_frees_at)
            else:
                world.starves_until = INF

        # On to the next mark, or to the end of the step.
        step = step_until - world.memory_known_at
        pace = reclaimed - load - hog - growth
        if world.has_growth and abs(pace) < NO_FILE_PAGES:  # what grows takes all there is
            pace = 0.0
        mark = world.high_wmark
        if reclaimed > load:
            step = min(step, world.file_pages / (reclaimed - load))
        if pace < 0.0:
            mark = next_mark_below(world, hog, load + growth)
        if pace != 0.0 and (mark - world.free_pages) / pace <= step:
            step = (mark - world.free_pages) / pace
            world.free_pages = mark
        else:
            world.free_pages += pace * step

        world.hog_pages += hog * step
        world.grown_pages += growth * step
        world.file_pages += (load - reclaimed) * step
        world.memory_known_at = max(
            min(step_until, world.memory_known_at + step),
            math.nextafter(world.memory_known_at, INF),
        )

    world.memory_known_at = max(world.memory_known_at, until)
    if world.oom_frees_at <= until:
        finish_kill(world)


def growth_now(world: World, left: float) -> tuple[float, float]:
    """R83: pages a tick that grow now while calls wait, and those of them that come from the page
    cache, by direct reclaim: at the min watermark, where kswapd leaves too few.
    """
    growth = world.growth_rate * world.waiting_calls
    if world.free_pages > world.min_wmark + NO_FILE_PAGES:
        return growth, 0.0

    from_kswapd = min(growth, max(0.0, left))
    own = 0.0
    if world.file_pages > 0.0:
        own = growth - from_kswapd
        if world.reclaim_rate > 0.0:
            own = min(own, world.reclaim_rate)
    return from_kswapd + own, own


def time_of_oom(world: World) -> float:
    """R86: when a growth that finds nothing invokes the OOM killer, if it goes on finding nothing;
    it does so here if that is now.
    """
    if world.memory_known_at >= world.starves_until:
        out_of_memory(world, world.memory_known_at)
        world.starves_until = INF
    if world.oom_frees_at < INF or world.is_out_of_memory or world.is_past_horizon:
        return INF

    if world.starves_until == INF:
        world.starves_until = world.memory_known_at + MAX_RECLAIM_RETRIES * world.reclaim_round
    return world.starves_until


def out_of_memory(world: World, now: float) -> None:
    """R86, out_of_memory(): a task is killed, whose pages are free a while later, unless that is
    under way; or the run ends.
    """
    if world.oom_frees_at < INF or world.is_out_of_memory or world.is_past_horizon:
        return

    counters_at(world.counters_address, world.window).ooms += 1
    if world.oom_frees_pages > 0.0 and world.grown_pages + world.other_pages >= 1.0:
        world.oom_frees_at = now + world.oom_delay
        log_event(world, now, OOM_KILL, ALL_CPUS, world.oom_frees_pages)
    else:
        world.is_out_of_memory = 1
        log_event(world, now, OOM_END, ALL_CPUS, 0.0)


def finish_kill(world: World) -> None:
    """R86: the pages of a kill are free: first those that grew, then those of other tasks."""
    world.oom_frees_at = INF
    grown = min(world.oom_frees_pages, world.grown_pages)
    others = min(world.oom_frees_pages - grown, world.other_pages)
    world.grown_pages -= grown
    world.other_pages -= others
    world.free_pages += grown + others


def pace_of_hog(world: World) -> float:
    """R40: the pages a tick that the hog takes now, in an episode; if it finds none to take it goes
    to sleep.
    """
    is_awake = world.hog_wakes_at <= world.memory_known_at
    if is_awake and world.free_pages <= world.hog_mark:
        world.hog_wakes_at = world.memory_known_at + world.hog_sleep

    return world.hog_rate if world.hog_wakes_at <= world.memory_known_at else 0.0


def switch_kswapd(world: World) -> None:
    """R40 and R53, kswapd(): it starts at the low watermark and stops at the high one."""
    if world.file_pages < NO_FILE_PAGES:
        world.file_pages = 0.0

    if world.free_pages >= world.high_wmark:
        world.kswapd_runs = 0
    elif world.free_pages <= world.low_wmark:
        if world.has_shrinker and world.kswapd_runs == 0:
            for cpu_index in range(world.nr_cpus):  # R53: kfree_rcu_shrink_count()
                cpu_at(world.cpus_address, cpu_index).backs_off = 1
        world.kswapd_runs = 1


def next_mark_below(world: World, hog: float, load: float) -> float:
    """R40: the number of free pages, below the present one, at which the next pace changes: of the
    hog, the load (and what grows) or kswapd.
    """
    mark = world.hog_mark if hog > 0.0 else 0.0

    if load > 0.0 and world.free_pages > world.min_wmark:
        mark = max(mark, world.min_wmark)
    if world.free_pages > world.low_wmark:
        mark = max(mark, world.low_wmark)

    return mark


def switch_hog(world: World, now: float) -> None:
    """R40: an episode is about to begin or to end; the hog starts, or gives back all it has."""
    follow_memory(world, now)
    world.hog_wakes_at = now

    if world.in_episode > 0:
        world.free_pages = world.free_pages + world.hog_pages
        world.hog_pages = 0.0
    elif now == 0.0:
        world.memory_known_at = -world.hog_lead
        world.hog_wakes_at = -world.hog_lead


def take_page(world: World, cpu: Cpu, now: float, mark: float) -> bool:
    """R39 and R87, __alloc_pages(): a page for kfree_rcu() if more pages than the mark are free;
    those in per-CPU lists do not count.
    """
    follow_memory(world, now)
    if world.free_pages <= mark or world.free_pages < 1.0:
        return False

    if cpu.pcp_pages == 0:
        cpu.pcp_pages = min(world.pcp_batch, int(world.free_pages))
        world.free_pages -= cpu.pcp_pages

    cpu.pcp_pages -= 1
    world.kfree_rcu_pages += 1
    counters_at(world.counters_address, world.window).pages_asked += not world.is_past_horizon
    return True


def give_pages(world: World, cpu: Cpu, now: float, pages: int) -> None:
    """R39, free_page(): pages are freed, first into the list of the CPU."""
    follow_memory(world, now)
    cpu.pcp_pages += pages
    world.kfree_rcu_pages -= pages
    if not world.is_past_horizon:
        counters_at(world.counters_address, world.window).pages_released += pages

    while cpu.pcp_pages > world.pcp_high:
        cpu.pcp_pages -= world.pcp_batch
        world.free_pages += world.pcp_batch


def count_held_objects(world: World, objects: int) -> None:
    """R43: so many more objects, all of one size, wait to be freed (or fewer, if negative)."""
    count_held_bytes(world, objects * world.object_bytes)


def count_held_bytes(world: World, change: int) -> None:
    """R43, R80 and R114: so many bytes more wait to be freed (or fewer, if negative); the slab
    pages that they hold are taken from the free pages above the min watermark, as far as there are
    any.
    """
    if world.deferred_objects_count == 0:
        return
    world.held_bytes += change
    if world.release_share < 1.0:
        follow_memory(world, world.now)

    needed = (world.held_bytes + PAGE_SIZE - 1) // PAGE_SIZE
    more = needed - world.object_pages
    if change > 0 and more > 0:
        more = min(more, max(0, int(world.free_pages - world.min_wmark)))
    elif change > 0 or more > 0:
        more = 0
    else:
        more = -count_released_pages(world, change, -more)

    world.object_pages += more
    world.free_pages -= more


def count_released_pages(world: World, change: int, spare: int) -> int:
    """R80: the pages that become free of `spare` ones that no deferred object holds any more; the
    others stay in slab pages, where the next objects find room.
    """
    pages = spare
    if world.release_share < 1.0:
        needed_before = (world.held_bytes - change + PAGE_SIZE - 1) // PAGE_SIZE
        left_before = max(0, world.object_pages - needed_before)
        share = world.release_share
        if world.nr_sizes > 1:
            share = release_share_of_freed(world)
        world.released_part += share * (spare - left_before)
        pages = min(spare, int(world.released_part))
        world.released_part -= pages
        if not world.is_past_horizon:
            counters_at(world.counters_address, world.window).pages_released += pages

    return pages


def release_share_of_freed(world: World) -> float:
    """R114: of the bytes that are freed now the share whose pages become free."""
    freed = 0.0
    released = 0.0
    for number in range(world.nr_sizes):
        size = size_at(world.sizes_address, number)
        freed += size.moved * size.object_bytes
        released += size.moved * size.object_bytes * size.release_share
    return released / max(1.0, freed)


def head_request_may_sleep(world: World) -> bool:
    """R17: whether a request for an rcu_head object may stall in direct reclaim."""
    return world.head_alloc == HEAD_TRYHARD or world.head_alloc == HEAD_THREE_STEP


def mark_after_stall(world: World) -> float:
    """R38: what a request for an object that slept has to pass; the last step of three_step is
    GFP_KERNEL.
    """
    return world.gfp_high_mark if world.head_alloc == HEAD_TRYHARD else world.min_wmark


def take_head_object(world: World, cpu: Cpu, now: float, after: int) -> bool:
    """R41, kmalloc(): an rcu_head object, from the slab lists of the CPU or with a page for them;
    after a stall for it only the page is tried.
    """
    if world.head_alloc == HEAD_NONE:
        return False

    if after != HEAD_STALL and cpu.free_slab_objects > 0:
        cpu.free_slab_objects -= 1
        return True

    mark = world.gfp_atomic_mark
    if after == HEAD_STALL or world.head_alloc == HEAD_TRYHARD:
        mark = mark_after_stall(world)

    got = take_page(world, cpu, now, mark)
    if got:
        cpu.free_slab_objects += world.slab_page_objects - 1
    return got


def free_wrappers(world: World, cpu: Cpu, now: float, wrappers: int) -> None:
    """R41, kfree(): wrappers go back to their slab pages; a CPU keeps a few empty pages."""
    cpu.free_slab_objects += wrappers
    pages = cpu.free_slab_objects // world.slab_page_objects - world.slab_pages_kept

    if pages > 0:
        cpu.free_slab_objects -= pages * world.slab_page_objects
        give_pages(world, cpu, now, pages)


def median_stall(world: World, cpu: Cpu, now: float, waits_for: int) -> float:
    """R42: the median of a stall that begins now: rounds of reclaim until a page can be had, or
    until it gives up.
    """
    follow_memory(world, now)
    rounds = 1

    if world.file_pages > 0.0:
        if waits_for == HEAD_STALL:
            missing = mark_after_stall(world) - world.free_pages + 1.0
            rounds = max(rounds, int(math.ceil(missing / CLUSTER)))
        return rounds * world.stall_median

    if waits_for == HEAD_STALL:  # allocate_slab() asks twice, first for one round only
        rounds += RETRIES if world.free_pages >= world.gfp_atomic_mark else 1
    return rounds * world.reclaim_round


def reclaim_pages(world: World, now: float, waits_for: int) -> float:
    """R42 and R85, __alloc_pages_direct_reclaim(): a stall ends with one round, or with
    __GFP_RETRY_MAYFAIL with as many as it takes; returns the pages that it found.
    """
    pages = pages_to_find(world, now, waits_for)
    if world.reclaim_rate > 0.0:
        pages = take_share_of_reclaim(world, now, pages)
    world.file_pages -= pages
    world.free_pages += pages
    if not world.is_past_horizon:
        counters_at(world.counters_address, world.window).pages_reclaimed += pages
    return pages


def reclaim_for_worker(world: World, now: float, waits_for: int) -> float:
    """R42, R44 and R50: the same for the refill worker, which shares with nobody."""
    pages = pages_to_find(world, now, waits_for)
    world.file_pages -= pages
    world.free_pages += pages
    return pages


def pages_to_find(world: World, now: float, waits_for: int) -> float:
    """R42: the pages that a stall finds, if nobody else does."""
    follow_memory(world, now)
    pages = CLUSTER
    if waits_for == HEAD_STALL:
        pages = max(CLUSTER, mark_after_stall(world) - world.free_pages + 1.0)
    return min(pages, world.file_pages)


def join_reclaim(world: World, now: float) -> None:
    """R85: a stall begins, and shares what reclaim finds with those under way."""
    if world.reclaimers > 0:
        world.pages_found += world.reclaim_rate * (now - world.reclaim_known_at)
    world.reclaim_known_at = now
    world.reclaimers += 1


def take_share_of_reclaim(world: World, now: float, wanted: float) -> float:
    """R85: a stall ends, and takes as many of the pages found since as it wants and there are."""
    world.pages_found += world.reclaim_rate * (now - world.reclaim_known_at)
    world.reclaim_known_at = now
    taken = min(wanted, world.pages_found)

    world.reclaimers -= 1
    world.pages_found = world.pages_found - taken if world.reclaimers > 0 else 0.0
    return taken
