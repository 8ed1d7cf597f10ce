# SPDX-License-Identifier: GPL-2.0-only
"""Callers that allocate what they free later, and what happens where that takes all memory (rules
R81 to R86 of docs/model.md).

A call of kfree_rcu() that is made here comes from a caller who has first allocated the object that
takes the place of the one it frees.
"""

import math

from krcsim.engine.barns import pcs_of
from krcsim.engine.calendar import free_slot, push_held_call
from krcsim.engine.call_records import HeldCall
from krcsim.engine.codes import (
    DONE,
    HELD_STALLS,
    OBJECT_FAILED,
    OBJECT_STALL,
    STALL_BEGINS,
    ZERO,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.kvfree_call import hold_call, kvfree_call_rcu
from krcsim.engine.page_memory import (
    MAX_RECLAIM_RETRIES,
    follow_memory,
    join_reclaim,
    median_stall,
    out_of_memory,
    reclaim_pages,
)
from krcsim.engine.pointers import counters_at, cpu_at, size_at
from krcsim.engine.random_streams import normal
from krcsim.engine.records import Cpu, World
from krcsim.engine.refill import make_reclaim_pass


def boot_live_objects(world: World) -> None:
    """R81 and R115: the slab pages of the objects that are in use at boot."""
    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        for number in range(world.nr_sizes):
            size = size_at(world.sizes_address, number)
            slabs = (size.live_objects + size.objects_per_page - 1) // size.objects_per_page
            pcs = pcs_of(world, cpu, number)
            pcs.object_slots = slabs * size.objects_per_page - size.live_objects
            world.object_pages += slabs * size.pages_per_object
            world.free_pages -= slabs * size.pages_per_object


def call_with_new_object(
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
    """R81: a caller allocates an object, and then calls kfree_rcu() for another. If it gets none, a
    double-argument caller makes no call; a single-argument caller may sleep, and stalls.
    """
    if take_object(world, cpu, now):
        return kvfree_call_rcu(
            world, cpu, cpu_index, now, channel, is_single, u_page, u_head, producer
        )

    if not is_single:
        counters_at(world.counters_address, world.window).failed_allocations += 1
        log_event(world, now, OBJECT_FAILED, cpu_index, 0.0)
        return DONE

    held_call = free_slot(world)
    hold_call(world, held_call, cpu_index, now, channel, u_page, u_head, producer)
    held_call.waits_for = OBJECT_STALL
    counters_at(world.counters_address, world.window).stalls += 1
    if begin_round(world, cpu, cpu_index, now, held_call):
        return HELD_STALLS
    return end_round(world, cpu, cpu_index, now, held_call)


def take_object(world: World, cpu: Cpu, now: float) -> bool:
    """R81, R83 and R115, kmalloc(): a place for the object of the present call in the slab pages of
    the CPU, else with new pages: of those that grew, or free ones above the min watermark.
    """
    pcs = pcs_of(world, cpu, world.call_size)
    if pcs.object_slots > 0:
        pcs.object_slots -= 1
        return True

    follow_memory(world, now)
    size = size_at(world.sizes_address, world.call_size)
    pages = size.pages_per_object
    if world.grown_pages >= pages:
        world.grown_pages -= pages
    elif world.free_pages - pages >= world.min_wmark:
        world.free_pages -= pages
    else:
        return False

    world.object_pages += pages
    pcs.object_slots = size.objects_per_page - 1
    return True


def free_objects(world: World, cpu: Cpu, now: float, objects: int) -> None:
    """R80 and R115: objects are freed on a CPU, of several sizes those that have been drawn."""
    if world.nr_sizes > 1:
        for number in range(world.nr_sizes):
            moved = size_at(world.sizes_address, number).moved
            if moved > 0:
                free_objects_of_size(world, cpu, now, number, moved)
    else:
        free_objects_of_size(world, cpu, now, ZERO, objects)


def free_objects_of_size(world: World, cpu: Cpu, now: float, number: int, objects: int) -> None:
    """R80 and R87, kfree(): objects of a size are freed on a CPU. A share of them leaves its slab
    pages, which are free when whole; the places of the others are for the next objects of the CPU.
    """
    size = size_at(world.sizes_address, number)
    leaving = size.release_share * objects
    size.leaving_objects += leaving
    slabs = int(size.leaving_objects) // size.objects_per_page
    if slabs > 0:
        follow_memory(world, now)
        size.leaving_objects -= slabs * size.objects_per_page
        world.object_pages -= slabs * size.pages_per_object
        world.free_pages += slabs * size.pages_per_object

    size.staying_objects += objects - leaving
    places = int(size.staying_objects)
    size.staying_objects -= places
    pcs_of(world, cpu, number).object_slots += places

    if not world.is_past_horizon:
        counters = counters_at(world.counters_address, world.window)
        counters.pages_released += leaving * size.pages_per_object / size.objects_per_page


def begin_round(world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall) -> bool:
    """R84: a round of reclaim begins, for an object; False if it has no length."""
    median = median_stall(world, cpu, now, OBJECT_STALL)
    if world.reclaim_rate > 0.0:
        join_reclaim(world, now)
    if world.has_shrinker:
        make_reclaim_pass(world)
    if median <= 0.0:
        return False

    ticks = median * math.exp(world.stall_sigma * normal(cpu.stall_stream))
    counters_at(world.counters_address, held_call.window).stall_ms += ticks * world.tick_ms
    log_event(world, now, STALL_BEGINS, cpu_index, ticks * world.tick_ms)
    push_held_call(world, now + ticks)
    return True


def end_round(world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall) -> int:
    """R84 to R86, __alloc_pages_slowpath(): a round of reclaim for an object ends; the caller goes
    on with its call, or with another round. What it finds in vain is counted; in the end comes OOM.
    """
    world.call_size = held_call.size
    waits_for_kill = held_call.rounds >= MAX_RECLAIM_RETRIES
    found = 0.0
    if not waits_for_kill:
        found = reclaim_pages(world, now, OBJECT_STALL)

    while not world.is_past_horizon and not world.is_out_of_memory:
        if take_object(world, cpu, now):
            world.call_began_at = held_call.began_at
            return kvfree_call_rcu(
                world, cpu, cpu_index, now, held_call.channel, True, 0.0, 0.0, held_call.producer
            )

        held_call.rounds = 0 if found >= 1.0 or waits_for_kill else held_call.rounds + 1
        waits_for_kill = False
        if held_call.rounds >= MAX_RECLAIM_RETRIES:
            follow_memory(world, now)
            out_of_memory(world, now)
            if world.is_out_of_memory:
                break
            push_held_call(world, max(now, world.oom_frees_at))
            return HELD_STALLS

        if begin_round(world, cpu, cpu_index, now, held_call):
            return HELD_STALLS
        found = reclaim_pages(world, now, OBJECT_STALL)

    return DONE  # the run is over: the call is not made
