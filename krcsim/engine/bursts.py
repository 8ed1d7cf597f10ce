# SPDX-License-Identifier: GPL-2.0-only
"""Periodic and burst sources: calls that follow each other on the CPU (rules R6 to R11 and R108 of
docs/model.md).
"""

import math

from krcsim.engine.call_records import Producer
from krcsim.engine.channels import total
from krcsim.engine.codes import NOBODY, SLAB, UNEVENTFUL, VMALLOC, ZERO
from krcsim.engine.load_time import load_time_at, time_of_load
from krcsim.engine.plans import count_uneventful_calls, draw_plan_length, make_last_planned_call
from krcsim.engine.pointers import producer_at
from krcsim.engine.random_streams import UNLIMITED, exponential, uniform
from krcsim.engine.ready_blocks import renew_cookie
from krcsim.engine.recorded_calls import time_of_recorded_call
from krcsim.engine.records import CHANNELS, Cpu, World
from krcsim.engine.sheaf_plans import share_behind_sheaves

LONGEST_PLAN = 1 << 20  # calls of a plan that crosses into later bursts


def next_producer(world: World, cpu: Cpu) -> int:
    """R8: the producer that the CPU serves next, the running one or else the one that became ready
    first; or NOBODY.
    """
    if cpu.current_producer >= 0:
        return cpu.current_producer

    chosen = NOBODY
    for index in range(cpu.first_producer, cpu.first_producer + world.producers_per_cpu):
        producer = producer_at(world.producers_address, index)
        if not producer.is_blocked:
            first = producer_at(world.producers_address, max(0, chosen))
            if chosen < 0 or producer.ready_at < first.ready_at:
                chosen = index

    return chosen


def time_of_call(world: World, cpu: Cpu, producer: Producer, start: float, number: int) -> float:
    """R7: when a call of a plan is made, by its number from 0, over whole bursts if these are
    regular.
    """
    if number < producer.calls_left:
        return start + number * cpu.plan_call_cost

    number -= producer.calls_left
    bursts = 1 + number // world.burst_calls
    in_burst = number % world.burst_calls
    first = producer.due_at + world.wake_cost
    return first + bursts * world.period + in_burst * cpu.plan_call_cost


def mean_call_cost(world: World, cpu: Cpu) -> float:
    """R6: the CPU time of the next uneventful call, on average over those with a wrapper and those
    without; each uneventful call of a plan takes that mean, which is approximate: see plans.py.
    """
    cost = world.call_cost + world.slab_cost * (cpu.reusable_objects <= 0)

    has_no_room = cpu.head_block_room[SLAB] + cpu.head_block_room[VMALLOC] == 0
    if has_no_room and world.p_single_uneventful > 0.0:  # uneventful calls go on the list
        single = world.p_single * world.p_single_uneventful
        double = (1.0 - world.p_single) * world.p_double_page_fails
        listed = world.p_single * world.p_single_uneventful / (single + double)
        if world.sheaf_entries > 0:
            listed *= share_behind_sheaves(world, cpu)
        cost += world.list_cost * listed

    return cost


def plan_burst(world: World, cpu: Cpu, now: float) -> None:
    """R7 and R8: draw the next call of a burst that needs attention."""
    index = next_producer(world, cpu)
    work_has_cpu = cpu.is_working > 0 and now >= cpu.work_pause_ends_at
    if work_has_cpu or index < 0 or world.is_past_horizon:
        return

    producer = producer_at(world.producers_address, index)
    cpu.plan_start_at = max(now, cpu.cpu_free_at)
    if cpu.current_producer < 0:
        cpu.plan_start_at = max(cpu.plan_start_at, producer.ready_at)
    cpu.plan_call_cost = mean_call_cost(world, cpu)

    limit = plan_limit(world, cpu, producer)
    if cpu.is_working:  # let in, it makes those calls that begin before the pause ends
        if cpu.plan_start_at >= cpu.work_pause_ends_at:
            return
        if cpu.plan_call_cost > 0.0:
            pause = cpu.work_pause_ends_at - cpu.plan_start_at
            limit = min(limit, 1 + int(pause / cpu.plan_call_cost))

    draw_plan_length(world, cpu)
    if cpu.plan_calls > limit:
        cpu.plan_calls = limit
        cpu.plan_last_kind = UNEVENTFUL
    cpu.call_at = time_of_call(world, cpu, producer, cpu.plan_start_at, cpu.plan_calls - 1)


