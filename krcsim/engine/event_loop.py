# SPDX-License-Identifier: GPL-2.0-only
"""The event loop: what happens next, in time order, and in the order of docs/model.md at ties."""

import math

from krcsim.engine.calendar import (
    earliest_cpu,
    free_slot,
    histogram_bin,
    log_event,
    pop_held_call,
    update_next_event,
)
from krcsim.engine.call_source import (
    handle_source_event,
    let_in,
    make_plan,
    resume_caller,
    settle_calls,
    update_rate,
)
from krcsim.engine.codes import (
    ALL_CPUS,
    ANY_CALL,
    BATCH_QUEUED,
    BOOT,
    EPISODE_BEGINS,
    EPISODE_ENDS,
    EXPEDITED_WAIT,
    HEAD_NONE,
    HEAD_TRYHARD,
    LIST,
    STOPPED,
    WAIT_ENDS,
)
from krcsim.engine.compiling import compile_module, part
from krcsim.engine.grace_periods import advance_reader, finish_grace_period, start_grace_period
from krcsim.engine.kfree_rcu import (
    batches_on,
    finish_step,
    go_on_after_stall,
    kfree_rcu_monitor,
    start_next_step,
    work_cost,
)
from krcsim.engine.page_memory import boot_memory, switch_hog
from krcsim.engine.random_streams import INF, exponential, uniform
from krcsim.engine.records import (
    BINS,
    HeldCall,
    World,
    batch_at,
    count_at,
    counters_at,
    cpu_at,
    heap_node_at,
    held_call_at,
    producer_at,
    real_at,
    tally_at,
)


def set_probabilities_in_force(world: World) -> None:
    """Set what calm or episode makes of the failure probabilities, as the calls need them."""
    f, k = world.failures, world.in_episode
    world.p_page_fails = f[k, 0] if world.has_array_path else 1.0
    world.p_noretry_page_fails, world.p_head_fails_after_reclaim = f[k, 1], f[k, 5]
    # That a single-argument call gets no rcu_head at once; that it gets one, but no page.
    world.p_head_fails_at_first = (
        1.0
        if world.head_alloc == HEAD_NONE
        else f[k, 4]
        if world.head_alloc == HEAD_TRYHARD
        else f[k, 3]
    )
    world.p_single_uneventful = (
        0.0 if world.asks_noretry else world.p_page_fails * (1.0 - world.p_head_fails_at_first)
    )
    if world.has_page_memory:  # then answers are 0 or 1
        world.p_page_fails = world.p_noretry_page_fails = world.p_head_fails_at_first = (
            world.p_head_fails_after_reclaim
        ) = 0.5


def settle_all(world: World, now: float) -> None:
    """Account for all dull calls before now on all CPUs."""
    if world.all_settled_at < now:
        world.all_settled_at = now
        for i in range(world.nr_cpus):
            settle_calls(world, cpu_at(world.cpus_address, i), now)


def switch_pressure(world: World, now: float) -> None:
    """An episode of pressure begins or ends, for all CPUs."""
    settle_all(world, now)
    if world.has_page_memory:
        switch_hog(world, now)
    counters_at(world.counters_address, world.window).episode_ms += (
        now if world.in_episode else -now
    )
    world.in_episode ^= 1
    set_probabilities_in_force(world)
    if world.in_episode:
        world.episode_number += 1
        if world.window < world.windows_by_episode:
            begin_next_window(world, now)
        world.episode_has_waited, world.episode_window = 0, world.window
        counters_at(world.counters_address, world.window).episodes += 1
    log_event(
        world,
        now,
        EPISODE_BEGINS if world.in_episode else EPISODE_ENDS,
        ALL_CPUS,
        float(world.episode_number),
    )
    if world.has_random_episodes:
        world.pressure_switches_at = now + exponential(world.episode_stream) * (
            world.episode_mean if world.in_episode else world.calm_mean
        )
    else:
        world.schedule_index += 1
        world.pressure_switches_at = real_at(world.schedule_address, world.schedule_index).x
    for i in range(world.nr_cpus):
        # Only a CPU without room asks the allocator; but which it is may differ by channel.
        make_plan(world, cpu_at(world.cpus_address, i), i, now)


def begin_next_window(world: World, now: float) -> None:
    """A window ends at now: close its sums; the next one begins, or the run ends."""
    settle_all(world, now)
    out = counters_at(world.counters_address, world.window)
    out.peak, out.area = (
        max(out.peak, world.deferred_objects),
        out.area + world.deferred_objects * now,
    )
    out.episode_ms += world.in_episode * now
    if now >= world.horizon:
        world.is_past_horizon, world.window_ends_at, world.pressure_switches_at = 1, INF, INF
        for i in range(world.nr_cpus):
            out.drains_due += cpu_at(world.cpus_address, i).monitor_at < INF
    else:
        world.window, world.window_ends_at = world.window + 1, world.horizon
        out = counters_at(world.counters_address, world.window)
        out.peak, out.area, out.episode_ms = (
            world.deferred_objects,
            out.area - world.deferred_objects * now,
            out.episode_ms - world.in_episode * now,
        )


