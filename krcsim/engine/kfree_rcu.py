# SPDX-License-Identifier: GPL-2.0-only
"""kvfree_call_rcu(), its monitor and its work, as in docs/model.md; the caller has settled the
CPU's dull calls.
"""

import math

from krcsim.engine.calendar import free_slot, log_event, push_held_call
from krcsim.engine.codes import (
    BATCH_ASKS,
    BATCH_IDLE,
    BATCH_JOINED,
    BATCH_QUEUED,
    BATCH_WAITS,
    DRAINED_EARLY,
    FREED_TOO_EARLY,
    HEAD_ALLOCATED,
    HEAD_FROM_POOL,
    HEAD_STALL,
    HEAD_TRYHARD,
    LIST,
    MONITOR_ARMED,
    MONITOR_REARMED,
    NO_STALL,
    OWN_HEAD_LISTED,
    PAGE_ALLOCATED,
    PAGE_FAILED,
    PAGE_FREED,
    PAGE_FROM_CACHE,
    PAGE_STALL,
    PAGE_TO_CACHE,
    SLAB,
    STALL_BEGINS,
    VMALLOC,
    WORK_ENDS,
    WORK_STARTS,
    WRAPPERS_TO_POOL,
)
from krcsim.engine.compiling import compile_module, part
from krcsim.engine.grace_periods import (
    advance_reader,
    begin_wait,
    next_full_grace_period,
    request_grace_period,
)
from krcsim.engine.page_memory import (
    count_held_objects,
    free_wrappers,
    give_pages,
    median_stall,
    reclaim_pages,
    refill_caches,
    take_head_object,
    take_page,
)
from krcsim.engine.random_streams import INF, normal
from krcsim.engine.records import Cpu, HeldCall, World, batch_at, counters_at, cpu_at


def arm_monitor(world: World, cpu: Cpu, i: int, now: float, code: int) -> None:
    """The monitor's timer is set at now: the timer wheel rounds up its jiffies."""
    shift = 0
    while shift < 24 and world.drain_jiffies >= 63 << shift:
        shift += 3
    cpu.monitor_at = float((((int(math.floor(now)) + world.drain_jiffies) >> shift) + 1) << shift)
    log_event(world, now, code, i, cpu.monitor_at)


def receive_page(
    world: World, cpu: Cpu, i: int, now: float, channel: int, win: int, success: bool
) -> None:
    """A page request of a call made in window win ends at now: a new head block?"""
    out = counters_at(world.counters_address, win)
    out.page_ok += success
    out.page_fail += not success
    log_event(world, now, PAGE_ALLOCATED if success else PAGE_FAILED, i, 0.0)
    if success:
        cpu.head_block_room[channel], cpu.queued_blocks[channel] = (
            world.block_entries,
            cpu.queued_blocks[channel] + 1,
        )


def enqueue(world: World, cpu: Cpu, i: int, now: float, channel: int, win: int) -> None:
    """An object of a call made in window win joins the channel: count it, arm the monitor."""
    cpu.queued_objects[channel] += 1
    if channel == LIST:
        counters_at(world.counters_address, win).list_pushes += 1
    else:
        cpu.head_block_room[channel] -= 1
    if world.is_past_horizon:  # a stall outlasted the run: nobody will drain this one
        return
    out = counters_at(world.counters_address, world.window)
    world.deferred_objects += 1
    count_held_objects(world, 1)
    out.queued += 1
    out.area -= now
    if cpu.monitor_at == INF:
        if channel == LIST and world.drains_list_at_once:
            log_event(world, now, DRAINED_EARLY, i, 0.0)
            kfree_rcu_monitor(world, cpu, i, now)
        else:
            arm_monitor(world, cpu, i, now, MONITOR_ARMED)


def begin_stall(world: World, cpu: Cpu, i: int, now: float, held_call: HeldCall, what: int) -> bool:
    """The call stalls in reclaim: its rest waits in the heap. False if the stall has no length."""
    out, held_call.waits_for = counters_at(world.counters_address, held_call.window), what
    out.stalls += 1
    median = median_stall(world, cpu, now, what) if world.has_page_memory else world.stall_median
    if median > 0.0:
        ticks = median * math.exp(world.stall_sigma * normal(cpu.stall_stream))
        out.stall_ms += ticks * world.tick_ms
        log_event(world, now, STALL_BEGINS, i, ticks * world.tick_ms)
        push_held_call(world, now + ticks)
    return median > 0.0


