# SPDX-License-Identifier: GPL-2.0-only
"""The event loop: what happens next, in the order of time, and at one instant in the order of rule
R3 of docs/model.md.
"""

import math

from krcsim.engine.batches import batch_of
from krcsim.engine.calendar import earliest_cpu, waiter_at
from krcsim.engine.call_source import (
    begin_phase,
    handle_source_event,
    make_plan,
    settle_calls,
    update_rate,
)
from krcsim.engine.codes import ALL_CPUS, BOOT, NO_ERROR, NOBODY, ONE, STOPPED
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import (
    LETS_IT_END,
    begin_grace_period,
    finish_grace_period,
    follow_reader,
    wait_for_others,
)
from krcsim.engine.held_calls import end_stall, end_wait, rest_of_work
from krcsim.engine.live_objects import boot_live_objects
from krcsim.engine.load_time import time_of_load
from krcsim.engine.maintenance import do_maintenance, has_maintenance_due
from krcsim.engine.page_memory import boot_memory
from krcsim.engine.pointers import (
    count_at,
    counters_at,
    cpu_at,
    heap_node_at,
    producer_at,
    real_at,
)
from krcsim.engine.pressure import (
    end_run,
    end_window,
    set_probabilities_in_force,
    switch_pressure,
)
from krcsim.engine.random_streams import INF, exponential, uniform
from krcsim.engine.rate_changes import begin_rate_piece, change_rate, rate_changes_now
from krcsim.engine.recorded_calls import boot_recorded_calls
from krcsim.engine.records import KFREE_N_BATCHES, Cpu, World
from krcsim.engine.sheaf_reuse import (
    boot_barns,
    boot_sheaves,
    replace_empty_main,
    take_sheaves_back,
)
from krcsim.engine.shrinker import shrink_slab


def simulate(world: World) -> None:
    """One replication, from boot until every call made before the horizon has ended."""
    boot(world)
    while world.error == NO_ERROR and handle_next_event(world):
        pass

    counters_at(world.counters_address, max(ONE, world.window)).events += world.events


def boot(world: World) -> None:
    """R1: the state at time 0: sources, pressure and the first events."""
    wait_for_others(world, 0.0)
    world.asks_noretry &= world.has_array_path  # else nobody asks for pages
    world.single_asks_page &= world.has_array_path
    world.double_asks_page &= world.has_array_path
    draw_first_episode(world)
    set_probabilities_in_force(world)
    boot_memory(world)
    if world.has_live_objects:
        boot_live_objects(world)
    if world.sheaf_entries > 0:
        boot_barns(world)
    world.window_ends_at = world.horizon if world.windows_by_episode else world.warmup
    log_event(world, 0.0, BOOT, ALL_CPUS, 0.0)

    for cpu_index in range(world.nr_cpus):
        boot_cpu(world, cpu_index)


def draw_first_episode(world: World) -> None:
    """R36: when the first episode begins."""
    world.pressure_switches_at = real_at(world.schedule_address, 0).x

    if world.has_random_episodes:
        under_way = world.episode_mean / (world.episode_mean + world.calm_mean)
        if world.starts_stationary and uniform(world.episode_stream) < under_way:
            world.pressure_switches_at = 0.0
        else:
            world.pressure_switches_at = exponential(world.episode_stream) * world.calm_mean