def record_latency(world: World, now: float, held_call: HeldCall) -> None:
    """The held-up call in `held_call` ends at now: its latency goes into the histogram."""
    ms = (now - held_call.called_at + world.call_cost) * world.tick_ms
    count_at(world.latency_histogram_address, held_call.window * BINS + histogram_bin(ms)).n += 1


def end_wait(world: World, now: float, held_call: HeldCall) -> None:
    """The wait of the call in `held_call` is over at now: account for it; its caller may go on."""
    i, cpu, runs_at = held_call.cpu, cpu_at(world.cpus_address, held_call.cpu), now
    if world.is_closed_loop:
        settle_calls(world, cpu, now)
    if (
        world.has_bursts and cpu.is_working and not world.is_closed_loop
    ):  # a task that has slept long comes first, but for a block being freed
        runs_at = (
            cpu.work_step_ends_at
            if cpu.work_channel != LIST and now >= cpu.work_pause_ends_at
            else now
        )
    elif world.has_bursts and cpu.is_working:  # it gets the CPU after the works that are ready
        ahead = work_cost(
            world,
            cpu,
            cpu.work_objects.sum() - cpu.work_step_objects,
            cpu.work_blocks[LIST] - cpu.work_step_wrappers,
        )
        for s in batches_on(world, i):
            k = batch_at(world.batches_address, s)
            if k.state == BATCH_QUEUED and k.work_cpu == i:
                ahead += work_cost(world, cpu, k.objects.sum(), k.blocks[LIST])
        runs_at = max(now, cpu.work_step_ends_at + ahead)
    if world.has_bursts:
        runs_at = cpu.wakeups_done_at = max(runs_at, cpu.wakeups_done_at) + world.wake_cost
    ms = (runs_at - held_call.wait_began_at) * world.tick_ms
    counters_at(world.counters_address, held_call.window).wait_ms += ms
    count_at(world.wait_histogram_address, held_call.window * BINS + histogram_bin(ms)).n += 1
    if held_call.is_counted:
        tally_at(world.tallies_address, held_call.window).wait_ms += world.weight * ms
        world.open_counted_waits -= 1
    record_latency(world, runs_at, held_call)
    log_event(world, now, WAIT_ENDS, i, ms)
    if world.is_closed_loop:
        resume_caller(world, cpu, i, now, runs_at, held_call)


def end_stall(world: World, now: float) -> None:
    """A stall ends, and its call goes on; or an expedited wait is over."""
    pop_held_call(world)
    held_call = free_slot(world)
    i, cpu = held_call.cpu, cpu_at(world.cpus_address, held_call.cpu)
    settle_calls(world, cpu, now)
    if held_call.waits_for == EXPEDITED_WAIT:
        end_wait(world, now, held_call)
        return
    waits = counters_at(world.counters_address, held_call.window).waits
    held = go_on_after_stall(world, cpu, i, now, held_call)
    if not held:
        record_latency(world, now, held_call)
    if not held and world.is_closed_loop:
        resume_caller(world, cpu, i, now, now, held_call)
    elif (
        not held or counters_at(world.counters_address, held_call.window).waits > waits
    ):  # else it stalls once more
        make_plan(world, cpu, i, now)


@part
def has_maintenance_due(world: World, i: int, now: float) -> bool:
    """Whether CPU i's monitor or a ready or running work is due at now."""
    cpu, first, second = (
        cpu_at(world.cpus_address, i),
        batch_at(world.batches_address, 2 * i),
        batch_at(world.batches_address, 2 * i + 1),
    )
    return (
        cpu.monitor_at == now
        or first.ready_at == now
        or second.ready_at == now
        or cpu.work_step_ends_at == now
    )


def do_maintenance(world: World, i: int, now: float) -> None:
    """Handle what is has_maintenance_due() on CPU i at now."""
    cpu, s = cpu_at(world.cpus_address, i), 2 * i
    if cpu.monitor_at == now:
        settle_calls(world, cpu, now)
        kfree_rcu_monitor(world, cpu, i, now)
        make_plan(world, cpu, i, now)
    elif (
        batch_at(world.batches_address, s).ready_at == now
        or batch_at(world.batches_address, s + 1).ready_at == now
    ):
        queue_work(world, s if batch_at(world.batches_address, s).ready_at == now else s + 1, now)
    else:
        run_works(world, i, now)


