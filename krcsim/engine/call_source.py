# SPDX-License-Identifier: GPL-2.0-only
"""The calls of a CPU, and how runs of dull ones are skipped, exactly: see DESIGN.md.

A call is dull if it only appends: to the head block, or to the list with a monitor already pending.
`plan` draws when the next other call comes and how many dull ones before; `settle` counts those
that came before another event.
"""

import math

from krcsim.engine.calendar import update_next_event
from krcsim.engine.call_marks import draw_call, p_by_channel, p_uneventful_biased
from krcsim.engine.codes import ANY_CALL, EVENTFUL, LIST, ONE, SLAB, UNEVENTFUL, VMALLOC
from krcsim.engine.compiling import compile_module, part
from krcsim.engine.kfree_rcu import kvfree_call_rcu
from krcsim.engine.page_memory import count_held_objects
from krcsim.engine.random_streams import (
    INF,
    UNLIMITED,
    binomial,
    exponential,
    gamma,
    geometric,
    poisson,
    uniform,
)
from krcsim.engine.records import Cpu, HeldCall, Producer, World, counters_at, cpu_at, producer_at


@part
def draw_plan_length(world: World, cpu: Cpu) -> None:
    """Draw the length of a plan and what is known of its last call."""
    cpu.plan_log_ratio, cpu.plan_could_be_biased = 0.0, 0
    channel = VMALLOC if world.p_vmalloc > 0.0 else SLAB
    if world.takes_every_call or cpu.monitor_at == INF:
        cpu.plan_calls, cpu.plan_last_kind = 1, ANY_CALL
    elif cpu.head_block_room[channel] > 0 and not 0.0 < world.p_vmalloc < 1.0:
        cpu.plan_calls, cpu.plan_last_kind = (
            min(cpu.head_block_room[channel] + 1, world.max_plan_calls),
            ANY_CALL if cpu.head_block_room[channel] < world.max_plan_calls else UNEVENTFUL,
        )
    elif 0.0 < world.p_vmalloc < 1.0:
        cap = min(
            cpu.head_block_room[SLAB] or UNLIMITED,
            cpu.head_block_room[VMALLOC] or UNLIMITED,
            world.max_plan_calls,
        )
        n = geometric(
            cpu.call_stream,
            p_uneventful_biased(
                world,
                cpu,
                1.0 - (p_by_channel(world, cpu, SLAB)[1] + p_by_channel(world, cpu, VMALLOC)[1]),
            ),
        )
        cpu.plan_calls, cpu.plan_last_kind = min(n, cap), EVENTFUL if n <= cap else UNEVENTFUL
    elif p_by_channel(world, cpu, channel)[0] > 0.0:
        n = geometric(
            cpu.call_stream, p_uneventful_biased(world, cpu, p_by_channel(world, cpu, channel)[0])
        )
        cpu.plan_calls, cpu.plan_last_kind = (
            min(n, world.max_plan_calls),
            UNEVENTFUL if n > world.max_plan_calls or n == UNLIMITED else EVENTFUL,
        )
    else:
        cpu.plan_calls, cpu.plan_last_kind = 1, ANY_CALL


@part
def count_uneventful_calls(world: World, cpu: Cpu, n: int, time_sum: float) -> None:
    """n dull calls were made, at times that add up to time_sum."""
    if n <= 0:
        return
    out = counters_at(world.counters_address, world.window)
    world.deferred_objects += n
    out.queued += n
    out.area -= time_sum
    count_held_objects(world, n)
    world.log_ratio += n * cpu.plan_log_ratio
    channel = VMALLOC if world.p_vmalloc > 0.0 else SLAB
    if (
        cpu.head_block_room[channel] > 0 and not 0.0 < world.p_vmalloc < 1.0
    ):  # the most frequent case
        cpu.head_block_room[channel] -= n
        cpu.queued_objects[channel] += n
        singles = n if world.p_single >= 1.0 else binomial(cpu.call_stream, n, world.p_single)
    else:
        singles = spread_uneventful_calls(world, cpu, n)
    out.single += singles
    out.single_episode += singles * world.in_episode
    out.double += n - singles
    out.double_episode += (n - singles) * world.in_episode


