# SPDX-License-Identifier: GPL-2.0-only
"""One call of kfree_rcu(): kvfree_call_rcu() step by step, as in docs/model.md (rules R13 to R22).

The caller has accounted for the uneventful calls of the CPU before.
"""

import math

from krcsim.engine.calendar import free_slot, push_held_call
from krcsim.engine.call_records import HeldCall
from krcsim.engine.codes import (
    DONE,
    DRAINED_EARLY,
    HEAD_ALLOCATED,
    HEAD_FROM_POOL,
    HEAD_STALL,
    HELD_STALLS,
    HELD_WAITS,
    LIST,
    MONITOR_ARMED,
    NO_STALL,
    ONE,
    OWN_HEAD_LISTED,
    PAGE_ALLOCATED,
    PAGE_FAILED,
    PAGE_FROM_CACHE,
    PAGE_STALL,
    REFILL_ANY_MISS,
    STALL_BEGINS,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.monitor import arm_monitor, kfree_rcu_monitor, pull_monitor
from krcsim.engine.object_sizes import defer_behind
from krcsim.engine.page_memory import (
    count_held_bytes,
    count_held_objects,
    head_request_may_sleep,
    join_reclaim,
    median_stall,
    reclaim_pages,
    take_head_object,
    take_page,
)
from krcsim.engine.pointers import counters_at
from krcsim.engine.random_streams import INF, normal
from krcsim.engine.ready_blocks import close_head_block, renew_cookie
from krcsim.engine.records import Cpu, World
from krcsim.engine.refill import make_reclaim_pass, start_refill
from krcsim.engine.synchronize import begin_synchronize_rcu


def kvfree_call_rcu(
    world: World,
    cpu: Cpu,
    cpu_index: int,
    now: float,
    channel: int,
    is_single: bool,
    u_page: float,
    u_head: float,
    producer: int,
) -> int:
    """R13 to R19, kvfree_call_rcu(): a call is made; DONE, or HELD_STALLS or HELD_WAITS if it goes
    on later. In an open loop such a call is a task of its own, and holds up no producer.

    u_page and u_head are the uniform numbers of R20; with memory as pages they count for nothing.
    """
    count_call(world, is_single)

    goes_into_block = cpu.head_block_room[channel] > 0  # R13
    if world.has_array_path and not goes_into_block:
        cache = channel * world.has_channel_caches
        asks = asks_page(world, is_single)
        if world.has_page_memory and asks and cpu.cached_pages[cache] == 0:
            u_page = 1.0 * take_page(world, cpu, now, world.min_wmark)  # 1 if there is one
        goes_into_block = get_head_block(world, cpu, cpu_index, now, channel, is_single, u_page)

    if goes_into_block or not is_single:
        if not goes_into_block:  # R16
            log_event(world, now, OWN_HEAD_LISTED, cpu_index, 0.0)
        target = channel if goes_into_block else LIST
        enqueue(world, cpu, cpu_index, now, target, world.window)
        return DONE

    # A single-argument call without a page asks for an rcu_head, after a stall for its page if it
    # asks with __GFP_NORETRY. Then come the pool, and at last the wait.
    held_call = free_slot(world)
    hold_call(world, held_call, cpu_index, now, channel, u_page, u_head, producer)
    if u_head < p_no_head(world) and (held_call.page_fails or not world.asks_noretry):
        cpu.stalled_failing_calls += 1

    if world.asks_noretry:
        if begin_stall(world, cpu, cpu_index, now, held_call, PAGE_STALL):
            return HELD_STALLS
        return go_on_after_stall(world, cpu, cpu_index, now, held_call)

    return request_rcu_head(world, cpu, cpu_index, now, held_call)


def count_call(world: World, is_single: bool) -> None:
    """R45: a call is counted by its kind."""
    counters = counters_at(world.counters_address, world.window)
    counters.single += is_single
    counters.single_episode += is_single * world.in_episode
    counters.double += not is_single
    counters.double_episode += (not is_single) * world.in_episode


def get_head_block(
    world: World,
    cpu: Cpu,
    cpu_index: int,
    now: float,
    channel: int,
    is_single: bool,
    u_page: float,
) -> bool:
    """R14, R15, R46 and R47: whether a call that found no room gets a page for a new head block,
    from the cache or from the allocator; add_ptr_to_bulk_krc_lock() without adding the pointer.

    A single-argument call that asks with __GFP_NORETRY and gets none at once has its answer after
    a stall.
    """
    cache = channel * world.has_channel_caches
    if cpu.cached_pages[cache] > 0:  # get_cached_bnode()
        cpu.cached_pages[cache] -= 1
        counters_at(world.counters_address, world.window).cache_hits += 1
        log_event(world, now, PAGE_FROM_CACHE, cpu_index, float(cpu.cached_pages[cache]))
        open_head_block(world, cpu, channel)
        return True

    gets_page = u_page >= p_page_fails_at_once(world, is_single)
    if gets_page or not (is_single and world.asks_noretry):
        if asks_page(world, is_single):
            end_page_request(world, cpu, cpu_index, now, channel, world.window, gets_page)
        if world.has_refill_worker:  # misses_are_eventful then, so that each miss comes here
            refill_after_miss(world, cpu, cpu_index, now, gets_page)
    return gets_page


def asks_page(world: World, is_single: bool) -> bool:
    """R46 and R47: whether calls of a kind ask the allocator for pages."""
    return (world.single_asks_page if is_single else world.double_asks_page) > 0


def p_page_fails_at_once(world: World, is_single: bool) -> float:
    """R15, R46 and R47: P(a call of a kind without room and cached page gets none at once)."""
    return world.p_page_fails if is_single else world.p_double_page_fails


def end_page_request(
    world: World,
    cpu: Cpu,
    cpu_index: int,
    now: float,
    channel: int,
    window: int,
    succeeds: bool,
) -> None:
    """R15: the page request of a call made in this window ends; a page that it got is the new head
    block.
    """
    counters = counters_at(world.counters_address, window)
    counters.page_ok += succeeds
    counters.page_fail += not succeeds
    log_event(world, now, PAGE_ALLOCATED if succeeds else PAGE_FAILED, cpu_index, 0.0)

    if succeeds:
        open_head_block(world, cpu, channel)


def open_head_block(world: World, cpu: Cpu, channel: int) -> None:
    """R14: a page is the new head block of a channel; the old one stays behind it, with its
    cookie.
    """
    if world.has_ready_blocks:
        close_head_block(world, cpu, channel)
    cpu.head_block_room[channel] = world.block_entries
    cpu.queued_blocks[channel] += 1


def hold_call(
    world: World,
    held_call: HeldCall,
    cpu_index: int,
    now: float,
    channel: int,
    u_page: float,
    u_head: float,
    producer: int,
) -> None:
    """R20: note what the rest of a call needs, with the probabilities of the moment at which it is
    made. All fields are set, since the slot held another call before.
    """
    held_call.waits_for = NO_STALL
    held_call.cpu = cpu_index
    held_call.producer = producer
    held_call.window = world.window
    held_call.began_at = world.call_began_at
    held_call.called_at = now
    held_call.channel = channel
    held_call.refused_by_sheaf = world.refused_by_sheaf
    held_call.size = world.call_size

    held_call.u_head = u_head
    held_call.page_fails = u_page < world.p_noretry_page_fails
    held_call.p_head_fails_at_first = world.p_head_fails_at_first
    held_call.p_head_fails_after_reclaim = world.p_head_fails_after_reclaim

    held_call.episode = world.episode_number * world.in_episode
    held_call.episode_window = world.episode_window
    held_call.episode_has_waited = world.episode_has_waited

    held_call.needed_gp = 0
    held_call.rounds = 0
    held_call.is_weighted = 0
    held_call.asked_at = INF
    held_call.wait_began_at = INF
    held_call.wakes_at = INF


def p_no_head(world: World) -> float:
    """P(a single-argument call without a page gets no rcu_head, at once or after reclaim)."""
    at_first = world.p_head_fails_at_first
    if head_request_may_sleep(world):
        return min(at_first, world.p_head_fails_after_reclaim)
    return at_first


def begin_stall(
    world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall, waits_for: int
) -> bool:
    """R21, R42 and R53: the call stalls in direct reclaim, and its rest waits in the heap; False if
    the stall has no length.
    """
    counters = counters_at(world.counters_address, held_call.window)
    held_call.waits_for = waits_for
    counters.stalls += 1

    median = world.stall_median
    if world.has_page_memory:
        median = median_stall(world, cpu, now, waits_for)
        if world.reclaim_rate > 0.0:
            join_reclaim(world, now)
        if world.has_shrinker:
            make_reclaim_pass(world)

    if median > 0.0:
        ticks = median * math.exp(world.stall_sigma * normal(cpu.stall_stream))
        counters.stall_ms += ticks * world.tick_ms
        log_event(world, now, STALL_BEGINS, cpu_index, ticks * world.tick_ms)
        push_held_call(world, now + ticks)

    return median > 0.0


def go_on_after_stall(
    world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall
) -> int:
    """R15 to R19: a single-argument call goes on after a stall, which may have had no length; as
    kvfree_call_rcu() it is then DONE, or held up once more.
    """
    world.call_size = held_call.size
    if world.has_page_memory:
        reclaim_pages(world, now, held_call.waits_for)

    if held_call.waits_for == PAGE_STALL:
        page_arrives = answer_page_request(world, cpu, cpu_index, now, held_call)
        if page_arrives:
            enqueue(world, cpu, cpu_index, now, held_call.channel, held_call.window)
            return DONE

    return request_rcu_head(world, cpu, cpu_index, now, held_call)


def request_rcu_head(
    world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall
) -> int:
    """R17 to R19: a single-argument call without room and page gets an rcu_head from the allocator
    or from the pool, else it waits; DONE, HELD_STALLS or HELD_WAITS.
    """
    if world.has_page_memory:
        held_call.u_head = 1.0 * take_head_object(world, cpu, now, held_call.waits_for)
    p_fails = held_call.p_head_fails_at_first
    if held_call.waits_for == HEAD_STALL:
        p_fails = held_call.p_head_fails_after_reclaim
    gets_head = held_call.u_head >= p_fails

    if not gets_head and held_call.waits_for != HEAD_STALL and head_request_may_sleep(world):
        if begin_stall(world, cpu, cpu_index, now, held_call, HEAD_STALL):
            return HELD_STALLS

        if world.has_page_memory:
            reclaim_pages(world, now, HEAD_STALL)
            held_call.u_head = 1.0 * take_head_object(world, cpu, now, HEAD_STALL)
        gets_head = held_call.u_head >= held_call.p_head_fails_after_reclaim

    if not gets_head:
        cpu.stalled_failing_calls -= 1
        if cpu.nr_emergency == 0:
            begin_synchronize_rcu(world, now, held_call)
            return HELD_WAITS

        cpu.nr_emergency -= 1  # R18
        counters_at(world.counters_address, held_call.window).pool_hits += 1

    cpu.queued_wrappers += 1
    world.call_got_wrapper = gets_head
    code = HEAD_ALLOCATED if gets_head else HEAD_FROM_POOL
    log_event(world, now, code, cpu_index, float(cpu.nr_emergency))
    enqueue(world, cpu, cpu_index, now, LIST, held_call.window)
    return DONE


def answer_page_request(
    world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall
) -> bool:
    """R15: the stall of a page request with __GFP_NORETRY ends; whether it got a page."""
    if world.has_page_memory:
        held_call.page_fails = not take_page(world, cpu, now, world.min_wmark)

    arrives = held_call.page_fails == 0
    end_page_request(world, cpu, cpu_index, now, held_call.channel, held_call.window, arrives)
    if world.has_refill_worker:
        refill_after_miss(world, cpu, cpu_index, now, arrives)

    return arrives


def refill_after_miss(
    world: World, cpu: Cpu, cpu_index: int, now: float, call_got_page: bool
) -> None:
    """R44 and R50: a call that found no cached page has its answer; later kernels start the worker
    only if the call got no page of its own.
    """
    if world.refill == REFILL_ANY_MISS or not call_got_page:
        start_refill(world, cpu, cpu_index, now)


def enqueue(world: World, cpu: Cpu, cpu_index: int, now: float, channel: int, window: int) -> None:
    """R22 and R49: an object of a call made in this window joins a channel: count it, arm the
    monitor or bring it forward.
    """
    cpu.queued_objects[channel] += 1
    if channel == LIST:
        counters_at(world.counters_address, window).list_pushes += 1
    else:
        cpu.head_block_room[channel] -= 1
    if world.has_ready_blocks:
        renew_cookie(cpu, channel, now)

    if world.is_past_horizon:  # a stall outlasted the run: nobody will drain this object
        return

    counters = counters_at(world.counters_address, world.window)
    world.deferred_objects += 1
    if world.nr_sizes > 1:
        count_held_bytes(world, defer_behind(world, world.call_size, ONE, now))
    else:
        count_held_objects(world, ONE)
    counters.queued += 1
    counters.area -= now

    if cpu.monitor_at == INF:
        if channel == LIST and world.drains_list_at_once:
            log_event(world, now, DRAINED_EARLY, cpu_index, 0.0)
            if world.has_ready_blocks:  # it is an event of its own, since it frees objects
                cpu.monitor_at = now
                cpu.monitor_expires = int(math.floor(now))
            else:
                kfree_rcu_monitor(world, cpu, cpu_index, now)
        else:
            arm_monitor(world, cpu, cpu_index, now, MONITOR_ARMED)
    elif world.drains_full:
        pull_monitor(world, cpu, cpu_index, now)
