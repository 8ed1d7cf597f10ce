# SPDX-License-Identifier: GPL-2.0-only
"""kfree_rcu_work(): freeing a batch, a block or a piece of the list after another (rules R32 to R35
of docs/model.md).
"""

import math

from krcsim.engine.batches import owner_of_batch
from krcsim.engine.channels import total
from krcsim.engine.codes import (
    BATCH_IDLE,
    BATCH_READY,
    FREED_TOO_EARLY,
    LIST,
    ONE,
    PAGE_FREED,
    PAGE_TO_CACHE,
    SLAB,
    VMALLOC,
    WORK_ENDS,
    WORK_STARTS,
    WRAPPERS_TO_POOL,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import follow_reader
from krcsim.engine.live_objects import free_objects
from krcsim.engine.object_sizes import free_behind
from krcsim.engine.page_memory import (
    count_held_bytes,
    count_held_objects,
    free_wrappers,
    give_pages,
)
from krcsim.engine.pointers import batch_at, counters_at, cpu_at
from krcsim.engine.random_streams import INF
from krcsim.engine.ready_blocks import start_ready_work
from krcsim.engine.records import BLOCK_CHANNELS, CHANNELS, KFREE_N_BATCHES, Counters, Cpu, World
from krcsim.engine.sheaves import count_batched


def batches_on(world: World, cpu_index: int) -> range:
    """R32: the range of batches among which are all whose work is queued on a CPU."""
    if world.p_offloaded > 0.0:
        return range(KFREE_N_BATCHES * world.nr_cpus)
    return range(KFREE_N_BATCHES * cpu_index, KFREE_N_BATCHES * (cpu_index + 1))


def work_cost(world: World, cpu: Cpu, objects: int, wrappers: int) -> float:
    """R34: the CPU time of freeing objects on a CPU, and of those wrappers that its pool has no
    room for.
    """
    not_kept = max(0, wrappers - (world.pool_capacity - cpu.nr_emergency))
    return objects * world.free_cost + not_kept * world.list_free_cost


def start_next_step(world: World, cpu_index: int, now: float) -> None:
    """R34, kfree_rcu_work(): the work of a CPU goes on with its next step, else with the first of
    the work that became ready first.

    A step is a block, the newest first, or the list: where it holds the CPU, up to the next tick.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    if not (cpu.is_working or start_work(world, cpu, cpu_index, now)):
        return

    channel = LIST
    if cpu.work_objects[SLAB] > 0:
        channel = SLAB
    elif cpu.work_objects[VMALLOC] > 0:
        channel = VMALLOC

    objects = cpu.work_objects[channel]
    wrappers = 0
    if channel != LIST:
        blocks = cpu.work_blocks[channel]
        # Below 1 if a page request that may sleep left several blocks half empty.
        newest = objects - (blocks - 1) * world.block_entries
        if cpu.frees_ready:  # the oldest first, R58: only the head block may be partly filled
            newest = min(world.block_entries, objects - (blocks - 1))
        objects = newest if newest > 0 else (objects + blocks - 1) // blocks
    else:
        wrappers = cpu.work_wrappers
        if world.has_bursts and world.free_cost > 0.0:  # it may be preempted after any entry
            objects, wrappers = cut_list_at_tick(world, cpu, now, objects, wrappers)

    cpu.work_channel = channel
    cpu.work_step_objects = objects
    cpu.work_step_wrappers = wrappers
    cpu.work_step_ends_at = now + work_cost(world, cpu, objects, wrappers)


def cut_list_at_tick(
    world: World, cpu: Cpu, now: float, objects: int, wrappers: int
) -> tuple[int, int]:
    """R34: how many entries of a list, and how many wrappers among them, the work has freed when it
    has seen the next tick.

    Wrappers and heads of double-argument calls lie on it in even measure; the pool keeps the first
    wrappers.
    """
    left = math.floor(now) + 1.0 - now
    share = wrappers / objects
    pool_room = max(0, world.pool_capacity - cpu.nr_emergency)

    entries = left / world.free_cost
    if entries * share > pool_room:
        cost = world.free_cost + share * world.list_free_cost
        entries = (left + pool_room * world.list_free_cost) / cost

    whole = 1 + int(entries)
    return (whole, int(round(whole * share))) if whole < objects else (objects, wrappers)


def start_work(world: World, cpu: Cpu, cpu_index: int, now: float) -> bool:
    """R32 and R58, kfree_rcu_work(): the work of a CPU that became ready first takes its objects:
    those of a batch, or those that the monitor found ready; False if there is none.
    """
    chosen = -1
    for batch_index in batches_on(world, cpu_index):
        batch = batch_at(world.batches_address, batch_index)
        if batch.state == BATCH_READY and batch.work_cpu == cpu_index:
            first = batch_at(world.batches_address, max(0, chosen))
            if chosen < 0 or batch.work_queued_at < first.work_queued_at:
                chosen = batch_index
    if world.has_ready_blocks and cpu.ready_since < INF:
        first = batch_at(world.batches_address, max(0, chosen))
        if chosen < 0 or cpu.ready_since <= first.work_queued_at:
            start_ready_work(world, cpu, cpu_index)
            begin_work(world, cpu, now)
            return True
    if chosen < 0:
        return False

    take_batch(world, cpu, chosen, now)
    begin_work(world, cpu, now)
    return True


def take_batch(world: World, cpu: Cpu, chosen: int, now: float) -> None:
    """R33: the work takes all channels of a batch, which is free again."""
    batch = batch_at(world.batches_address, chosen)
    owner = owner_of_batch(chosen)
    objects = total(batch.objects)
    log_event(world, now, WORK_STARTS, owner, float(objects))

    early = 0
    for channel in range(CHANNELS):
        early += batch.objects[channel] * (batch.channel_gp[channel] > world.gps_done)
        cpu.work_objects[channel] = batch.objects[channel]
        batch.objects[channel] = 0
    for channel in range(BLOCK_CHANNELS):
        cpu.work_blocks[channel] = batch.blocks[channel]
        batch.blocks[channel] = 0
    cpu.work_wrappers = batch.wrappers
    batch.wrappers = 0

    if early > 0:
        counters_at(world.counters_address, world.window).early_frees += early
        log_event(world, now, FREED_TOO_EARLY, owner, float(early))

    cpu.frees_ready = 0
    cpu.work_owner = owner
    cpu.work_total_objects = objects
    batch.state = BATCH_IDLE


def begin_work(world: World, cpu: Cpu, now: float) -> None:
    """R29 and R32: a work that has taken its objects has the CPU."""
    if world.reader_section > 0.0:
        follow_reader(world, cpu, now)

    cpu.is_working = 1
    cpu.work_began_at = now


def finish_step(world: World, cpu_index: int, now: float) -> None:
    """R34: a step of the work on a CPU ends, and after its last the whole work."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    counters = counters_at(world.counters_address, world.window)
    objects = cpu.work_step_objects
    channel = cpu.work_channel

    counters.peak = max(counters.peak, world.deferred_objects)
    world.deferred_objects -= objects
    if world.nr_sizes > 1:
        count_held_bytes(world, -free_behind(world, objects, now))
    else:
        count_held_objects(world, -objects)
    if world.has_live_objects:
        free_objects(world, cpu, now, objects)
    counters.freed += objects
    counters.area += objects * now
    if world.sheaf_entries > 0:
        count_batched(world, -objects, now)
    cpu.work_objects[channel] -= objects

    if channel == LIST:
        return_wrappers(world, cpu, cpu_index, now, counters)
    else:
        return_page(world, cpu, cpu_index, now, channel, counters)

    if total(cpu.work_objects) == 0:
        end_work(world, cpu, now)


def return_wrappers(world: World, cpu: Cpu, cpu_index: int, now: float, counters: Counters) -> None:
    """R34: the wrappers of a step go to the pool of the work's CPU while there is room."""
    wrappers = cpu.work_step_wrappers
    cpu.work_wrappers -= wrappers

    kept = max(0, min(wrappers, world.pool_capacity - cpu.nr_emergency))
    if kept > 0:
        cpu.nr_emergency += kept
        counters.pool_returned += kept
        log_event(world, now, WRAPPERS_TO_POOL, cpu_index, float(kept))

    if world.has_page_memory:
        free_wrappers(world, cpu, now, wrappers - kept)


def return_page(
    world: World, cpu: Cpu, cpu_index: int, now: float, channel: int, counters: Counters
) -> None:
    """R34, put_cached_bnode(): the page of a block goes to a cache if there is room, else to the
    allocator.
    """
    cpu.work_blocks[channel] -= 1
    target_index = cpu_index if world.pages_go_to_worker else cpu.work_owner
    target = cpu_at(world.cpus_address, target_index)
    cache = channel * world.has_channel_caches

    if target.cached_pages[cache] < world.cache_capacity:
        target.cached_pages[cache] += 1
        counters.pages_returned += 1
        log_event(world, now, PAGE_TO_CACHE, target_index, float(target.cached_pages[cache]))
    else:
        counters.pages_freed += 1
        if world.has_page_memory:
            give_pages(world, target, now, ONE)
        log_event(world, now, PAGE_FREED, target_index, 0.0)


def end_work(world: World, cpu: Cpu, now: float) -> None:
    """R6 and R29: a work is done; calls reuse the objects that it freed, and the reader, of lower
    priority, goes on.
    """
    cpu.is_working = 0
    cpu.work_step_ends_at = INF
    cpu.cpu_free_at = max(cpu.cpu_free_at, now)
    cpu.reusable_objects = min(world.reuse_capacity, cpu.reusable_objects + cpu.work_total_objects)

    if world.reader_section > 0.0:
        was_between = cpu.section_begins_at >= cpu.work_began_at
        since = cpu.section_begins_at if was_between else cpu.section_ends_at
        late = max(0.0, now - since)
        cpu.section_ends_at += late
        if was_between:
            cpu.section_begins_at += late

    log_event(world, now, WORK_ENDS, cpu.work_owner, 0.0)
