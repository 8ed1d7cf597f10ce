# SPDX-License-Identifier: GPL-2.0-only
"""Grace periods, one sequence for all batches and waiters of a run, and the readers that hold them
up.
"""

import math

from krcsim.engine.barns import next_start_for_sheaves, put_off_sheaves, serve_sheaves
from krcsim.engine.batches import owner_of_batch
from krcsim.engine.calendar import update_next_event, waiter_at
from krcsim.engine.codes import ALL_CPUS, BATCH_WAITS, GP_ENDS, GP_STARTS, LISTED_WAIT
from krcsim.engine.event_log import log_event
from krcsim.engine.pointers import batch_at, counters_at, cpu_at, producer_at, real_at
from krcsim.engine.random_streams import INF, exponential, uniform
from krcsim.engine.records import KFREE_N_BATCHES, Cpu, World
from krcsim.engine.wake_order import serve_waiters, wake_waiters

# What Cpu.reader_holds_until says besides a time.
WAS_BETWEEN_SECTIONS = 0.0  # no section when the grace period began; the next tick decides
LETS_IT_END = -1.0  # that tick has come: the reader holds up nothing


def next_full_grace_period(world: World) -> int:
    """R27, get_state_synchronize_rcu(): the number of the first grace period that starts after now;
    the running one began too early.
    """
    return world.gps_done + 1 + world.gp_is_running


def request_grace_period(world: World, now: float) -> int:
    """R27, call_rcu(): ask for a full grace period; returns the number of the one to wait for."""
    needed = next_full_grace_period(world)

    if world.gps_on_ticks and not (world.gp_is_running or world.gp_is_due):
        world.gp_is_due = 1
        world.gp_event_at = math.floor(now) + 1.0
    elif not (world.gp_is_running or world.gp_is_due):
        start_grace_period(world, now)

    return needed


def begin_grace_period(world: World, now: float) -> None:
    """R28 and R59: a grace period that is due starts; or, while none is, another user of RCU asks
    for one.
    """
    if world.background_rate > 0.0 and not world.gp_is_due:
        request_grace_period(world, now)
    else:
        start_grace_period(world, now)


def wait_for_others(world: World, now: float) -> None:
    """R59: no grace period runs or is due; when another user of RCU asks for the next one."""
    world.gp_event_at = INF
    if world.background_rate > 0.0:
        world.gp_event_at = now + exponential(world.background_stream) / world.background_rate


def start_grace_period(world: World, now: float) -> None:
    """R28 and R30, rcu_gp_init(): a grace period starts; its length is one draw from the table."""
    length = length_at_quantile(world, uniform(world.gp_stream))
    if world.wakes_by_gp and world.gps_on_ticks:
        put_off_callbacks(world, now)
    world.gp_is_running = 1
    world.gp_is_due = 0
    world.gp_event_at = gp_end(world, now, length)
    world.gp_began_at = now

    if world.reader_section > 0.0:
        note_readers(world, now, length)

    log_event(world, now, GP_STARTS, ALL_CPUS, float(world.gps_done + 1))


def gp_end(world: World, began_at: float, length: float) -> float:
    """R28, R60 and R63: when a grace period ends that began then; on a tick, also if it began
    between two, where it needs a tick at all.
    """
    if world.wakes_by_gp and world.gps_on_ticks and not world.gps_end_at_once:
        began_at = math.floor(began_at)
    return began_at + length


def note_readers(world: World, now: float, length: float) -> None:
    """R29: which readers hold up the grace period that starts now; a scan comes with the next
    tick.
    """
    world.gp_event_at = math.floor(now) + 1.0
    world.gp_scan_ends_at = math.floor(now) + length
    otherwise = WAS_BETWEEN_SECTIONS
    if world.gps_end_at_once:  # R63: no tick is needed
        world.gp_event_at = now + length
        world.gp_scan_ends_at = now + length
        otherwise = LETS_IT_END

    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        follow_reader(world, cpu, now)
        is_in_section = cpu.section_begins_at <= now
        cpu.reader_holds_until = cpu.section_ends_at if is_in_section else otherwise


def length_at_quantile(world: World, quantile: float) -> float:
    """The length in ticks at which the table's distribution first reaches the quantile."""
    low = 0
    high = world.gp_length_count - 1

    while low < high:
        middle = (low + high) >> 1
        if real_at(world.gp_cdf_address, middle).x < quantile:
            low = middle + 1
        else:
            high = middle

    return real_at(world.gp_lengths_address, low).x


def count_lengths_passed(world: World, now: float) -> int:
    """How many lengths of the table, the shortest first, the running grace period has passed."""
    passed = 0
    while (
        passed < world.gp_length_count - 1
        and gp_end(world, world.gp_began_at, real_at(world.gp_lengths_address, passed).x) <= now
    ):
        passed += 1

    return passed


def p_longer_than(world: World, lengths: int) -> float:
    """P(a grace period is longer than so many lengths of the table)."""
    return 1.0 - real_at(world.gp_cdf_address, lengths - 1).x if lengths > 0 else 1.0


