# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel does on a CPU by itself: its monitor runs, batches become ready, works go on."""

import math

from krcsim.engine.batches import batches_ready_at, owner_of_batch
from krcsim.engine.bursts import pause_work
from krcsim.engine.calendar import update_next_event, waiter_at
from krcsim.engine.call_source import make_plan, settle_all, settle_calls
from krcsim.engine.channels import total
from krcsim.engine.codes import ANY_CALL, BATCH_READY
from krcsim.engine.monitor import kfree_rcu_monitor
from krcsim.engine.pointers import batch_at, counters_at, cpu_at, producer_at
from krcsim.engine.random_streams import INF, uniform
from krcsim.engine.records import KFREE_N_BATCHES, Batch, Cpu, World
from krcsim.engine.refill import fill_page_cache
from krcsim.engine.sheaves import hurry_lazy_sheaves
from krcsim.engine.works import finish_step, start_next_step


def has_maintenance_due(world: World, cpu_index: int, now: float) -> bool:
    """R3: whether the CPU's monitor, a ready or running work, or its refill worker is due now."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    return (
        cpu.monitor_at == now
        or batches_ready_at(world, cpu_index) == now
        or cpu.work_step_ends_at == now
        or (world.has_refill_worker > 0 and cpu.refill_at == now)
        or (world.sheaf_entries > 0 and cpu.lazy_until == now)
    )


def do_maintenance(world: World, cpu_index: int, now: float) -> None:
    """R3: do what is due on a CPU: first its monitor, then a batch that is ready, then its work,
    then its refill worker.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    if cpu.monitor_at == now:
        settle_calls(world, cpu, now)
        cpu.monitor_at = INF
        if not world.has_shrinker or total(cpu.queued_objects) > 0:  # else a scan came before (R89)
            kfree_rcu_monitor(world, cpu, cpu_index, now)
        if world.has_ready_blocks and cpu.ready_since < INF and not cpu.is_working:
            start_next_step(world, cpu_index, now)  # R58
            if world.free_cost <= 0.0:
                run_works(world, cpu_index, now)
        make_plan(world, cpu, cpu_index, now)
        return

    if world.sheaf_entries > 0 and cpu.lazy_until == now:
        hurry_lazy_sheaves(world, cpu, now)
        update_next_event(world, cpu_index)
        return

    for number in range(KFREE_N_BATCHES):
        batch_index = KFREE_N_BATCHES * cpu_index + number
        if batch_at(world.batches_address, batch_index).ready_at == now:
            queue_work(world, batch_index, now)
            return

    if world.has_refill_worker and cpu.work_step_ends_at > now:
        settle_calls(world, cpu, now)
        fill_page_cache(world, cpu, cpu_index, now)
        make_plan(world, cpu, cpu_index, now)
        return

    run_works(world, cpu_index, now)


def queue_work(world: World, batch_index: int, now: float) -> None:
    """R32, rcu_work_rcufn(): the callback of a batch is invoked; its work is queued on a CPU, and
    starts if no other runs there.
    """
    batch = batch_at(world.batches_address, batch_index)
    owner = owner_of_batch(batch_index)

    if world.is_closed_loop and world.has_bursts:
        let_earlier_callers_run(world, batch, owner, now)
        if batch.ready_at > now:
            update_next_event(world, owner)
            return

    cpu_index = owner
    if world.p_offloaded > 0.0 and uniform(world.offload_stream) < world.p_offloaded:
        cpu_index = int(uniform(world.offload_stream) * (world.nr_cpus - 1))
        cpu_index += cpu_index >= owner

    batch.state = BATCH_READY
    batch.work_cpu = cpu_index
    batch.work_queued_at = now
    batch.ready_at = INF
    update_next_event(world, owner)

    cpu = cpu_at(world.cpus_address, cpu_index)
    if cpu.is_working:
        return

    if world.has_bursts and world.free_cost > 0.0:
        settle_calls(world, cpu, now)  # the work takes the CPU
    start_next_step(world, cpu_index, now)

    if world.free_cost <= 0.0:  # then freeing takes no time
        run_works(world, cpu_index, now)
    elif world.has_bursts:
        make_plan(world, cpu, cpu_index, now)
    else:
        update_next_event(world, cpu_index)


def let_earlier_callers_run(world: World, batch: Batch, owner: int, now: float) -> None:
    """R9: callbacks are invoked in order; a caller that asked before the batch runs on before its
    work.
    """
    for number in range(world.waiters_head, world.waiters_served):
        waiter = waiter_at(world, number)
        if waiter.cpu == owner and waiter.wakes_at == now and waiter.wait_began_at < batch.asked_at:
            producer = producer_at(world.producers_address, waiter.producer)
            calls = producer.calls_left * world.call_cost
            batch.ready_at = now + world.wake_cost + calls


def run_works(world: World, cpu_index: int, now: float) -> None:
    """R34 and R35: steps of the work on a CPU end now; then the next work, or back to calls."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    if world.has_bursts or may_be_peak(world, now):
        settle_all(world, now)

    while cpu.is_working and cpu.work_step_ends_at <= now:
        run_step(world, cpu, cpu_index, now)

    if world.has_bursts:
        make_plan(world, cpu, cpu_index, now)
    else:
        update_next_event(world, cpu_index)


def run_step(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R34: a step of the work on a CPU ends and the next begins; a CPU to which this brings pages
    gets a new plan.
    """
    target_index = cpu_index if world.pages_go_to_worker else cpu.work_owner
    target = cpu_at(world.cpus_address, target_index)

    # A page makes calls without room eventful. A plan that was drawn while there was room stays
    # right, unless works take CPU time from calls, or each call takes memory.
    needs_all_calls = world.has_bursts > 0 or world.has_page_memory > 0
    draws_anew = needs_all_calls or target.plan_last_kind != ANY_CALL
    if draws_anew:
        settle_calls(world, target, now)
    if needs_all_calls:
        settle_calls(world, cpu, now)

    finish_step(world, cpu_index, now)
    start_next_step(world, cpu_index, now)

    if has_seen_tick(world, cpu, now):
        pause_work(world, cpu, now)
    if draws_anew and (cpu_index != target_index or not world.has_bursts):
        make_plan(world, target, target_index, now)


def has_seen_tick(world: World, cpu: Cpu, now: float) -> bool:
    """R10: whether a tick came since the work began, or went on after a pause."""
    return (
        world.has_bursts > 0
        and cpu.is_working > 0
        and math.floor(now) > math.floor(cpu.work_began_at)
    )


def may_be_peak(world: World, now: float) -> bool:
    """R45: whether the number of deferred objects may be a new peak; only then does it matter
    exactly before objects are freed.

    More calls than eight standard deviations above the mean of those that are not yet counted have
    a probability below 1e-14; such a peak is missed: see plans.py. Recorded calls are counted, and
    calls whose objects have several sizes (R112).
    """
    if world.has_recorded_calls or world.nr_sizes > 1:  # of bytes no such limit is known
        return True

    more = world.rate_sum * now - world.rate_times_from
    if more > 0.0:
        more += 8.0 * math.sqrt(more) + 20.0

    peak = counters_at(world.counters_address, world.window).peak
    return world.deferred_objects + more >= peak