def spread_uneventful_calls(world: World, cpu: Cpu, n: int) -> int:
    """n dull calls go into blocks or on the list; returns how many are single-argument."""
    out = counters_at(world.counters_address, world.window)
    w0, w1 = p_by_channel(world, cpu, SLAB)[0], p_by_channel(world, cpu, VMALLOC)[0]
    n1 = binomial(cpu.call_stream, n, w1 / (w0 + w1))
    singles, listed = 0, 0
    for channel in range(2):
        k = n1 if channel == VMALLOC else n - n1
        into = k * (cpu.head_block_room[channel] > 0)
        cpu.head_block_room[channel] -= into
        cpu.queued_objects[channel] += into
        singles += binomial(cpu.call_stream, into, world.p_single)
        listed += k - into
    s, d = world.p_single * world.p_single_uneventful, (1.0 - world.p_single) * world.p_page_fails
    wrapped = binomial(cpu.call_stream, listed, s / (s + d))
    cpu.queued_objects[LIST] += listed
    cpu.queued_blocks[LIST] += wrapped
    out.list_pushes += listed
    out.page_fail += listed * world.has_array_path
    return singles + wrapped


def make_last_planned_call(world: World, cpu: Cpu, i: int, now: float, prod: int) -> bool:
    """The last call of a plan comes at now, from producer `prod` if it is not -1; True if it now
    holds up its caller.
    """
    if not world.has_bursts:
        cpu.producer_woke_at = now
    if cpu.plan_last_kind == UNEVENTFUL:
        count_uneventful_calls(world, cpu, ONE, now)
        return False
    channel, single, u_page, u_head = draw_call(world, cpu)
    held = (
        kvfree_call_rcu(world, cpu, i, now, channel, single, u_page, u_head, prod)
        and world.is_closed_loop > 0
    )
    cpu.blocked_producers += held
    return held


def make_plan(world: World, cpu: Cpu, i: int, now: float) -> None:
    """Draw the next call that needs attention, from now on; calls before now are settled."""
    cpu.call_at, cpu.plan_calls, cpu.plan_made_at = INF, 0, now
    if world.has_bursts:
        plan_burst(world, cpu, now)
    elif cpu.call_rate > 0.0 and not world.is_past_horizon:
        draw_plan_length(world, cpu)
        time_poisson_plan(cpu, now)
    cpu.starts_copies = (
        cpu.plan_calls > 0
        and cpu.plan_could_be_biased
        and cpu.nr_emergency - cpu.stalled_failing_calls == world.pool_capacity
    )
    update_next_event(world, i)


@part
def time_poisson_plan(cpu: Cpu, now: float) -> None:
    """Draw when call n comes; where the monitor is likely to come first, only how many calls there
    are until then.
    """
    mean = cpu.call_rate * (cpu.monitor_at - now)
    if cpu.plan_calls == 1 or mean > cpu.plan_calls:
        cpu.call_at = cpu.plan_until = (
            now + gamma(cpu.arrival_stream, cpu.plan_calls) / cpu.call_rate
        )
        return
    cpu.plan_until, k = cpu.monitor_at, poisson(cpu.arrival_stream, mean)
    if k < cpu.plan_calls:  # all of them are dull, and the monitor's event makes the next plan
        cpu.plan_calls = k + 1
    else:  # k uniform times, of which the n-th: beta(n, k + 1 - n)
        x = gamma(cpu.arrival_stream, cpu.plan_calls)
        cpu.call_at = cpu.plan_until = now + (cpu.plan_until - now) * x / (
            x + gamma(cpu.arrival_stream, k + 1 - cpu.plan_calls)
        )