def plan_limit(world: World, cpu: Cpu, producer: Producer) -> int:
    """R6, R7 and R108: most calls of a plan; it crosses into later bursts only where these start
    when they are due, at equal gaps, and the cost of all its calls is the same.
    """
    burst = world.burst_calls * cpu.plan_call_cost
    may_cross = not (world.takes_every_call or world.has_random_gaps or world.producers_per_cpu > 1)
    may_cross = may_cross and world.rate_pieces == 0
    ends_at = cpu.plan_start_at + producer.calls_left * cpu.plan_call_cost

    calls = producer.calls_left
    if (
        may_cross
        and burst <= world.period
        and ends_at <= producer.due_at + world.period
        and not cpu.is_working
    ):
        calls = LONGEST_PLAN

    return min(cpu.reusable_objects or UNLIMITED, calls)


def settle_burst(world: World, cpu: Cpu, now: float) -> None:
    """R7: account for the uneventful calls of the timetable before now: count them, then move the
    producer and the start of the plan behind them.
    """
    if cpu.plan_calls <= 1 or cpu.plan_start_at >= now:
        return

    index = next_producer(world, cpu)
    producer = producer_at(world.producers_address, index)
    calls = count_calls_before(world, cpu, producer, now)

    # Calls of the present burst, whole bursts behind it, and calls of the last burst.
    burst = world.burst_calls
    first = min(calls, producer.calls_left)
    whole = (calls - first) // burst
    rest = (calls - first) % burst

    time_sum = sum_call_times(world, cpu, producer, first, whole, rest)
    count_uneventful_calls(world, cpu, calls, time_sum)
    if world.has_ready_blocks and calls > 0:
        renew_cookies_of_timetable(world, cpu, producer, calls)
    cpu.current_producer = index
    move_plan_start(world, cpu, producer, calls, first, whole, rest)
    move_producer(world, cpu, producer, calls, whole, rest)


def renew_cookies_of_timetable(world: World, cpu: Cpu, producer: Producer, calls: int) -> None:
    """R56: so many calls of a plan were made; when the last of each channel was. Where there are
    several channels their calls come in random order.
    """
    missing = ZERO  # a bit for each channel whose last call is not yet found
    for channel in range(CHANNELS):
        if cpu.settled_objects[channel] > 0:
            missing |= 1 << channel
    in_sheaf = calls - total(cpu.settled_objects)  # calls that joined no channel
    are_mixed = in_sheaf > 0 or (missing & (missing - 1)) > 0

    number = calls
    while missing > 0:  # from the last call on backwards
        place = int(uniform(cpu.cookie_stream) * number) if are_mixed else ZERO
        place -= in_sheaf
        if place < 0:
            in_sheaf -= 1
            number -= 1
            continue
        chosen = SLAB
        while place >= cpu.settled_objects[chosen]:
            place -= cpu.settled_objects[chosen]
            chosen += 1
        number -= 1
        cpu.settled_objects[chosen] -= 1
        if missing & (1 << chosen):
            missing &= ~(1 << chosen)
            if world.has_recorded_calls:
                at = time_of_recorded_call(world, cpu, cpu.next_call + number)
            else:
                at = time_of_call(world, cpu, producer, cpu.plan_start_at, number)
            renew_cookie(cpu, chosen, at)


def move_plan_start(
    world: World, cpu: Cpu, producer: Producer, calls: int, first: int, whole: int, rest: int
) -> None:
    """R7: the plan begins after so many calls: `first` of the present burst, those of `whole`
    bursts behind it, and `rest` of the burst after these.
    """
    start = cpu.plan_start_at

    if calls > first:
        woken_bursts = whole + (rest > 0)
        cpu.producer_woke_at = producer.due_at + world.wake_cost + woken_bursts * world.period
    elif producer.calls_left == world.burst_calls and calls > 0:
        cpu.producer_woke_at = start

    cpu.cpu_free_at = time_of_call(world, cpu, producer, start, calls - 1) + cpu.plan_call_cost
    cpu.plan_start_at = time_of_call(world, cpu, producer, start, calls)
    cpu.plan_calls -= calls
    cpu.reusable_objects = max(0, cpu.reusable_objects - calls)


def move_producer(
    world: World, cpu: Cpu, producer: Producer, calls: int, whole: int, rest: int
) -> None:
    """R7: the running producer has made so many calls, over `whole` bursts behind the present one,
    and `rest` of the burst after these; cpu.cpu_free_at is the end of the last.
    """
    if calls < producer.calls_left:
        producer.calls_left -= calls
    elif rest > 0:
        producer.due_at += (whole + 1) * world.period
        producer.calls_left = world.burst_calls - rest
        producer.ready_at = producer.due_at + world.wake_cost
    else:  # ended whole bursts, the last of them just now
        producer.due_at += whole * world.period
        end_burst(world, cpu, producer, cpu.cpu_free_at)
        cpu.current_producer = NOBODY


