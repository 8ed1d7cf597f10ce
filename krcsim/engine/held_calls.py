# SPDX-License-Identifier: GPL-2.0-only
"""What held a call up is over: a wait for a grace period, or a stall in direct reclaim."""

import math

from krcsim.engine.calendar import free_slot, pop_held_call, update_next_event
from krcsim.engine.call_records import HeldCall
from krcsim.engine.call_source import make_plan, resume_caller, settle_calls
from krcsim.engine.channels import total
from krcsim.engine.codes import (
    BATCH_READY,
    DONE,
    EXPEDITED_WAIT,
    HELD_STALLS,
    LIST,
    LISTED_WAIT,
    OBJECT_STALL,
    ONE,
    REFUSED_MEMORY,
    WAIT_ENDS,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.kvfree_call import go_on_after_stall
from krcsim.engine.live_objects import end_round, free_objects
from krcsim.engine.object_sizes import note_one_freed
from krcsim.engine.page_memory import follow_memory
from krcsim.engine.pointers import batch_at, count_at, counters_at, cpu_at, tally_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import BIN_LO_MS, BINS, BINS_AN_OCTAVE, Cpu, World
from krcsim.engine.sheaf_reuse import free_into_main
from krcsim.engine.waiters import leave_list
from krcsim.engine.works import batches_on, work_cost


def histogram_bin(ms: float) -> int:
    """The bin of a time in ms."""
    if ms <= BIN_LO_MS:
        return 0
    return min(BINS - 1, int(BINS_AN_OCTAVE * math.log2(ms / BIN_LO_MS)))


def record_latency(world: World, now: float, held_call: HeldCall) -> None:
    """R45: a held-up call ends; its latency goes into the histogram."""
    ms = (now - held_call.called_at + world.call_cost) * world.tick_ms
    index = held_call.window * BINS + histogram_bin(ms)
    count_at(world.latency_histogram_address, index).n += 1


def end_wait(world: World, now: float, held_call: HeldCall) -> None:
    """R11, R12, R45 and R82: a wait is over; account for it, and let its caller go on."""
    cpu_index = held_call.cpu
    cpu = cpu_at(world.cpus_address, cpu_index)
    if world.wakes_by_gp and held_call.waits_for == LISTED_WAIT:
        leave_list(world)
    if world.is_closed_loop:
        settle_calls(world, cpu, now)

    if world.has_live_objects:  # the caller frees its object itself
        follow_memory(world, now)
        world.waiting_calls -= 1
        if world.nr_sizes > 1:
            note_one_freed(world, held_call.size)
        free_objects(world, cpu, now, ONE)
        began_at = held_call.wait_began_at - world.has_bursts * world.call_cost
        counters = counters_at(world.counters_address, held_call.window)
        counters.pages_asked += world.growth_rate * (now - began_at)

    runs_at = now
    if world.has_bursts:
        runs_at = max(time_to_run(world, cpu, cpu_index, now), cpu.wakeups_done_at)
        runs_at += world.wake_cost
        cpu.wakeups_done_at = runs_at

    ms = (runs_at - held_call.wait_began_at) * world.tick_ms
    record_wait(world, held_call, ms)
    record_latency(world, runs_at, held_call)
    log_event(world, now, WAIT_ENDS, cpu_index, ms)
    if world.sheaf_entries > 0 and held_call.refused_by_sheaf == REFUSED_MEMORY:
        free_into_main(world, cpu, cpu_index, now, held_call.size)

    if world.is_closed_loop:
        resume_caller(world, cpu, cpu_index, now, runs_at, held_call)


def time_to_run(world: World, cpu: Cpu, cpu_index: int, now: float) -> float:
    """R11: when a woken caller gets the CPU, which a work may have."""
    if cpu.is_working == 0:
        return now

    if not world.is_closed_loop:
        # A task that has slept long preempts the work; a block that is being freed is done first.
        block_is_freed = cpu.work_channel != LIST and now >= cpu.work_pause_ends_at
        return cpu.work_step_ends_at if block_is_freed else now

    # The caller comes after the works that are ready now.
    ahead = rest_of_work(world, cpu)
    for batch_index in batches_on(world, cpu_index):
        batch = batch_at(world.batches_address, batch_index)
        if batch.state == BATCH_READY and batch.work_cpu == cpu_index:
            ahead += work_cost(world, cpu, total(batch.objects), batch.wrappers)

    if world.has_ready_blocks and cpu.ready_since < INF:
        ahead += work_cost(world, cpu, total(cpu.ready_objects), cpu.ready_wrappers)

    return max(now, cpu.work_step_ends_at + ahead)


def rest_of_work(world: World, cpu: Cpu) -> float:
    """R34: the CPU time of a work behind its present step."""
    objects = total(cpu.work_objects) - cpu.work_step_objects
    wrappers = cpu.work_wrappers - cpu.work_step_wrappers
    return work_cost(world, cpu, objects, wrappers)


def record_wait(world: World, held_call: HeldCall, ms: float) -> None:
    """R45: a wait counts with its whole length in the window of its call."""
    counters_at(world.counters_address, held_call.window).wait_ms += ms
    index = held_call.window * BINS + histogram_bin(ms)
    count_at(world.wait_histogram_address, index).n += 1

    if held_call.is_weighted:
        tally_at(world.tallies_address, held_call.window).wait_ms += world.weight * ms
        world.open_weighted_waits -= 1


def end_stall(world: World, now: float) -> None:
    """R21 and R31: a stall ends, and its call goes on; or an expedited wait is over."""
    pop_held_call(world)
    held_call = free_slot(world)
    cpu_index = held_call.cpu
    cpu = cpu_at(world.cpus_address, cpu_index)
    settle_calls(world, cpu, now)

    if held_call.waits_for == EXPEDITED_WAIT:
        end_wait(world, now, held_call)
        return

    is_for_object = held_call.waits_for == OBJECT_STALL
    if world.has_live_objects and is_for_object:
        outcome = end_round(world, cpu, cpu_index, now, held_call)
    else:
        outcome = go_on_after_stall(world, cpu, cpu_index, now, held_call)
    if outcome == DONE and not is_for_object:
        record_latency(world, now, held_call)

    if outcome == DONE and world.is_closed_loop:
        resume_caller(world, cpu, cpu_index, now, now, held_call)
    elif outcome != HELD_STALLS:  # a call that stalls once more has changed nothing for a plan
        make_plan(world, cpu, cpu_index, now)
    elif world.has_refill_worker:  # but it may have started the worker
        update_next_event(world, cpu_index)
