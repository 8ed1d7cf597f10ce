# SPDX-License-Identifier: GPL-2.0-only
"""The source of a CPU's calls: it plans the next call that needs attention, and accounts for the
calls before other events (rules R4 to R12 and R100 to R108 of docs/model.md).

To settle the calls of a CPU is to account for those that its plan has before a given time.
"""

import math

from krcsim.engine.bursts import (
    end_burst,
    make_call_of_burst,
    plan_burst,
    renew_cookies_of_timetable,
    settle_burst,
)
from krcsim.engine.calendar import update_next_event
from krcsim.engine.call_records import HeldCall
from krcsim.engine.codes import ANY_CALL, NOBODY, ZERO
from krcsim.engine.plans import count_uneventful_calls, draw_plan_length, make_last_planned_call
from krcsim.engine.pointers import cpu_at, producer_at
from krcsim.engine.random_streams import INF, binomial, exponential, gamma, poisson, uniform
from krcsim.engine.ready_blocks import renew_cookies
from krcsim.engine.recorded_calls import time_of_recorded_call
from krcsim.engine.records import Cpu, World


def make_plan(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """Draw a plan from now on, up to the next call that needs attention; the calls before are
    accounted for. Also say whether biased copies begin here, and keep the calendar.
    """
    cpu.call_at = INF
    cpu.plan_calls = 0
    cpu.plan_made_at = now

    if world.has_bursts:
        plan_burst(world, cpu, now)
    elif world.has_recorded_calls:
        plan_recorded_calls(world, cpu)
    elif cpu.call_rate > 0.0 and not world.is_past_horizon:
        draw_plan_length(world, cpu)
        time_poisson_plan(cpu, now)

    note_whether_copies_start(world, cpu)
    update_next_event(world, cpu_index)


def note_whether_copies_start(world: World, cpu: Cpu) -> None:
    """Whether a new plan is a place where biased copies begin: see biased_copies.py."""
    is_pool_full = cpu.nr_emergency - cpu.stalled_failing_calls == world.pool_capacity
    cpu.starts_copies = cpu.plan_calls > 0 and cpu.plan_could_be_biased > 0 and is_pool_full


def time_poisson_plan(cpu: Cpu, now: float) -> None:
    """R5: draw when the last call of a plan is made; where the monitor is likely to run first, only
    how many calls come until then.
    """
    mean = cpu.call_rate * (cpu.monitor_at - now)
    if cpu.plan_calls == 1 or mean > cpu.plan_calls:
        cpu.call_at = now + gamma(cpu.arrival_stream, cpu.plan_calls) / cpu.call_rate
        cpu.plan_until = cpu.call_at
        return

    cpu.plan_until = cpu.monitor_at
    calls = poisson(cpu.arrival_stream, mean)
    if calls < cpu.plan_calls:  # all are uneventful, and the monitor's event makes the next plan
        cpu.plan_calls = calls + 1
    else:  # of so many uniform times the one of the last call: a beta distribution
        before = gamma(cpu.arrival_stream, cpu.plan_calls)
        behind = gamma(cpu.arrival_stream, calls + 1 - cpu.plan_calls)
        cpu.call_at = now + (cpu.plan_until - now) * before / (before + behind)
        cpu.plan_until = cpu.call_at


def settle_calls(world: World, cpu: Cpu, now: float) -> None:
    """Account for the uneventful calls before now, up to the horizon; the plan stays valid."""
    if world.is_past_horizon:
        return

    if world.has_bursts:
        settle_burst(world, cpu, now)
    elif world.has_recorded_calls:
        settle_recorded_calls(world, cpu, now)
    elif cpu.plan_from < now:
        if cpu.plan_calls > 1:
            settle_poisson_plan(world, cpu, now)
        world.rate_times_from += cpu.call_rate * (now - cpu.plan_from)
        cpu.plan_from = now


def settle_poisson_plan(world: World, cpu: Cpu, now: float) -> None:
    """R5: of the plan's uneventful calls some come before now; given their number they are uniform
    in time.
    """
    calls = cpu.plan_calls - 1
    if now < cpu.plan_until:
        passed = (now - cpu.plan_from) / (cpu.plan_until - cpu.plan_from)
        calls = binomial(cpu.arrival_stream, calls, passed)
    cpu.plan_calls -= calls

    if world.reader_section > 0.0 and calls > 0:  # the last of so many uniform times
        latest = uniform(cpu.arrival_stream) ** (1.0 / calls)
        cpu.producer_woke_at = cpu.plan_from + (now - cpu.plan_from) * latest

    # The sum of their times is taken at its mean, which is approximate: see plans.py.
    count_uneventful_calls(world, cpu, calls, 0.5 * calls * (cpu.plan_from + now))
    if world.has_ready_blocks and calls > 0:
        renew_cookies(cpu, cpu.plan_from, min(now, cpu.plan_until))


def plan_recorded_calls(world: World, cpu: Cpu) -> None:
    """R100 and R103: draw the next call of a recording that needs attention; it may lie beyond the
    end of the recording.
    """
    if world.is_past_horizon or time_of_recorded_call(world, cpu, cpu.next_call) == INF:
        return

    draw_plan_length(world, cpu)
    cpu.call_at = time_of_recorded_call(world, cpu, cpu.next_call + cpu.plan_calls - 1)


def settle_recorded_calls(world: World, cpu: Cpu, now: float) -> None:
    """R100: count the plan's uneventful calls, all but its last, that are made before now."""
    calls = ZERO
    time_sum = 0.0
    while calls < cpu.plan_calls - 1:
        at = time_of_recorded_call(world, cpu, cpu.next_call + calls)
        if at >= now:
            break
        calls += 1
        time_sum += at
        cpu.producer_woke_at = at

    if calls > 0:
        count_uneventful_calls(world, cpu, calls, time_sum)
        if world.has_ready_blocks:
            renew_cookies_of_timetable(
                world, cpu, producer_at(world.producers_address, ZERO), calls
            )
        cpu.plan_calls -= calls
        cpu.next_call += calls


def handle_source_event(world: World, cpu_index: int, now: float) -> None:
    """R5, R7 and R100: the last call of a plan is made, or an on or off phase ends."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    is_timetable = world.has_bursts > 0 or world.has_recorded_calls > 0
    settle_calls(world, cpu, INF if is_timetable else now)  # calls of a timetable may come at now

    if world.has_bursts:
        make_call_of_burst(world, cpu, cpu_index, now)
    elif world.has_recorded_calls:
        cpu.next_call += 1
        make_last_planned_call(world, cpu, cpu_index, now, NOBODY)
    elif cpu.phase_ends_at == now:
        cpu.is_source_on = 1 - cpu.is_source_on
        begin_phase(world, cpu, now)
        update_rate(world, cpu)
    elif make_last_planned_call(world, cpu, cpu_index, now, NOBODY):
        update_rate(world, cpu)

    make_plan(world, cpu, cpu_index, now)


def begin_phase(world: World, cpu: Cpu, now: float) -> None:
    """R5: an on or off phase begins; draw when it ends."""
    mean = world.on_mean if cpu.is_source_on else world.off_mean
    cpu.phase_ends_at = now + exponential(cpu.arrival_stream) * mean
    if world.rate_pieces > 0:
        cpu.source_switches_at = cpu.phase_ends_at
        cpu.phase_ends_at = min(cpu.source_switches_at, cpu.rate_changes_at)


def resume_caller(
    world: World, cpu: Cpu, cpu_index: int, now: float, runs_at: float, held_call: HeldCall
) -> None:
    """R12: a held-up caller goes on now (closed loop), and runs at runs_at; the calls of its CPU
    are accounted for.
    """
    cpu.blocked_producers -= 1

    if world.has_bursts:
        producer = producer_at(world.producers_address, held_call.producer)
        producer.is_blocked = 0
        producer.ready_at = runs_at
        if producer.calls_left == 0:
            end_burst(world, cpu, producer, runs_at)
    else:
        update_rate(world, cpu)
        calls_again_at_once(world, cpu, cpu_index, now, held_call)

    make_plan(world, cpu, cpu_index, now)


def calls_again_at_once(
    world: World, cpu: Cpu, cpu_index: int, now: float, held_call: HeldCall
) -> None:
    """R12, R86, R105 and R108: a caller of a Poisson source makes its next call at once if that was
    due meanwhile.
    """
    rate = world.base_rate * cpu.rate_share * cpu.is_source_on / world.producers_per_cpu
    rate *= cpu.rate_factor

    if not (world.is_past_horizon or world.is_out_of_memory):
        was_due = 1.0 - math.exp(-(now - held_call.began_at) * rate)
        if uniform(cpu.arrival_stream) < was_due:
            cpu.plan_last_kind = ANY_CALL
            if make_last_planned_call(world, cpu, cpu_index, now, NOBODY):
                update_rate(world, cpu)


def update_rate(world: World, cpu: Cpu) -> None:
    """R5, R12, R105 and R108: the rate of a Poisson source now: none in an off phase, less while
    producers are held up, and that of the present piece of time.
    """
    going = (world.producers_per_cpu - cpu.blocked_producers) / world.producers_per_cpu
    rate = world.base_rate * cpu.rate_share * cpu.is_source_on * going * cpu.rate_factor

    world.rate_sum += rate - cpu.call_rate
    world.rate_times_from += (rate - cpu.call_rate) * cpu.plan_from
    cpu.call_rate = rate


def settle_all(world: World, now: float) -> None:
    """Account for all uneventful calls before now, on all CPUs."""
    if world.all_settled_at < now:
        world.all_settled_at = now
        for cpu_index in range(world.nr_cpus):
            settle_calls(world, cpu_at(world.cpus_address, cpu_index), now)