@part
def kvfree_call_rcu(
    world: World,
    cpu: Cpu,
    i: int,
    now: float,
    channel: int,
    single: bool,
    u_page: float,
    u_head: float,
    prod: int,
) -> bool:
    """kvfree_call_rcu() at now; True if the caller is now held up (waits or stalls)."""
    out = counters_at(world.counters_address, world.window)
    out.single += single
    out.single_episode += single * world.in_episode
    out.double += not single
    out.double_episode += (not single) * world.in_episode
    bulk = cpu.head_block_room[channel] > 0
    if world.has_array_path and not bulk:
        cache = channel * world.has_channel_caches
        if world.has_page_memory and cpu.cached_pages[cache] == 0:
            u_page = 1.0 * take_page(world, cpu, now, world.nowait_mark)
        if cpu.cached_pages[cache] > 0:
            cpu.cached_pages[cache] -= 1
            out.cache_hits += 1
            log_event(world, now, PAGE_FROM_CACHE, i, float(cpu.cached_pages[cache]))
            cpu.head_block_room[channel], cpu.queued_blocks[channel] = (
                world.block_entries,
                cpu.queued_blocks[channel] + 1,
            )
            bulk = True
        elif u_page >= world.p_page_fails or not (single and world.asks_noretry):
            bulk = u_page >= world.p_page_fails
            receive_page(world, cpu, i, now, channel, world.window, bulk)
            if world.has_refill_worker:
                refill_caches(world, cpu, now)
    if bulk or not single:
        if not bulk:
            log_event(world, now, OWN_HEAD_LISTED, i, 0.0)
        enqueue(world, cpu, i, now, channel if bulk else LIST, world.window)
        return False
    held_call = free_slot(world)
    (
        held_call.cpu,
        held_call.producer,
        held_call.window,
        held_call.called_at,
        held_call.channel,
        held_call.u_head,
    ) = i, prod, world.window, now, channel, u_head
    held_call.episode, held_call.episode_window, held_call.episode_has_waited = (
        world.episode_number * world.in_episode,
        world.episode_window,
        world.episode_has_waited,
    )
    # Probabilities of the moment of the call: when it stalls (fh), when it fails at last (ff).
    (
        held_call.waits_for,
        held_call.p_head_fails_at_first,
        held_call.p_head_fails_after_reclaim,
        held_call.page_fails,
    ) = (
        NO_STALL,
        world.p_head_fails_at_first,
        world.p_head_fails_after_reclaim,
        u_page < world.p_noretry_page_fails,
    )
    cpu.stalled_failing_calls += u_head < p_no_head(world) and (
        held_call.page_fails or not world.asks_noretry
    )
    return (
        world.asks_noretry and begin_stall(world, cpu, i, now, held_call, PAGE_STALL)
    ) or go_on_after_stall(world, cpu, i, now, held_call)


def p_no_head(world: World) -> float:
    """P(a single-argument call without a page gets no rcu_head, at once or after reclaim)."""
    return (
        min(world.p_head_fails_at_first, world.p_head_fails_after_reclaim)
        if world.head_alloc >= HEAD_TRYHARD
        else world.p_head_fails_at_first
    )


def go_on_after_stall(world: World, cpu: Cpu, i: int, now: float, held_call: HeldCall) -> bool:
    """The call goes on at now, after its stall; True if its caller is now held up."""
    if world.has_page_memory and held_call.waits_for != NO_STALL:
        reclaim_pages(world, now, held_call.waits_for)
    if held_call.waits_for == PAGE_STALL:
        if world.has_page_memory:
            held_call.page_fails = not take_page(world, cpu, now, world.nowait_mark)
        receive_page(
            world, cpu, i, now, held_call.channel, held_call.window, not held_call.page_fails
        )
        if world.has_refill_worker:
            refill_caches(world, cpu, now)
        if not held_call.page_fails:
            enqueue(world, cpu, i, now, held_call.channel, held_call.window)
            return False
    if world.has_page_memory:
        held_call.u_head = 1.0 * take_head_object(world, cpu, now, held_call.waits_for)
    got = held_call.u_head >= (
        held_call.p_head_fails_after_reclaim
        if held_call.waits_for == HEAD_STALL
        else held_call.p_head_fails_at_first
    )
    if (
        not got and held_call.waits_for != HEAD_STALL and world.head_alloc >= HEAD_TRYHARD
    ):  # these may sleep
        if begin_stall(world, cpu, i, now, held_call, HEAD_STALL):
            return True
        if world.has_page_memory:
            reclaim_pages(world, now, HEAD_STALL)
            held_call.u_head = 1.0 * take_head_object(world, cpu, now, HEAD_STALL)
        got = held_call.u_head >= held_call.p_head_fails_after_reclaim
    if not got:
        cpu.stalled_failing_calls -= 1
        if cpu.nr_emergency == 0:
            begin_wait(world, now, held_call)
            return True
        cpu.nr_emergency -= 1
        counters_at(world.counters_address, held_call.window).pool_hits += 1
    cpu.queued_blocks[LIST], world.call_got_wrapper = cpu.queued_blocks[LIST] + 1, got
    log_event(world, now, HEAD_ALLOCATED if got else HEAD_FROM_POOL, i, float(cpu.nr_emergency))
    enqueue(world, cpu, i, now, LIST, held_call.window)
    return False