def queue_work(world: World, s: int, now: float) -> None:
    """Batch s's callback was invoked: choose its CPU; its work starts if no other runs there."""
    k, x = batch_at(world.batches_address, s), s >> 1
    if (
        world.is_closed_loop and world.has_bursts
    ):  # callbacks are invoked in order: a caller that asked before runs on before the work
        for j in range(world.waiters_head, world.waiters_served):
            held_call = held_call_at(world.waiters_address, j % world.waiter_capacity)
            if (
                held_call.cpu == x
                and held_call.wakes_at == now
                and held_call.wait_began_at < k.asked_at
            ):
                k.ready_at = (
                    now
                    + world.wake_cost
                    + producer_at(world.producers_address, held_call.producer).calls_left
                    * world.call_cost
                )
        if k.ready_at > now:
            update_next_event(world, x)
            return
    if world.p_offloaded > 0.0 and uniform(world.offload_stream) < world.p_offloaded:
        x = int(uniform(world.offload_stream) * (world.nr_cpus - 1))
        x += x >= s >> 1
    k.state, k.work_cpu, k.queued_at, k.ready_at = BATCH_QUEUED, x, now, INF
    update_next_event(world, s >> 1)
    cpu = cpu_at(world.cpus_address, x)
    if cpu.is_working:
        return
    if world.has_bursts and world.free_cost > 0.0:
        settle_calls(world, cpu, now)  # the work takes the CPU
    start_next_step(world, x, now)
    if world.free_cost <= 0.0:  # then freeing takes no time
        run_works(world, x, now)
    elif world.has_bursts:
        make_plan(world, cpu, x, now)
    else:
        update_next_event(world, x)


def run_works(world: World, x: int, now: float) -> None:
    """Steps of the work on CPU x end at now; then the next work, or back to calls."""
    cpu = cpu_at(world.cpus_address, x)
    # Only at a new peak does the exact number of deferred objects matter before a release. More
    # calls than eight standard deviations above the mean of those not yet counted have a
    # probability below 1e-14.
    more = world.rate_sum * now - world.rate_times_from
    if more > 0.0:
        more += 8.0 * math.sqrt(more) + 20.0
    if (
        world.has_bursts
        or world.deferred_objects + more >= counters_at(world.counters_address, world.window).peak
    ):
        settle_all(world, now)
    exact = world.has_bursts or world.has_page_memory > 0
    while cpu.is_working and cpu.work_step_ends_at <= now:
        to = x if world.pages_go_to_worker else cpu.work_owner
        o = cpu_at(world.cpus_address, to)
        # Pages may reach a CPU without room: then its plan must be drawn anew from here.
        anew = exact or o.plan_last_kind != ANY_CALL
        if anew:
            settle_calls(world, o, now)
        if exact:
            settle_calls(world, cpu, now)
        finish_step(world, x, now)
        start_next_step(world, x, now)
        if world.has_bursts and cpu.is_working and math.floor(now) > math.floor(cpu.work_began_at):
            let_in(world, cpu, now)
        if anew and (x != to or not world.has_bursts):
            make_plan(world, o, to, now)
    if world.has_bursts:
        make_plan(world, cpu, x, now)
    else:
        update_next_event(world, x)


def readers_let_it_end(world: World, now: float) -> bool:
    """Whether the grace period ends at now; else it is looked at again when the next section ends
    that holds it up.
    """
    later = INF
    for i in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, i)
        settle_calls(world, cpu, now)
        scan, busy_until = math.floor(world.gp_began_at) + 1.0, 0.0
        if cpu.is_working:
            busy_until = cpu.work_step_ends_at + work_cost(
                world,
                cpu,
                cpu.work_objects.sum() - cpu.work_step_objects,
                cpu.work_blocks[LIST] - cpu.work_step_wrappers,
            )
        elif world.has_bursts and cpu.current_producer >= 0:
            busy_until = (
                cpu.plan_start_at
                + producer_at(world.producers_address, cpu.current_producer).calls_left
                * cpu.plan_call_cost
            )
        advance_reader(world, cpu, scan - 1e-9)
        if 0.0 <= cpu.reader_holds_until < scan:
            # The CPU passed between two sections, which is reported with the tick; a reader that
            # was preempted before counts as one that the grace period waits for
            # (rcu_preempt_ctxt_queue()).
            late = world.gp_began_at < cpu.section_begins_at < scan
            cpu.reader_holds_until = (
                cpu.section_ends_at
                if late and cpu.producer_woke_at > cpu.section_begins_at
                else -1.0
            )
        if cpu.reader_holds_until == now:  # it runs on when the CPU is free again
            cpu.reader_holds_until = max(now, busy_until)
        if cpu.reader_holds_until > now:
            later = min(later, cpu.reader_holds_until)
    world.gp_event_at = later if later < INF else max(now, world.gp_scan_ends_at)
    return world.gp_event_at <= now