def boot_cpu(world: World, cpu_index: int) -> None:
    """R4 to R8, R29 and R107: the sources, the reader and the first plan of a CPU."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    cpu.monitor_at = INF
    cpu.refill_at = INF
    cpu.call_at = INF
    cpu.phase_ends_at = INF
    cpu.source_switches_at = INF
    cpu.rate_changes_at = INF
    cpu.rate_factor = 1.0
    cpu.work_step_ends_at = INF
    cpu.ready_since = INF
    cpu.current_producer = NOBODY
    cpu.is_source_on = 1
    cpu.first_producer = cpu_index * world.producers_per_cpu

    for number in range(KFREE_N_BATCHES):
        batch_of(world, cpu_index, number).ready_at = INF

    if world.rate_pieces > 0 and not world.has_bursts:
        begin_rate_piece(world, cpu)
    if world.sheaf_entries > 0:
        boot_sheaves(world, cpu, cpu_index)

    if world.reader_section > 0.0:
        # The harness starts its clock when a grace period ends. That is on the tick after the
        # reader left the section that held the grace period up.
        cycle = 1.0 if world.starts_after_tick else world.reader_section + world.reader_gap
        cpu.section_ends_at = -uniform(world.gp_stream) * cycle
        cpu.section_begins_at = cpu.section_ends_at - world.reader_section

    if world.has_bursts:
        boot_producers(world, cpu)
    elif world.has_recorded_calls:
        boot_recorded_calls(world, cpu)
    else:
        if not world.is_poisson:
            share = world.on_mean / (world.on_mean + world.off_mean)
            cpu.is_source_on = 1 if uniform(cpu.arrival_stream) < share else 0
            begin_phase(world, cpu, 0.0)
        update_rate(world, cpu)

    make_plan(world, cpu, cpu_index, 0.0)


def boot_producers(world: World, cpu: Cpu) -> None:
    """R7 and R108: when the bursts of each producer are first due."""
    phase = world.phase
    if not world.starts_after_tick:
        phase = uniform(cpu.arrival_stream) * world.period / world.producers_per_cpu

    for number in range(world.producers_per_cpu):
        producer = producer_at(world.producers_address, cpu.first_producer + number)
        due_load = phase + number * world.period / world.producers_per_cpu
        producer.due_at = time_of_load(world, due_load)
        producer.ready_at = producer.due_at + world.wake_cost
        producer.calls_left = world.burst_calls


def handle_next_event(world: World) -> bool:
    """R3: handle what comes next, an event or the end of a window; False if nothing is left to
    come.
    """
    cpu_index = earliest_cpu(world)
    cpu_at_time = real_at(world.tournament_address, 1).x if not world.is_past_horizon else INF
    wake_at = INF
    if world.waiters_head < world.waiters_tail:
        wake_at = waiter_at(world, world.waiters_head).wakes_at
    stall_ends_at = heap_node_at(world.heap_address, 0).at if world.heap_size > 0 else INF
    now = min(world.gp_event_at, cpu_at_time, wake_at, stall_ends_at, world.pressure_switches_at)
    if world.sheaf_entries > 0 and not world.is_past_horizon:
        now = min(now, world.sheaves_back_at)

    if world.is_past_horizon:
        if world.waiters_head == world.waiters_tail and world.heap_size == 0:
            return False
    elif now >= world.window_ends_at:
        world.now = world.window_ends_at
        end_window(world, world.window_ends_at)
        return True

    world.now = now
    world.events += 1
    if (world.events & 1023) == 0 and count_at(world.stop_address, 0).n:
        world.error = STOPPED

    if world.sheaf_entries > 0 and world.sheaves_back_at == now and not world.is_past_horizon:
        take_sheaves_back(world, now)
    elif (
        world.has_ready_blocks > 0
        and world.gp_event_at == now
        and cpu_at_time == now
        and cpu_that_looks_at_cookies(world, now) >= 0
    ):
        do_maintenance(world, cpu_that_looks_at_cookies(world, now), now)
    elif (
        world.gp_event_at > now
        and cpu_at_time == now
        and has_maintenance_due(world, cpu_index, now)
    ):
        do_maintenance(world, cpu_index, now)
    elif (
        world.gp_event_at == now
        or wake_at == now
        or stall_ends_at == now
        or world.pressure_switches_at == now
    ):
        handle_global_event(world, now, wake_at, stall_ends_at)
    elif world.rate_pieces > 0 and rate_changes_now(world, cpu_index, now):
        change_rate(world, cpu_index, now)
    elif world.sheaf_entries > 0 and allocation_comes(world, cpu_index, now):
        replace_empty_main(world, cpu_at(world.cpus_address, cpu_index), cpu_index, now)
    else:
        handle_source_event(world, cpu_index, now)

    if world.has_reclaim_pass and not world.is_past_horizon:
        shrink_slab(world, now)
    if world.is_out_of_memory and not world.is_past_horizon:
        end_run(world, now)
    return True


def allocation_comes(world: World, cpu_index: int, now: float) -> bool:
    """R3 and R70: whether the next event of a CPU is an allocation that finds its main sheaf empty;
    it comes after a switch of its source, and before a call.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    return cpu.next_allocation_at == now and cpu.phase_ends_at > now


def cpu_that_looks_at_cookies(world: World, now: float) -> int:
    """R3: the first CPU whose monitor runs now, by number, or NOBODY: where there are cookies, it
    looks at them before the grace period of the same instant ends.
    """
    for cpu_index in range(world.nr_cpus):
        if cpu_at(world.cpus_address, cpu_index).monitor_at == now:
            return cpu_index
    return NOBODY


def handle_global_event(world: World, now: float, wake_at: float, stall_ends_at: float) -> None:
    """R3: what concerns no CPU alone happens.

    It is a function of its own for speed: inside handle_next_event() the registers that its calls
    need would be saved at each event.
    """
    if world.gp_event_at == now and world.gp_is_running:
        if world.reader_section <= 0.0 or readers_let_it_end(world, now):
            finish_grace_period(world, now)
    elif world.gp_event_at == now:
        begin_grace_period(world, now)
    elif wake_at == now:
        world.waiters_head += 1
        end_wait(world, now, waiter_at(world, world.waiters_head - 1))
    elif stall_ends_at == now:
        end_stall(world, now)
    else:
        switch_pressure(world, now)


def readers_let_it_end(world: World, now: float) -> bool:
    """R29: whether the grace period ends now; else it is looked at again when the next section ends
    that holds it up.
    """
    later = INF
    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        settle_calls(world, cpu, now)
        follow_held_reader(world, cpu, now)
        if cpu.reader_holds_until > now:
            later = min(later, cpu.reader_holds_until)

    world.gp_event_at = later if later < INF else max(now, world.gp_scan_ends_at)
    return world.gp_event_at <= now


def follow_held_reader(world: World, cpu: Cpu, now: float) -> None:
    """R29: until when the reader of a CPU holds up the running grace period."""
    busy_until = 0.0
    if cpu.is_working:
        busy_until = cpu.work_step_ends_at + rest_of_work(world, cpu)
    elif world.has_bursts and cpu.current_producer >= 0:
        producer = producer_at(world.producers_address, cpu.current_producer)
        busy_until = cpu.plan_start_at + producer.calls_left * cpu.plan_call_cost

    scan_at = math.floor(world.gp_began_at) + 1.0
    if not world.gps_end_at_once:
        follow_reader(world, cpu, scan_at - 1e-9)
    if cpu.reader_holds_until != LETS_IT_END and cpu.reader_holds_until < scan_at:
        # The CPU passed between two sections, which is reported with the tick; a reader that was
        # preempted before counts as one that the grace period waits for
        # (rcu_preempt_ctxt_queue()).
        began_late = world.gp_began_at < cpu.section_begins_at < scan_at
        was_preempted = began_late and cpu.producer_woke_at > cpu.section_begins_at
        cpu.reader_holds_until = cpu.section_ends_at if was_preempted else LETS_IT_END

    if cpu.reader_holds_until == now:  # it runs on when the CPU is free again
        cpu.reader_holds_until = max(now, busy_until)