def kfree_rcu_monitor(world: World, cpu: Cpu, i: int, now: float) -> None:
    """kfree_rcu_monitor() and the drain, at now."""
    out = counters_at(world.counters_address, world.window)
    cpu.monitor_at, any_queued, left = INF, False, False
    for s in range(2 * i, 2 * i + 2):
        k = batch_at(world.batches_address, s)
        take = False
        for channel in range(3):
            take |= cpu.queued_objects[channel] > 0 and k.objects[channel] == 0
        if take and (world.attaches_to_pending or k.objects.sum() == 0):
            any_queued = True
            need = next_full_grace_period(world)
            log_event(
                world,
                now,
                BATCH_ASKS if k.state == BATCH_IDLE else BATCH_JOINED,
                i,
                float(cpu.queued_objects.sum()),
            )
            if (
                k.state == BATCH_IDLE
                # a batch that is pending already asks for nothing: queue_rcu_work() does nothing
                # then
            ):
                k.state, k.needed_gp, k.asked_at = (
                    BATCH_WAITS,
                    request_grace_period(world, now),
                    now,
                )
            for channel in range(3):
                if cpu.queued_objects[channel] > 0 and k.objects[channel] == 0:
                    k.objects[channel], k.blocks[channel], k.channel_gp[channel] = (
                        cpu.queued_objects[channel],
                        cpu.queued_blocks[channel],
                        need,
                    )
                    cpu.queued_objects[channel] = cpu.queued_blocks[channel] = cpu.head_block_room[
                        channel
                    ] = 0
        left |= (
            cpu.queued_objects.sum() > 0
        )  # asked after each batch: the first being busy is enough, as in v5.9
    out.drains += any_queued
    if left if world.rearms_if_left else not any_queued:
        out.rearms += 1
        arm_monitor(world, cpu, i, now, MONITOR_REARMED)


def batches_on(world: World, x: int) -> range:
    """The range of the batches among which are all whose work is queued on CPU x."""
    return range(2 * world.nr_cpus) if world.p_offloaded > 0.0 else range(2 * x, 2 * x + 2)


def work_cost(world: World, cpu: Cpu, size: int, wrappers: int) -> float:
    """The CPU time of freeing objects on CPU cpu, and of those wrappers that its pool has no place
    for.
    """
    return (
        size * world.free_cost
        + max(0, wrappers - (world.pool_capacity - cpu.nr_emergency)) * world.list_free_cost
    )


@part
def start_next_step(world: World, x: int, now: float) -> None:
    """kfree_rcu_work() goes on at now on CPU x: its next step, else that of the readiest work."""
    cpu = cpu_at(world.cpus_address, x)
    if not (cpu.is_working or start_work(world, cpu, x, now)):
        return
    # A block, the newest first, or the list: where it holds the CPU, up to the next tick.
    channel = (
        SLAB if cpu.work_objects[SLAB] > 0 else VMALLOC if cpu.work_objects[VMALLOC] > 0 else LIST
    )
    size, blocks = cpu.work_objects[channel], cpu.work_blocks[channel]
    if channel != LIST:
        newest = (
            size - (blocks - 1) * world.block_entries
        )  # below 1 if a sleepable page request left blocks half empty
        size = newest if newest > 0 else (size + blocks - 1) // blocks
    elif world.has_bursts and world.free_cost > 0.0:  # it may be preempted after any entry
        size, blocks = cut_list_at_tick(world, cpu, now, size, blocks)
    cpu.work_channel, cpu.work_step_objects, cpu.work_step_wrappers = (
        channel,
        size,
        blocks if channel == LIST else 0,
    )
    cpu.work_step_ends_at = now + work_cost(world, cpu, size, cpu.work_step_wrappers)