def settle_calls(world: World, cpu: Cpu, now: float) -> None:
    """Account for the dull calls before now, up to the horizon; the plan stays valid."""
    if world.has_bursts and not world.is_past_horizon:
        settle_burst(world, cpu, now)
    elif cpu.plan_from < now and not world.is_past_horizon:
        if cpu.plan_calls > 1:
            k = cpu.plan_calls - 1
            if now < cpu.plan_until:
                k = binomial(
                    cpu.arrival_stream, k, (now - cpu.plan_from) / (cpu.plan_until - cpu.plan_from)
                )
            cpu.plan_calls -= k
            if world.reader_section > 0.0 and k > 0:  # the last of k uniform times
                cpu.producer_woke_at = cpu.plan_from + (now - cpu.plan_from) * uniform(
                    cpu.arrival_stream
                ) ** (1.0 / k)
            # Given their number they are uniform in the interval: the sum of times at its mean.
            count_uneventful_calls(world, cpu, k, 0.5 * k * (cpu.plan_from + now))
        world.rate_times_from += cpu.call_rate * (now - cpu.plan_from)
        cpu.plan_from = now


@part
def handle_source_event(world: World, i: int, now: float) -> None:
    """A plan of CPU i has come to its last call at now, or its on or off phase ends."""
    cpu = cpu_at(world.cpus_address, i)
    settle_calls(
        world, cpu, INF if world.has_bursts else now
    )  # dull calls of a burst may come at now too
    if world.has_bursts:
        cpu.current_producer = j = next_producer(world, cpu)
        p = producer_at(world.producers_address, j)
        cpu.producer_woke_at = now if p.calls_left == world.burst_calls else cpu.producer_woke_at
        p.calls_left -= 1
        held, cost = make_call_of_burst(world, cpu, i, now, j)
        cpu.cpu_free_at, cpu.reusable_objects = (
            max(now, cpu.cpu_free_at) + cost,
            max(0, cpu.reusable_objects - 1),
        )  # a refill worker may have had its turn
        if held:
            p.is_blocked, cpu.current_producer = 1, -1
        elif p.calls_left == 0:
            end_burst(world, cpu, p, cpu.cpu_free_at)
            cpu.current_producer = -1
        if cpu.is_working:
            let_out(world, cpu)
    elif cpu.phase_ends_at == now:
        cpu.is_source_on = 1 - cpu.is_source_on
        cpu.phase_ends_at = now + exponential(cpu.arrival_stream) * (
            world.on_mean if cpu.is_source_on else world.off_mean
        )
        update_rate(world, cpu)
    elif make_last_planned_call(world, cpu, i, now, -1):
        update_rate(world, cpu)
    make_plan(world, cpu, i, now)


def resume_caller(
    world: World, cpu: Cpu, i: int, now: float, runs_at: float, held_call: HeldCall
) -> None:
    """The held-up caller of CPU i goes on at now (closed loop), and runs at runs_at; the CPU is
    settled.
    """
    cpu.blocked_producers -= 1
    if world.has_bursts:
        p = producer_at(world.producers_address, held_call.producer)
        p.is_blocked, p.ready_at = 0, runs_at
        if p.calls_left == 0:
            end_burst(world, cpu, p, runs_at)
    else:
        update_rate(world, cpu)
        each = world.base_rate * cpu.is_source_on / world.producers_per_cpu
        if not world.is_past_horizon and uniform(cpu.arrival_stream) < 1.0 - math.exp(
            -(now - held_call.called_at) * each
        ):
            cpu.plan_last_kind = ANY_CALL
            if make_last_planned_call(world, cpu, i, now, -1):
                update_rate(world, cpu)
    make_plan(world, cpu, i, now)


def update_rate(world: World, cpu: Cpu) -> None:
    """The rate of a Poisson source now: none in an off phase, less while producers are held up."""
    rate = (
        world.base_rate
        * cpu.is_source_on
        * ((world.producers_per_cpu - cpu.blocked_producers) / world.producers_per_cpu)
    )
    world.rate_sum += rate - cpu.call_rate
    world.rate_times_from += (rate - cpu.call_rate) * cpu.plan_from
    cpu.call_rate = rate


# Periodic and burst sources: calls follow each other on the CPU.


