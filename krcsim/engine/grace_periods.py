# SPDX-License-Identifier: GPL-2.0-only
"""The grace-period machine: one for all batches and waiters of a run."""

import math

from krcsim.engine.calendar import log_event, push_held_call, update_next_event
from krcsim.engine.codes import (
    ALL_CPUS,
    BATCH_WAITS,
    EXPEDITED_WAIT,
    FULL,
    GP_ENDS,
    GP_STARTS,
    WAIT_BEGINS,
)
from krcsim.engine.compiling import compile_module
from krcsim.engine.random_streams import INF, normal, uniform
from krcsim.engine.records import (
    Cpu,
    HeldCall,
    World,
    batch_at,
    counters_at,
    cpu_at,
    heap_node_at,
    held_call_at,
    producer_at,
    real_at,
    tally_at,
)


def start_grace_period(world: World, now: float) -> None:
    """A grace period starts at now; its length is one draw from the table."""
    length = length_at_quantile(world, uniform(world.gp_stream))
    world.gp_is_running, world.gp_is_due, world.gp_event_at, world.gp_began_at = (
        1,
        0,
        now + length,
        now,
    )
    if world.reader_section > 0.0:  # a scan comes with the tick
        world.gp_event_at, world.gp_scan_ends_at = math.floor(now) + 1.0, math.floor(now) + length
        for i in range(world.nr_cpus):
            cpu = cpu_at(world.cpus_address, i)
            advance_reader(world, cpu, now)
            cpu.reader_holds_until = cpu.section_ends_at if cpu.section_begins_at <= now else 0.0
    log_event(world, now, GP_STARTS, ALL_CPUS, float(world.gps_done + 1))


def length_at_quantile(world: World, u: float) -> float:
    """The length in ticks of which the table's distribution first reaches u."""
    lo, hi = 0, world.gp_length_count - 1
    while lo < hi:
        mid = (lo + hi) >> 1
        if real_at(world.gp_cdf_address, mid).x < u:
            lo = mid + 1
        else:
            hi = mid
    return real_at(world.gp_lengths_address, lo).x


def count_lengths_passed(world: World, now: float) -> int:
    """How many lengths of the table, the shortest first, the running grace period has passed at
    now.
    """
    k = 0
    while (
        k < world.gp_length_count - 1
        and world.gp_began_at + real_at(world.gp_lengths_address, k).x <= now
    ):
        k += 1
    return k


def p_longer_than(world: World, k: int) -> float:
    """P(a grace period is longer than the first k lengths of the table)."""
    return 1.0 - real_at(world.gp_cdf_address, k - 1).x if k > 0 else 1.0


def advance_reader(world: World, cpu: Cpu, now: float) -> None:
    """The reader of CPU cpu goes on to now: its section is then that in progress, or the next (two
    wake-ups in between).
    """
    while cpu.section_ends_at <= now:
        cpu.section_begins_at = skip_burst(
            world, cpu, cpu.section_ends_at + world.reader_gap + 2.0 * world.wake_cost
        )
        cpu.section_ends_at = skip_burst(world, cpu, cpu.section_begins_at + world.reader_section)


def skip_burst(world: World, cpu: Cpu, now: float) -> float:
    """From now on, the first time when calls at fixed gaps leave the CPU to the reader."""
    if (
        world.has_bursts
        and not world.has_random_gaps
        and world.producers_per_cpu == 1
        and not cpu.blocked_producers
        and world.burst_calls * cpu.plan_call_cost < world.period
    ):
        since = (
            now - producer_at(world.producers_address, cpu.first_producer).due_at - world.wake_cost
        ) % world.period
        now += max(0.0, world.burst_calls * cpu.plan_call_cost - since)
    return now


def next_full_grace_period(world: World) -> int:
    """The number of the first grace period that starts after now: the running one began too
    early.
    """
    return world.gps_done + 1 + world.gp_is_running


def request_grace_period(world: World, now: float) -> int:
    """Ask at now for a full grace period; returns the number of the one to wait for."""
    need = next_full_grace_period(world)
    if world.gps_on_ticks and not (world.gp_is_running or world.gp_is_due):
        world.gp_is_due, world.gp_event_at = 1, math.floor(now) + 1.0
    elif not (world.gp_is_running or world.gp_is_due):
        start_grace_period(world, now)
    return need


