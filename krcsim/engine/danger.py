# SPDX-License-Identifier: GPL-2.0-only
"""How near a run is to need a page when none is cached: the measure by which it is split.

It is about the logarithm of a probability; any measure is right, a better one only takes less work.
What it takes is that a grace period lasts so long, and that so many calls come until its pages
return.
"""

import math

from krcsim.engine.call_draws import p_channel
from krcsim.engine.codes import BATCH_QUEUED, BATCH_WAITS, NO, SLAB, VMALLOC, ZERO
from krcsim.engine.grace_periods import count_lengths_passed, p_longer_than
from krcsim.engine.pointers import batch_at, cpu_at, real_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import BLOCK_CHANNELS, KFREE_N_BATCHES, Cpu, World


def measure_danger(world: World) -> float:
    """The danger of the CPU that is nearest, less in calm."""
    discount = 0.0 if world.in_episode > 0 else world.calm_danger
    if world.is_past_horizon or discount == -INF:
        return -INF

    passed = count_lengths_passed(world, world.now) if world.gp_is_running else 0
    danger = -INF
    for cpu_index in range(world.nr_cpus):
        danger = max(danger, danger_of_cpu(world, cpu_index, passed))

    return danger + discount


def danger_of_cpu(world: World, cpu_index: int, passed: int) -> float:
    """The danger of a CPU; the running grace period has passed so many lengths of the table."""
    cpu = cpu_at(world.cpus_address, cpu_index)
    planned_at = cpu.plan_made_at
    drain_at = cpu.monitor_at
    if cpu.monitor_at >= INF:
        drain_at = planned_at + world.drain_jiffies

    # Is a batch free at the drain? Has none asked for the grace period that ends next?
    has_free_batch = NO
    asked_for_next = NO
    ready_at = INF
    for number in range(KFREE_N_BATCHES):
        batch = batch_at(world.batches_address, KFREE_N_BATCHES * cpu_index + number)
        waits = batch.state == BATCH_WAITS
        has_free_batch |= not waits or batch.ready_at < drain_at
        ready_at = min(ready_at, batch.ready_at)
        blocks = batch.blocks[SLAB] + batch.blocks[VMALLOC]
        asked_for_next |= waits and blocks > 0 and batch.needed_gp == world.gps_done + 1

    # How long it takes, apart from the rest of a grace period, until pages return.
    wait = world.now - planned_at + (world.invoke_delay + world.work_delay)
    if not asked_for_next or not world.gp_is_running:
        wait = wait + (0.5 * world.gp_mean if world.gp_is_running else 1.0)
        passed = 0

    log_p_busy = 0.0
    if not has_free_batch:  # perhaps still so at the drain, which then comes one later
        if ready_at == INF:
            log_p_busy = log_p_more_calls(world, 1.0, drain_at - planned_at, wait, passed, INF)
        drain_at += world.drain_jiffies

    danger = -INF
    for channel in range(BLOCK_CHANNELS):
        share = p_channel(world, channel)
        if share > 0.0:
            of_channel = danger_of_channel(
                world,
                cpu,
                cpu_index,
                channel,
                share,
                drain_at,
                ready_at,
                has_free_batch,
                wait,
                passed,
                log_p_busy,
            )
            danger = max(danger, of_channel)

    return danger


def danger_of_channel(
    world: World,
    cpu: Cpu,
    cpu_index: int,
    channel: int,
    share: float,
    drain_at: float,
    ready_at: float,
    has_free_batch: bool,
    wait: float,
    passed: int,
    log_p_busy: float,
) -> float:
    """The danger that calls of a channel, a share of all, use up its pages.

    The CPU drains at drain_at; its next batch is ready at ready_at, and one is free or not. Others
    come back after `wait` and what is left of a grace period; log_p_busy is about the log of the
    probability that no batch is free.
    """
    pages, soon, away = count_pages(world, cpu, cpu_index, channel)
    rate = share * (world.base_rate if world.has_bursts else cpu.call_rate)
    room = cpu.head_block_room[channel]
    block = world.block_entries
    planned_at = cpu.plan_made_at
    until_drain = drain_at - planned_at
    come = rate * max(0.0, until_drain)
    used = max(0.0, math.ceil((come - room) / block))
    kept = min(pages, world.cache_capacity)
    danger = -INF

    if soon > 0:
        drains_first = drain_at < ready_at
        since = drain_at if drains_first else planned_at
        fit = block * (kept - used) if drains_first else float(room + block * kept)
        danger = max(danger, log_p_beyond(rate * (ready_at - since), fit))
        kept = min(pages + soon, world.cache_capacity)

    if away > 0:
        fit = float(room + block * kept)
        danger = max(danger, log_p_more_calls(world, rate, fit, wait, passed, until_drain))

    for use in (used, used + 1.0):  # pages used by the drain, or one more
        more = log_p_beyond(come, room + block * (use - 1.0))

        if has_free_batch and away > 0:  # what is away comes after the drain only
            fit = block * (kept - use)
            rest = wait + planned_at - drain_at
            most = float(world.drain_jiffies)
            danger = max(danger, more + log_p_more_calls(world, rate, fit, rest, passed, most))

        # The grace period of the next batch.
        fit = block * (min(pages + soon + away, world.cache_capacity) - use)
        served = 1.0 + (world.invoke_delay + world.work_delay)
        next_one = log_p_more_calls(world, rate, fit, served, ZERO, INF)
        danger = max(danger, more + log_p_busy + next_one)

    return danger


def count_pages(world: World, cpu: Cpu, cpu_index: int, channel: int) -> tuple[int, int, int]:
    """The pages of a channel: cached, or in a work and as good as that; in batches that will be
    ready soon; and in batches that wait for a grace period.
    """
    cached = cpu.cached_pages[channel * world.has_channel_caches]
    cached += cpu.work_blocks[channel] if cpu.work_owner == cpu_index else 0
    soon = 0
    away = 0

    for number in range(KFREE_N_BATCHES):
        batch = batch_at(world.batches_address, KFREE_N_BATCHES * cpu_index + number)
        blocks = batch.blocks[channel]
        cached += blocks * (batch.state == BATCH_QUEUED)
        soon += blocks * (batch.ready_at < INF)
        away += blocks * (batch.state == BATCH_WAITS and batch.ready_at == INF)

    return cached, soon, away


def log_p_more_calls(
    world: World, rate: float, fit: float, wait: float, passed: int, longest: float
) -> float:
    """About log P(more calls than fit come in `wait` and what so many passed lengths leave of a
    grace period, or in the longest time).
    """
    best = -INF
    since = world.now - world.gp_began_at if passed > 0 else 0.0
    p_so_far = p_longer_than(world, passed)

    for number in range(passed, world.gp_length_count):
        length = real_at(world.gp_lengths_address, number).x
        come = rate * min(longest, wait + length - since)
        p_longer = p_longer_than(world, number)
        if come > 0.0 and p_longer > 0.0:
            best = max(best, math.log(p_longer / p_so_far) + log_p_beyond(come, fit))
            if come >= fit:
                break

    return best


def log_p_beyond(come: float, fit: float) -> float:
    """About log P(more calls come than fit), where `come` are expected."""
    return -0.5 * (fit - come) ** 2 / (come + 1.0) if fit > come else 0.0