def boot(world: World) -> None:
    """The state at time 0: sources, pressure and the first events."""
    world.gp_event_at, world.pressure_switches_at = INF, real_at(world.schedule_address, 0).x
    if world.has_random_episodes:
        at_once = world.starts_stationary and uniform(world.episode_stream) < world.episode_mean / (
            world.episode_mean + world.calm_mean
        )
        world.pressure_switches_at = (
            0.0 if at_once else exponential(world.episode_stream) * world.calm_mean
        )
    world.asks_noretry &= world.has_array_path  # else nobody asks for pages
    set_probabilities_in_force(world)
    boot_memory(world)
    world.window_ends_at = world.horizon if world.windows_by_episode else world.warmup
    log_event(world, 0.0, BOOT, ALL_CPUS, 0.0)
    for i in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, i)
        cpu.monitor_at = cpu.call_at = cpu.phase_ends_at = cpu.work_step_ends_at = INF
        cpu.current_producer, cpu.is_source_on, cpu.first_producer = (
            -1,
            1,
            i * world.producers_per_cpu,
        )
        batch_at(world.batches_address, 2 * i).ready_at = batch_at(
            world.batches_address, 2 * i + 1
        ).ready_at = INF
        if world.reader_section > 0.0:
            # The harness starts its clock with a grace period's end: on the tick after a section's.
            cpu.section_ends_at = -uniform(world.gp_stream) * (
                1.0 if world.starts_after_tick else world.reader_section + world.reader_gap
            )
            cpu.section_begins_at = cpu.section_ends_at - world.reader_section
        if world.has_bursts:
            phase = (
                world.phase
                if world.starts_after_tick
                else uniform(cpu.arrival_stream) * world.period / world.producers_per_cpu
            )
            for j in range(world.producers_per_cpu):
                p = producer_at(world.producers_address, cpu.first_producer + j)
                p.due_at = phase + j * world.period / world.producers_per_cpu
                p.ready_at = p.due_at + world.wake_cost
                p.calls_left = world.burst_calls
        else:
            if not world.is_poisson:
                cpu.is_source_on = (
                    1
                    if uniform(cpu.arrival_stream)
                    < world.on_mean / (world.on_mean + world.off_mean)
                    else 0
                )
                cpu.phase_ends_at = exponential(cpu.arrival_stream) * (
                    world.on_mean if cpu.is_source_on else world.off_mean
                )
            update_rate(world, cpu)
        make_plan(world, cpu, i, 0.0)


def handle_next_event(world: World) -> bool:
    """Handle what comes next: an event, or the end of a window; False if nothing is left to
    come.
    """
    i = earliest_cpu(world)
    at_cpu = real_at(world.tournament_address, 1).x if not world.is_past_horizon else INF
    at_wake = (
        held_call_at(world.waiters_address, world.waiters_head % world.waiter_capacity).wakes_at
        if world.waiters_head < world.waiters_tail
        else INF
    )
    at_pending = heap_node_at(world.heap_address, 0).at if world.heap_size > 0 else INF
    now = min(world.gp_event_at, at_cpu, at_wake, at_pending, world.pressure_switches_at)
    if world.is_past_horizon:
        if world.waiters_head == world.waiters_tail and world.heap_size == 0:
            return False
    elif now >= world.window_ends_at:
        world.now = world.window_ends_at
        begin_next_window(world, world.window_ends_at)
        return True
    world.now = now
    world.events += 1
    if (world.events & 1023) == 0 and count_at(world.stop_address, 0).n:
        world.error = STOPPED
    if world.gp_event_at > now and at_cpu == now and has_maintenance_due(world, i, now):
        do_maintenance(world, i, now)
    elif (
        world.gp_event_at == now
        or at_wake == now
        or at_pending == now
        or world.pressure_switches_at == now
    ):
        handle_global_event(world, now, at_wake, at_pending)
    else:
        handle_source_event(world, i, now)
    return True


def handle_global_event(world: World, now: float, at_wake: float, at_pending: float) -> None:
    """What concerns no CPU alone happens at now; apart from handle_next_event(), whose start would
    pay for each call in here.
    """
    if world.gp_event_at == now and world.gp_is_running:
        if world.reader_section <= 0.0 or readers_let_it_end(world, now):
            finish_grace_period(world, now)
    elif world.gp_event_at == now:
        start_grace_period(world, now)
    elif at_wake == now:
        world.waiters_head += 1
        end_wait(
            world,
            now,
            held_call_at(world.waiters_address, (world.waiters_head - 1) % world.waiter_capacity),
        )
    elif at_pending == now:
        end_stall(world, now)
    else:
        switch_pressure(world, now)


def simulate(world: World) -> None:
    """One replication, from boot until every call made before the horizon is answered."""
    boot(world)
    while world.error == 0 and handle_next_event(world):
        pass
    counters_at(world.counters_address, max(1, world.window)).events += world.events


compile_module()