def finish_grace_period(world: World, now: float) -> None:
    """The running grace period ends at now: works and waiters it served get their time."""
    world.gps_done += 1
    world.gp_is_running, world.gp_event_at = 0, INF
    log_event(world, now, GP_ENDS, ALL_CPUS, float(world.gps_done))
    at, more = (math.floor(now) if world.gps_on_ticks else now) + world.invoke_delay, False
    for s in range(2 * world.nr_cpus):
        k = batch_at(world.batches_address, s)
        more |= k.state == BATCH_WAITS and k.needed_gp > world.gps_done
        if k.state == BATCH_WAITS and k.needed_gp <= world.gps_done and k.ready_at == INF:
            k.ready_at = at + world.work_delay
            update_next_event(world, s >> 1)
    while (
        world.waiters_served < world.waiters_tail
        and held_call_at(
            world.waiters_address, world.waiters_served % world.waiter_capacity
        ).needed_gp
        <= world.gps_done
    ):
        held_call_at(
            world.waiters_address, world.waiters_served % world.waiter_capacity
        ).wakes_at = at
        world.waiters_served += 1
    if more or world.waiters_served < world.waiters_tail:
        start_grace_period(world, now)


def begin_wait(world: World, now: float, held_call: HeldCall) -> None:
    """The caller in `held_call`, the slot of free_slot(), begins to wait at now."""
    log_event(world, now, WAIT_BEGINS, held_call.cpu, 0.0)
    out, held_call.is_counted = counters_at(world.counters_address, held_call.window), 0
    out.waits += 1
    if world.makes_copies:
        record_weighted_wait(world, cpu_at(world.cpus_address, held_call.cpu), held_call)
    if held_call.episode > 0:
        out.waits_episode += 1
        if not held_call.episode_has_waited:
            counters_at(world.counters_address, held_call.episode_window).episodes_waited += 1
            episode_waited(world, held_call.episode)
    if world.rcu_expedited:
        held_call.waits_for, held_call.wait_began_at = (
            EXPEDITED_WAIT,
            now + world.has_bursts * world.call_cost,
        )
        push_held_call(
            world,
            now
            + world.expedited_median
            * math.exp(world.expedited_sigma * normal(world.expedited_stream)),
        )
    elif world.waiters_tail - world.waiters_head >= world.waiter_capacity:
        world.error = FULL
    else:
        waiter = held_call_at(world.waiters_address, world.waiters_tail % world.waiter_capacity)
        world.waiters_tail += 1
        waiter.cpu, waiter.producer, waiter.window, waiter.called_at, waiter.wait_began_at = (
            held_call.cpu,
            held_call.producer,
            held_call.window,
            held_call.called_at,
            now + world.has_bursts * world.call_cost,
        )
        waiter.needed_gp, waiter.wakes_at, waiter.is_counted = (
            request_grace_period(world, now),
            INF,
            held_call.is_counted,
        )


def episode_waited(world: World, episode: int) -> None:
    """A call of this episode waits, the first one: calls of it that are made later, or still stall,
    are not another.
    """
    world.episode_has_waited |= world.episode_number == episode
    for j in range(world.heap_size):
        held_call = held_call_at(world.stalled_address, heap_node_at(world.heap_address, j).slot)
        held_call.episode_has_waited |= held_call.episode == episode


def record_weighted_wait(world: World, cpu: Cpu, held_call: HeldCall) -> None:
    """A wait on CPU cpu, where forks are made: it counts with its weight, and luck is no longer
    biased.
    """
    if cpu.counts_waits:
        world.weight *= math.exp(world.log_ratio)
        world.log_ratio, cpu.bias = 0.0, 0
        out = tally_at(world.tallies_address, held_call.window)
        out.waits += world.weight
        out.waits_episode += world.weight * (held_call.episode > 0)
        world.open_counted_waits, held_call.is_counted = world.open_counted_waits + 1, 1


compile_module()
