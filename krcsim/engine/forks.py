# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits: forks of a run, each from where a CPU's pool is full and its next call may hit, until
it is so again.

A wait takes an empty pool, so each lies in one of these stretches. A fork copies the run and biases
the luck of that CPU's calls; its waits count with the ratio of the likelihoods. The run itself is
never biased, and knows of no fork.

Where it seldom runs out of pages, it is split: at each of several levels of danger() it goes on as
several copies of less weight, one after another, until they fall below the level; the last of them
goes on as the run.
"""

import math
from typing import Any

from krcsim.engine.calendar import earliest_cpu
from krcsim.engine.call_marks import p_neither_page_nor_head
from krcsim.engine.call_source import make_plan, settle_calls
from krcsim.engine.codes import (
    ANY_CALL,
    AT_CALL,
    AT_EPISODE,
    AT_PLAN,
    BATCH_QUEUED,
    BATCH_WAITS,
    BIASED,
    FORCED,
    SLAB,
    UNEVENTFUL,
    VMALLOC,
)
from krcsim.engine.compiling import compile_module
from krcsim.engine.event_loop import boot, handle_next_event
from krcsim.engine.grace_periods import count_lengths_passed, length_at_quantile, p_longer_than
from krcsim.engine.random_streams import INF, UNLIMITED, renew_stream, uniform
from krcsim.engine.records import (
    Batch,
    Counters,
    Cpu,
    HeldCall,
    Producer,
    Real,
    World,
    batch_at,
    counters_at,
    cpu_at,
    heap_node_at,
    held_call_at,
    move_bytes,
    real_at,
    tally_at,
)

WORLD_BYTES = World.dtype.itemsize
CPU_BYTES = Cpu.dtype.itemsize
BATCH_BYTES = Batch.dtype.itemsize
PRODUCER_BYTES = Producer.dtype.itemsize
HELD_CALL_BYTES = HeldCall.dtype.itemsize
COUNTERS_BYTES = Counters.dtype.itemsize
REAL_BYTES = Real.dtype.itemsize
PILOT_STEPS, WINDOWS = 1_000_000, 2


def copy_state(to: World, world: World) -> None:
    """Make `to` the state that world is in; it keeps its own arrays."""
    cpus, krw, prods, waiters, pending = (
        to.cpus_address,
        to.batches_address,
        to.producers_address,
        to.waiters_address,
        to.stalled_address,
    )
    nodes, tree, me = to.heap_address, to.tournament_address, to.self_address
    a, b, cpu, d, noted = (
        to.copy_stream.a,
        to.copy_stream.b,
        to.copy_stream.c,
        to.copy_stream.d,
        to.peak_count,
    )
    out, wait_hist, late_hist, tally = (
        to.counters_address,
        to.wait_histogram_address,
        to.latency_histogram_address,
        to.tallies_address,
    )
    move_bytes(me, world.self_address, WORLD_BYTES)
    (
        to.cpus_address,
        to.batches_address,
        to.producers_address,
        to.waiters_address,
        to.stalled_address,
    ) = cpus, krw, prods, waiters, pending
    to.heap_address, to.tournament_address, to.self_address, to.log_capacity = nodes, tree, me, 0
    (
        to.counters_address,
        to.wait_histogram_address,
        to.latency_histogram_address,
        to.tallies_address,
    ) = out, wait_hist, late_hist, tally
    to.copy_stream.a, to.copy_stream.b, to.copy_stream.c, to.copy_stream.d, to.peak_count = (
        a,
        b,
        cpu,
        d,
        noted,
    )
    move_bytes(cpus, world.cpus_address, CPU_BYTES * world.nr_cpus)
    move_bytes(krw, world.batches_address, BATCH_BYTES * 2 * world.nr_cpus)
    counters_at(out, world.window).peak = counters_at(
        world.counters_address, world.window
    ).peak  # run_works() compares with it: not that of an earlier copy
    move_bytes(tree, world.tournament_address, REAL_BYTES * 2 * world.tournament_leaves)
    if world.has_bursts:
        move_bytes(
            prods, world.producers_address, PRODUCER_BYTES * world.nr_cpus * world.producers_per_cpu
        )
    for j in range(world.waiters_head, world.waiters_tail):
        slot = (j % world.waiter_capacity) * HELD_CALL_BYTES
        move_bytes(waiters + slot, world.waiters_address + slot, HELD_CALL_BYTES)
    for j in range(world.heap_size):  # the same order; the slots are those of `to`
        mine, its = heap_node_at(nodes, j), heap_node_at(world.heap_address, j)
        mine.at = its.at
        move_bytes(
            pending + mine.slot * HELD_CALL_BYTES,
            world.stalled_address + its.slot * HELD_CALL_BYTES,
            HELD_CALL_BYTES,
        )


def reseed(f: World, world: World) -> None:
    """Give the copy f random numbers of its own."""
    for r in (f.episode_stream, f.gp_stream, f.offload_stream, f.expedited_stream):
        renew_stream(r, world.copy_stream)
    for i in range(f.nr_cpus):
        cpu = cpu_at(f.cpus_address, i)
        renew_stream(cpu.arrival_stream, world.copy_stream)
        renew_stream(cpu.call_stream, world.copy_stream)
        renew_stream(cpu.stall_stream, world.copy_stream)


def may_fail_next(world: World, i: int) -> bool:
    """Whether the next event is a call on CPU i, with its pool full, that may hit."""
    cpu = cpu_at(world.cpus_address, i)
    now = cpu.call_at
    if (
        world.is_past_horizon
        or world.has_page_memory
        or cpu.nr_emergency - cpu.stalled_failing_calls < world.pool_capacity
        or cpu.plan_last_kind == UNEVENTFUL
        or cpu.plan_could_be_biased
    ):
        return False
    if not (
        now < world.gp_event_at
        and now < world.pressure_switches_at
        and now < world.window_ends_at
        and now < cpu.monitor_at
        and now < cpu.work_step_ends_at
        and now < cpu.phase_ends_at
    ):
        return False
    if (
        batch_at(world.batches_address, 2 * i).ready_at <= now
        or batch_at(world.batches_address, 2 * i + 1).ready_at <= now
    ):
        return False
    if (
        world.waiters_head < world.waiters_tail
        and held_call_at(world.waiters_address, world.waiters_head % world.waiter_capacity).wakes_at
        <= now
    ):
        return False
    if world.heap_size > 0 and heap_node_at(world.heap_address, 0).at <= now:
        return False
    s0, s1 = cpu.head_block_room[0], cpu.head_block_room[1]
    if (
        cpu.plan_last_kind == ANY_CALL and not 0.0 < world.p_vmalloc < 1.0 and cpu.plan_calls > 1
    ):  # by then the block is full
        cpu.head_block_room[SLAB] = cpu.head_block_room[VMALLOC] = 0
    may = (
        p_neither_page_nor_head(world, cpu, SLAB) + p_neither_page_nor_head(world, cpu, VMALLOC)
        > 0.0
    )
    cpu.head_block_room[SLAB], cpu.head_block_room[VMALLOC] = s0, s1
    return may


def follow_copy(world: World, f: World, i: int, where: int) -> None:
    """Follow a copy of world with CPU i biased until the next such place; its waits count."""
    share = world.p_copy_at_place if where != AT_EPISODE else 1.0
    share *= world.p_copy_in_calm if world.in_episode == 0 and world.pool_capacity > 0 else 1.0
    if share < 1.0 and uniform(world.copy_stream) >= share:
        return
    copy_state(f, world)
    reseed(f, world)
    f.weight /= share * world.copies_per_place
    for j in range(f.nr_cpus):
        cpu_at(f.cpus_address, j).counts_waits = 0
    for j in range(f.waiters_head, f.waiters_tail):
        held_call_at(f.waiters_address, j % f.waiter_capacity).is_counted = 0
    for j in range(f.heap_size):
        held_call_at(f.stalled_address, heap_node_at(f.heap_address, j).slot).is_counted = 0
    cpu = cpu_at(f.cpus_address, i)
    # A call that does not hit leads to no wait before the next such place; but a caller that goes
    # on may call at once.
    forced = where == AT_CALL and not (f.is_closed_loop and not f.has_bursts)
    cpu.counts_waits, cpu.bias = 1, FORCED if forced else BIASED
    f.open_counted_waits, f.log_ratio, episodes = 0, 0.0, f.episode_number
    if where != AT_CALL:
        make_plan(f, cpu, i, cpu.plan_made_at)
        cpu.starts_copies = 0
    going, pressed, begun = True, f.in_episode > 0, f.events
    while f.error == 0:
        going = handle_next_event(f)
        if (
            not going
            or f.episode_number > episodes
            or cpu.starts_copies
            or (earliest_cpu(f) == i and may_fail_next(f, i))
        ):
            break
        if (
            pressed and f.in_episode == 0 and f.open_counted_waits == 0 and f.heap_size == 0
        ):  # few go on into calm, where waits are few
            if f.p_copy_in_calm <= 0.0 or uniform(f.episode_stream) >= f.p_copy_in_calm:
                break
            f.weight, pressed = f.weight / f.p_copy_in_calm, False
    hit = cpu.bias == 0  # the bias ends with its first wait
    cpu.counts_waits, cpu.bias = 0, 0
    while going and f.error == 0 and f.open_counted_waits > 0:
        going = handle_next_event(f)
    world.error = max(world.error, f.error)
    out = tally_at(world.tallies_address, world.window)
    out.copies += 1
    out.hits += hit
    out.events += f.events - begun


def measure_danger(world: World) -> float:
    """How near a CPU is to need a page when none is cached: about the log of its probability. Any
    measure is right.

    What it takes is that a grace period lasts so long, and that so many calls come until its pages
    return.
    """
    worst, less = -INF, 0.0 if world.in_episode > 0 else world.calm_danger
    if world.is_past_horizon or less == -INF:
        return worst
    after, k0 = (
        world.invoke_delay + world.work_delay,
        count_lengths_passed(world, world.now) if world.gp_is_running else 0,
    )
    for i in range(world.nr_cpus):
        cpu, now = cpu_at(world.cpus_address, i), cpu_at(world.cpus_address, i).plan_made_at
        drain_at = cpu.monitor_at if cpu.monitor_at < INF else now + world.drain_jiffies
        free, next_one, ready = False, True, INF
        for s in range(2 * i, 2 * i + 2):
            k = batch_at(world.batches_address, s)
            free |= k.state != BATCH_WAITS or k.ready_at < drain_at
            ready = min(ready, k.ready_at)
            next_one &= not (
                k.state == BATCH_WAITS
                and k.blocks[SLAB] + k.blocks[VMALLOC] > 0
                and k.needed_gp == world.gps_done + 1
            )
        wait, passed, busy = world.now - now + after, k0, 0.0
        if next_one or not world.gp_is_running:
            wait, passed = wait + (0.5 * world.gp_mean if world.gp_is_running else 1.0), 0
        if not free:  # perhaps still at the drain, which then comes one later
            busy = (
                0.0
                if ready < INF
                else log_p_more_calls(world, 1.0, drain_at - now, wait, passed, INF)
            )
            drain_at += world.drain_jiffies
        for channel in range(2):
            share = 1.0 - world.p_vmalloc if channel == SLAB else world.p_vmalloc
            if share > 0.0:
                pages = cpu.cached_pages[channel * world.has_channel_caches] + (
                    cpu.work_blocks[channel] if cpu.work_owner == i else 0
                )  # cached, or as good as
                soon, away = 0, 0
                for s in range(2 * i, 2 * i + 2):
                    k = batch_at(world.batches_address, s)
                    pages += k.blocks[channel] * (k.state == BATCH_QUEUED)
                    soon += k.blocks[channel] * (k.ready_at < INF)
                    away += k.blocks[channel] * (k.state == BATCH_WAITS and k.ready_at == INF)
                rate, room, kept = (
                    share * (world.base_rate if world.has_bursts else cpu.call_rate),
                    cpu.head_block_room[channel],
                    min(pages, world.cache_capacity),
                )
                come = rate * max(0.0, drain_at - now)
                used = max(0.0, math.ceil((come - room) / world.block_entries))
                if soon > 0:
                    fit = (
                        world.block_entries * (kept - used)
                        if drain_at < ready
                        else room + world.block_entries * kept
                    )
                    worst = max(
                        worst,
                        log_p_beyond(rate * (ready - (drain_at if drain_at < ready else now)), fit),
                    )
                    kept = min(pages + soon, world.cache_capacity)
                if away > 0:
                    worst = max(
                        worst,
                        log_p_more_calls(
                            world,
                            rate,
                            room + world.block_entries * kept,
                            wait,
                            passed,
                            drain_at - now,
                        ),
                    )
                for u in (used, used + 1.0):  # pages used by then, or one more
                    more = log_p_beyond(come, room + world.block_entries * (u - 1.0))
                    if free and away > 0:  # what is away comes after the drain only
                        fit = world.block_entries * (kept - u)
                        worst = max(
                            worst,
                            more
                            + log_p_more_calls(
                                world, rate, fit, wait + now - drain_at, passed, world.drain_jiffies
                            ),
                        )
                    fit = world.block_entries * (
                        min(pages + soon + away, world.cache_capacity) - u
                    )  # for the next batch's grace period
                    worst = max(
                        worst, more + busy + log_p_more_calls(world, rate, fit, 1.0 + after, 0, INF)
                    )
    return worst + less


def log_p_more_calls(
    world: World, rate: float, fit: float, wait: float, passed: int, most: float
) -> float:
    """About log P(more calls than fit come in `wait` and what k lengths leave of a grace period, or
    in `most`).
    """
    best, since, all_of = (
        -INF,
        world.now - world.gp_began_at if passed > 0 else 0.0,
        p_longer_than(world, passed),
    )
    for k in range(passed, world.gp_length_count):
        come = rate * min(most, wait + real_at(world.gp_lengths_address, k).x - since)
        if come > 0.0 and p_longer_than(world, k) > 0.0:
            best = max(best, math.log(p_longer_than(world, k) / all_of) + log_p_beyond(come, fit))
            if come >= fit:
                break
    return best


def log_p_beyond(come: float, fit: float) -> float:
    """About log P(more calls come than fit), where `come` are expected."""
    return -0.5 * (fit - come) ** 2 / (come + 1.0) if fit > come else 0.0


def count_levels_passed(world: World, going: bool) -> int:
    """How many levels of danger world has passed; its measure is kept in world.danger."""
    world.danger, n = measure_danger(world) if going else -INF, 0
    while n < world.level_count and world.danger >= real_at(world.levels_address, 2 * n).x:
        n += 1
    return n


def keep_danger(world: World, score: float) -> None:
    """Keep a measure of danger for the choice of levels."""
    if world.peak_count < world.peak_capacity:
        real_at(world.peaks_address, world.peak_count).x = score
        world.peak_count += 1


def follow_copies(world: World, f: World, i: int, where: int) -> None:
    """All the forks of one place."""
    cpu_at(world.cpus_address, i).counts_waits = 0
    for _ in range(world.copies_per_place):
        follow_copy(world, f, i, where)


def follow_new_plans(world: World, f: World, episodes: int) -> None:
    """The forks that begin after a step: at a new plan, or at a new episode."""
    for i in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, i)
        if cpu.starts_copies or world.episode_number > episodes:
            where = AT_PLAN if cpu.starts_copies else AT_EPISODE
            cpu.counts_waits = cpu.starts_copies = 0
            if (
                where == AT_PLAN
                or cpu.nr_emergency - cpu.stalled_failing_calls < world.pool_capacity
            ):
                follow_copies(world, f, i, where)


def simulate_with_copies(worlds: Any) -> None:
    """One replication, worlds[0], with its forks, worlds[1], and a copy for each level; until the
    first fork of a CPU its waits count as they come.
    """
    world, f = worlds[0], worlds[1]
    boot(world)
    world.weight, level, steps, peak = 1.0, 0, 0, -INF
    for i in range(world.nr_cpus):
        cpu_at(world.cpus_address, i).counts_waits = 1
    while world.error == 0:
        i, episodes = earliest_cpu(world), world.episode_number
        if real_at(world.tournament_address, 1).x < INF and may_fail_next(world, i):
            follow_copies(world, f, i, AT_CALL)
        going = handle_next_event(world)
        steps += 1
        if not world.has_page_memory:
            follow_new_plans(world, f, episodes)
        if world.max_plan_calls < UNLIMITED:
            to = count_levels_passed(world, going)
            if world.level_count == 0:
                keep_danger(world, world.danger)
            while level < to:
                peak = world.danger
                level += 1
                world.weight /= real_at(world.levels_address, 2 * level - 1).x
                copy_state(worlds[1 + level], world)
                move_bytes(
                    worlds[1 + level].counters_address,
                    world.counters_address,
                    COUNTERS_BYTES * WINDOWS,
                )
                worlds[1 + level].copies_left = (
                    int(real_at(world.levels_address, 2 * level - 1).x) - 1
                )
            peak = max(peak, world.danger)
            while level > to:
                if level == world.level_count:
                    keep_danger(world, peak)
                w = worlds[1 + level]
                if w.copies_left > 0:
                    w.copies_left -= 1
                    copy_state(world, w)
                    move_bytes(world.counters_address, w.counters_address, COUNTERS_BYTES * WINDOWS)
                    reseed(world, world)
                    if (
                        world.gp_is_running
                        and world.gp_event_at > world.now
                        and world.reader_section == 0.0
                    ):
                        left = p_longer_than(world, count_lengths_passed(world, world.now))
                        world.gp_event_at = world.gp_began_at + length_at_quantile(
                            world, 1.0 - left * uniform(world.gp_stream)
                        )
                    if not world.has_bursts:  # what lies ahead is drawn anew
                        for i in range(world.nr_cpus):
                            cpu = cpu_at(world.cpus_address, i)
                            known = (
                                cpu.plan_could_be_biased
                            )  # then the forks of this plan were made before the copy
                            settle_calls(world, cpu, world.now)
                            make_plan(world, cpu, i, world.now)
                            if cpu.starts_copies and not (known or world.has_page_memory):
                                follow_copies(world, f, i, AT_PLAN)
                            cpu.starts_copies = 0
                    going, to, peak = True, level, world.danger
                else:
                    world.weight *= real_at(world.levels_address, 2 * level - 1).x
                    level -= 1
        if not going or (
            world.peak_capacity > 0 and steps > PILOT_STEPS
        ):  # levels of a pilot may be far from right
            break
    counters_at(world.counters_address, max(1, world.window)).events += (
        world.events if world.max_plan_calls == UNLIMITED else steps
    )


compile_module()