def make_call_of_burst(world: World, cpu: Cpu, i: int, now: float, j: int) -> tuple[bool, float]:
    """As make_last_planned_call(), and the CPU time of the call."""
    cost = cpu.plan_call_cost
    if cpu.plan_last_kind != UNEVENTFUL:
        cost, world.call_got_wrapper = (
            world.call_cost + (0.0 if cpu.reusable_objects > 0 else world.slab_cost),
            0,
        )
    held = make_last_planned_call(world, cpu, i, now, j)
    return held, cost + world.list_cost * (
        cpu.plan_last_kind != UNEVENTFUL and world.call_got_wrapper
    )


def next_producer(world: World, cpu: Cpu) -> int:
    """The producer the CPU serves next: the running one, else the one ready or due first."""
    if cpu.current_producer >= 0:
        return cpu.current_producer
    best = -1
    for j in range(cpu.first_producer, cpu.first_producer + world.producers_per_cpu):
        p = producer_at(world.producers_address, j)
        if not p.is_blocked and (
            best < 0 or p.ready_at < producer_at(world.producers_address, best).ready_at
        ):
            best = j
    return best


def let_in(world: World, cpu: Cpu, now: float) -> None:
    """A work that has seen a tick lets in, between two blocks or entries, a caller that is late:
    its slice is over.
    """
    j = next_producer(world, cpu)
    if j >= 0 and producer_at(world.producers_address, j).ready_at < now:
        p = producer_at(world.producers_address, j)
        if p.due_at + 2.0 * world.period < now:  # it does not sleep before its own slice is over
            cpu.work_pause_ends_at = math.floor(now) + 1.0
        else:  # let_out() ends it sooner if no other burst is due
            cpu.work_pause_ends_at = now + (p.calls_left + world.burst_calls) * mean_call_cost(
                world, cpu
            )
        cpu.work_step_ends_at, cpu.work_began_at = (
            cpu.work_step_ends_at + cpu.work_pause_ends_at - now,
            cpu.work_pause_ends_at,
        )


def let_out(world: World, cpu: Cpu) -> None:
    """If the caller that was let in waits, or sleeps until its next burst is due, the work goes
    on.
    """
    if cpu.current_producer >= 0 or cpu.cpu_free_at >= cpu.work_pause_ends_at:
        return
    j = next_producer(world, cpu)
    if j < 0 or producer_at(world.producers_address, j).ready_at > cpu.cpu_free_at:
        cpu.work_step_ends_at -= cpu.work_pause_ends_at - cpu.cpu_free_at
        cpu.work_pause_ends_at = cpu.work_began_at = cpu.cpu_free_at