def follow_reader(world: World, cpu: Cpu, until: float) -> None:
    """R29: the reader of a CPU goes on; its section is then that in progress, or the next (two
    wake-ups lie in between).
    """
    while cpu.section_ends_at <= until:
        next_begin = cpu.section_ends_at + world.reader_gap + 2.0 * world.wake_cost
        cpu.section_begins_at = after_burst(world, cpu, next_begin)
        cpu.section_ends_at = after_burst(world, cpu, cpu.section_begins_at + world.reader_section)


def after_burst(world: World, cpu: Cpu, at: float) -> float:
    """R29: the first time, from `at` on, at which calls of a fixed timetable leave the CPU to the
    reader.
    """
    burst = world.burst_calls * cpu.plan_call_cost

    if (
        world.has_bursts
        and not world.has_random_gaps
        and world.rate_pieces == 0
        and world.producers_per_cpu == 1
        and not cpu.blocked_producers
        and burst < world.period
    ):
        producer = producer_at(world.producers_address, cpu.first_producer)
        since = (at - producer.due_at - world.wake_cost) % world.period
        at += max(0.0, burst - since)

    return at


def finish_grace_period(world: World, now: float) -> None:
    """R28 and R30, rcu_gp_cleanup(): the running grace period ends; works and waiters that it
    served get their time, and if somebody needs a later one it starts.
    """
    world.gps_done += 1
    world.gp_is_running = 0
    world.gp_done_began_at = world.gp_began_at
    world.gp_event_at = INF
    counters_at(world.counters_address, world.window).gps += world.is_past_horizon == 0
    log_event(world, now, GP_ENDS, ALL_CPUS, float(world.gps_done))

    served_at = (math.floor(now) if world.gps_on_ticks else now) + world.invoke_delay
    any_needs_more = serve_batches(world, served_at)
    if world.sheaf_entries > 0:
        any_needs_more |= serve_sheaves(world, served_at)
    if world.wakes_by_gp:
        wake_waiters(world, now, served_at)
    else:
        serve_waiters(world, served_at)

    starts_at = INF
    if any_needs_more or world.waiters_served < world.waiters_tail:
        starts_at = now
        if world.wakes_by_gp and world.gps_on_ticks:
            starts_at = next_start(world, now)
    if starts_at <= now:
        start_grace_period(world, now)
    elif starts_at < INF:
        world.gp_is_due = 1
        world.gp_event_at = starts_at
    else:
        wait_for_others(world, now)


def put_off_callbacks(world: World, now: float) -> None:
    """R62: a grace period is about to start; callbacks that were queued since the last tick are not
    known to RCU yet, and need the one after it.
    """
    # On a tick a grace period starts before anything is queued at that instant, unless monitors
    # come before it (R3).
    if now == math.floor(now) and not world.has_ready_blocks:
        return

    for batch_index in range(KFREE_N_BATCHES * world.nr_cpus):
        batch = batch_at(world.batches_address, batch_index)
        is_new = batch.state == BATCH_WAITS and batch.needed_gp == world.gps_done + 1
        if is_new and batch.asked_at >= math.floor(now):
            batch.needed_gp += 1

    for number in range(world.waiters_served, world.waiters_tail):
        waiter = waiter_at(world, number)
        is_new = waiter.waits_for != LISTED_WAIT and waiter.needed_gp == world.gps_done + 1
        if is_new and waiter.asked_at >= math.floor(now):
            waiter.needed_gp += 1

    if world.sheaf_entries > 0:
        put_off_sheaves(world, now)


def next_start(world: World, now: float) -> float:
    """R62: when the next grace period starts, for which somebody waits: at once for a waiter on the
    list, and for a callback on the tick after it was queued.
    """
    starts_at = INF
    for batch_index in range(KFREE_N_BATCHES * world.nr_cpus):
        batch = batch_at(world.batches_address, batch_index)
        if batch.state == BATCH_WAITS and batch.ready_at == INF:
            starts_at = min(starts_at, math.floor(batch.asked_at) + 1.0)

    for number in range(world.waiters_served, world.waiters_tail):
        waiter = waiter_at(world, number)
        asked_at = now if waiter.waits_for == LISTED_WAIT else math.floor(waiter.asked_at) + 1.0
        starts_at = min(starts_at, asked_at)

    if world.sheaf_entries > 0:
        starts_at = min(starts_at, next_start_for_sheaves(world, now))
    return starts_at


def serve_batches(world: World, served_at: float) -> bool:
    """R28: batches whose grace period has ended get the time of their work; whether others wait for
    a later one.
    """
    any_needs_more = False

    for batch_index in range(KFREE_N_BATCHES * world.nr_cpus):
        batch = batch_at(world.batches_address, batch_index)
        if batch.state == BATCH_WAITS:
            if batch.needed_gp > world.gps_done:
                any_needs_more = True
            elif batch.ready_at == INF:
                batch.ready_at = served_at + world.work_delay
                update_next_event(world, owner_of_batch(batch_index))

    return any_needs_more