def cut_list_at_tick(
    world: World, cpu: Cpu, now: float, size: int, wrappers: int
) -> tuple[int, int]:
    """How many entries of a list, and how many wrappers among them, the work has freed when it has
    seen the next tick.

    Wrappers and heads of double-argument calls lie on it in even measure; the pool keeps the first
    wrappers.
    """
    left, share, room = (
        math.floor(now) + 1.0 - now,
        wrappers / size,
        max(0, world.pool_capacity - cpu.nr_emergency),
    )
    n = left / world.free_cost
    if n * share > room:
        n = (left + room * world.list_free_cost) / (world.free_cost + share * world.list_free_cost)
    n = 1 + int(n)
    return (n, int(round(n * share))) if n < size else (size, wrappers)


def start_work(world: World, cpu: Cpu, x: int, now: float) -> bool:
    """The readiest work of CPU x takes its batch's channels at now; False if there is none."""
    s = -1
    for b in batches_on(world, x):
        k = batch_at(world.batches_address, b)
        if (
            k.state == BATCH_QUEUED
            and k.work_cpu == x
            and (s < 0 or k.queued_at < batch_at(world.batches_address, s).queued_at)
        ):
            s = b
    if s < 0:
        return False
    k = batch_at(world.batches_address, s)
    log_event(world, now, WORK_STARTS, s >> 1, float(k.objects.sum()))
    early = 0
    for channel in range(3):
        early += k.objects[channel] * (k.channel_gp[channel] > world.gps_done)
        cpu.work_objects[channel], cpu.work_blocks[channel] = k.objects[channel], k.blocks[channel]
        k.objects[channel] = k.blocks[channel] = 0
    if early > 0:
        counters_at(world.counters_address, world.window).early_frees += early
        log_event(world, now, FREED_TOO_EARLY, s >> 1, float(early))
    if world.reader_section > 0.0:
        advance_reader(world, cpu, now)
    cpu.work_began_at, cpu.is_working, cpu.work_owner, cpu.work_total_objects, k.state = (
        now,
        1,
        s >> 1,
        cpu.work_objects.sum(),
        BATCH_IDLE,
    )
    return True


@part
def finish_step(world: World, x: int, now: float) -> None:
    """The step of the work on CPU x, and the whole work after its last, ends at now."""
    cpu, out = cpu_at(world.cpus_address, x), counters_at(world.counters_address, world.window)
    n, channel = cpu.work_step_objects, cpu.work_channel
    out.peak = max(out.peak, world.deferred_objects)
    world.deferred_objects -= n
    count_held_objects(world, -n)
    out.freed += n
    out.area += n * now
    cpu.work_objects[channel] -= n
    if channel == LIST:
        cpu.work_blocks[LIST] -= cpu.work_step_wrappers
        kept = max(0, min(cpu.work_step_wrappers, world.pool_capacity - cpu.nr_emergency))
        if kept > 0:
            cpu.nr_emergency += kept
            out.pool_returned += kept
            log_event(world, now, WRAPPERS_TO_POOL, x, float(kept))
        if world.has_page_memory:
            free_wrappers(world, cpu, now, cpu.work_step_wrappers - kept)
    else:
        cpu.work_blocks[channel] -= 1
        to, cache = (
            x if world.pages_go_to_worker else cpu.work_owner,
            channel * world.has_channel_caches,
        )
        pages = cpu_at(world.cpus_address, to).cached_pages
        if pages[cache] < world.cache_capacity:
            pages[cache] += 1
            out.pages_returned += 1
            log_event(world, now, PAGE_TO_CACHE, to, float(pages[cache]))
        else:
            out.pages_freed += 1
            if world.has_page_memory:
                give_pages(world, cpu_at(world.cpus_address, to), now, 1)
            log_event(world, now, PAGE_FREED, to, 0.0)
    if cpu.work_objects.sum() == 0:
        cpu.is_working, cpu.work_step_ends_at, cpu.cpu_free_at = 0, INF, max(cpu.cpu_free_at, now)
        cpu.reusable_objects = min(
            world.reuse_capacity, cpu.reusable_objects + cpu.work_total_objects
        )
        if world.reader_section > 0.0:  # of lower priority: it went on after the work
            late = (
                now - cpu.section_begins_at
                if cpu.section_begins_at >= cpu.work_began_at
                else now - cpu.section_ends_at
            )
            cpu.section_ends_at += max(0.0, late)
            cpu.section_begins_at += max(0.0, late) * (cpu.section_begins_at >= cpu.work_began_at)
        log_event(world, now, WORK_ENDS, cpu.work_owner, 0.0)


compile_module()