def time_of_call(world: World, cpu: Cpu, p: Producer, start: float, j: int) -> float:
    """The time of call j (from 0) of a plan from `start` on, over whole bursts if regular."""
    if j < p.calls_left:
        return start + j * cpu.plan_call_cost
    j -= p.calls_left
    return (
        p.due_at
        + world.wake_cost
        + (1 + j // world.burst_calls) * world.period
        + (j % world.burst_calls) * cpu.plan_call_cost
    )


def mean_call_cost(world: World, cpu: Cpu) -> float:
    """The CPU time of the next dull call, on average over those with a wrapper and those
    without.
    """
    cost = world.call_cost + world.slab_cost * (cpu.reusable_objects <= 0)
    if (
        cpu.head_block_room[SLAB] + cpu.head_block_room[VMALLOC] == 0
        and world.p_single_uneventful > 0.0
    ):  # dull calls go on the list
        cost += (
            world.list_cost
            * world.p_single
            * world.p_single_uneventful
            / (
                world.p_single * world.p_single_uneventful
                + (1.0 - world.p_single) * world.p_page_fails
            )
        )
    return cost


def plan_burst(world: World, cpu: Cpu, now: float) -> None:
    """As make_plan(), for a CPU whose calls follow each other."""
    j = next_producer(world, cpu)
    if (cpu.is_working and now >= cpu.work_pause_ends_at) or j < 0 or world.is_past_horizon:
        return
    p = producer_at(world.producers_address, j)
    cpu.plan_start_at = (
        max(now, cpu.cpu_free_at)
        if cpu.current_producer >= 0
        else max(now, cpu.cpu_free_at, p.ready_at)
    )
    cpu.plan_call_cost = mean_call_cost(world, cpu)
    # Where later bursts will start when they are due, a plan may cross into them.
    fixed = (
        not (world.takes_every_call or world.has_random_gaps or world.producers_per_cpu > 1)
        and world.burst_calls * cpu.plan_call_cost <= world.period
    )
    on_time = (
        cpu.plan_start_at + p.calls_left * cpu.plan_call_cost <= p.due_at + world.period
        and not cpu.is_working
    )
    limit = min(cpu.reusable_objects or UNLIMITED, 1 << 20 if fixed and on_time else p.calls_left)
    if cpu.is_working:  # let in, it makes those calls that begin before the pause ends
        if cpu.plan_start_at >= cpu.work_pause_ends_at:
            return
        if cpu.plan_call_cost > 0.0:
            limit = min(
                limit, 1 + int((cpu.work_pause_ends_at - cpu.plan_start_at) / cpu.plan_call_cost)
            )
    draw_plan_length(world, cpu)
    if cpu.plan_calls > limit:
        cpu.plan_calls, cpu.plan_last_kind = limit, UNEVENTFUL
    cpu.call_at = time_of_call(world, cpu, p, cpu.plan_start_at, cpu.plan_calls - 1)


def settle_burst(world: World, cpu: Cpu, now: float) -> None:
    """As settle_calls(): calls of the timetable; moves the producer and the plan's start."""
    if cpu.plan_calls <= 1 or cpu.plan_start_at >= now:
        return
    j = next_producer(world, cpu)
    p = producer_at(world.producers_address, j)
    start, cost, burst = cpu.plan_start_at, cpu.plan_call_cost, world.burst_calls
    last = (
        cpu.plan_calls - 1
    )  # calls 0 .. n - 2 are dull: k of them lie before now, the first at start
    k = last if now > cpu.call_at else 0
    while k < last:
        mid = (k + last) >> 1
        if time_of_call(world, cpu, p, start, mid) < now:
            k = mid + 1
        else:
            last = mid
    k0 = min(k, p.calls_left)
    whole, rest = (k - k0) // burst, (k - k0) % burst
    total = k0 * start + cost * k0 * (k0 - 1) / 2
    total += (
        whole * burst * (p.due_at + world.wake_cost)
        + world.period * burst * whole * (whole + 1) / 2
    )
    total += whole * cost * burst * (burst - 1) / 2
    total += (
        rest * (p.due_at + world.wake_cost + (whole + 1) * world.period)
        + cost * rest * (rest - 1) / 2
    )
    count_uneventful_calls(world, cpu, k, total)
    if k > k0:
        cpu.producer_woke_at = p.due_at + world.wake_cost + (whole + (rest > 0)) * world.period
    elif p.calls_left == burst and k > 0:
        cpu.producer_woke_at = start
    cpu.cpu_free_at = time_of_call(world, cpu, p, start, k - 1) + cost
    cpu.plan_start_at = time_of_call(world, cpu, p, start, k)
    cpu.plan_calls, cpu.current_producer, cpu.reusable_objects = (
        cpu.plan_calls - k,
        j,
        max(0, cpu.reusable_objects - k),
    )
    if k < p.calls_left:
        p.calls_left -= k
    elif rest > 0:
        p.due_at += (whole + 1) * world.period
        p.calls_left, p.ready_at = burst - rest, p.due_at + world.wake_cost
    else:  # ended whole bursts, the last of them just now
        p.due_at += whole * world.period
        end_burst(world, cpu, p, cpu.cpu_free_at)
        cpu.current_producer = -1


def end_burst(world: World, cpu: Cpu, p: Producer, now: float) -> None:
    """Producer p has no call left at now: it is next due a gap after it last was."""
    p.due_at += (
        world.period * exponential(cpu.arrival_stream) if world.has_random_gaps else world.period
    )
    if world.is_closed_loop and not world.catches_up and p.due_at < now:
        p.due_at = now
    p.calls_left, p.ready_at = (
        world.burst_calls,
        p.due_at + (world.wake_cost if p.due_at > now else 0.0),
    )


compile_module()