def count_calls_before(world: World, cpu: Cpu, producer: Producer, now: float) -> int:
    """How many of the plan's uneventful calls, all but its last, are made before now: by
    bisection.
    """
    start = cpu.plan_start_at
    last = cpu.plan_calls - 1
    calls = last if now > cpu.call_at else 0

    while calls < last:
        middle = (calls + last) >> 1
        if time_of_call(world, cpu, producer, start, middle) < now:
            calls = middle + 1
        else:
            last = middle

    return calls


def sum_call_times(
    world: World, cpu: Cpu, producer: Producer, first: int, whole: int, rest: int
) -> float:
    """The sum of the times of calls: `first` of the present burst, those of `whole` bursts behind
    it, and `rest` of the burst after these.
    """
    cost = cpu.plan_call_cost
    burst = world.burst_calls
    wakes_at = producer.due_at + world.wake_cost

    total = first * cpu.plan_start_at + cost * first * (first - 1) / 2
    total += whole * burst * wakes_at + world.period * burst * whole * (whole + 1) / 2
    total += whole * cost * burst * (burst - 1) / 2
    total += rest * (wakes_at + (whole + 1) * world.period) + cost * rest * (rest - 1) / 2
    return total


def end_burst(world: World, cpu: Cpu, producer: Producer, now: float) -> None:
    """R7 and R108: the producer has no call left; it is next due a gap after it last was."""
    gap = world.period
    if world.has_random_gaps:
        gap = world.period * exponential(cpu.arrival_stream)
    if world.rate_pieces > 0:
        producer.due_at = time_of_load(world, load_time_at(world, producer.due_at) + gap)
    else:
        producer.due_at += gap

    if world.is_closed_loop and not world.catches_up and producer.due_at < now:
        producer.due_at = now

    producer.calls_left = world.burst_calls
    producer.ready_at = producer.due_at
    if producer.due_at > now:
        producer.ready_at += world.wake_cost


def make_call_of_burst(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R6 to R8: the last call of a burst's plan is made, and takes its CPU time."""
    index = next_producer(world, cpu)
    cpu.current_producer = index
    producer = producer_at(world.producers_address, index)
    if producer.calls_left == world.burst_calls:
        cpu.producer_woke_at = now
    producer.calls_left -= 1

    cost = cpu.plan_call_cost
    is_drawn = cpu.plan_last_kind != UNEVENTFUL
    if is_drawn:
        cost = world.call_cost + (0.0 if cpu.reusable_objects > 0 else world.slab_cost)
        world.call_got_wrapper = 0
    is_held = make_last_planned_call(world, cpu, cpu_index, now, index)
    if is_drawn and world.call_got_wrapper:
        cost += world.list_cost

    # A refill worker may have had its turn meanwhile.
    cpu.cpu_free_at = max(now, cpu.cpu_free_at) + cost
    cpu.reusable_objects = max(0, cpu.reusable_objects - 1)

    if is_held:
        producer.is_blocked = 1
        cpu.current_producer = NOBODY
    elif producer.calls_left == 0:
        end_burst(world, cpu, producer, cpu.cpu_free_at)
        cpu.current_producer = NOBODY

    if cpu.is_working:
        resume_work_early(world, cpu)


def pause_work(world: World, cpu: Cpu, now: float) -> None:
    """R10: a work that has seen a tick lets in, between two blocks or entries, a caller that is
    late; its time slice is over.
    """
    index = next_producer(world, cpu)
    if index < 0:
        return

    producer = producer_at(world.producers_address, index)
    if producer.ready_at < now:
        if producer.due_at + 2.0 * world.period < now:
            # It is so late that the next bursts are due before it has made this one: it does not
            # sleep in between, and keeps the CPU until the tick at which its own time slice ends.
            cpu.work_pause_ends_at = math.floor(now) + 1.0
        else:  # resume_work_early() ends it sooner if no other burst is due
            calls = producer.calls_left + world.burst_calls
            cpu.work_pause_ends_at = now + calls * mean_call_cost(world, cpu)

        cpu.work_step_ends_at = cpu.work_step_ends_at + cpu.work_pause_ends_at - now
        cpu.work_began_at = cpu.work_pause_ends_at


def resume_work_early(world: World, cpu: Cpu) -> None:
    """R10: if the caller that was let in waits, or sleeps until its next burst is due, the work
    goes on.
    """
    if cpu.current_producer >= 0 or cpu.cpu_free_at >= cpu.work_pause_ends_at:
        return

    index = next_producer(world, cpu)
    if index >= 0:
        producer = producer_at(world.producers_address, index)
        if producer.ready_at <= cpu.cpu_free_at:
            return

    cpu.work_step_ends_at -= cpu.work_pause_ends_at - cpu.cpu_free_at
    cpu.work_pause_ends_at = cpu.cpu_free_at
    cpu.work_began_at = cpu.cpu_free_at
