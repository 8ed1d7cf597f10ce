# SPDX-License-Identifier: GPL-2.0-only
"""How near a run is to need a page when none is cached: the measure by which it is split.

It is about the logarithm of a probability. Any measure gives right results, a better one only takes
less work. For a channel to run out of pages, a grace period must last so long, and so many calls
must come before its pages return, that all cached pages are used up. Three ways are looked at, and
the most probable counts:

* the calls come before the pages return that batches hold now;
* they come after the next drain of the monitor, which takes the head block and so leaves part of a
  page unused;
* they come in the grace period that the drained batch waits for.
"""

import math

from krcsim.engine.batches import batch_of
from krcsim.engine.call_draws import p_channel
from krcsim.engine.codes import BATCH_READY, BATCH_WAITS, NO, SLAB, VMALLOC, ZERO
from krcsim.engine.grace_periods import count_lengths_passed, p_longer_than
from krcsim.engine.pointers import cpu_at, real_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import BLOCK_CHANNELS, KFREE_N_BATCHES, Cpu, World

# What lies ahead of a CPU, the same for its channels:
# drain_at         when the monitor drains it, ticks
# ready_at         when its first batch is ready, ticks; infinite if that is not known
# has_free_batch   whether a batch is free at the drain
# wait             how long pages take to return, apart from the rest of a grace period, ticks
# passed           how many lengths of the table that grace period has passed
# log_p_busy       about the log of the probability that no batch is free at the drain
Outlook = tuple[float, float, bool, float, int, float]


def measure_danger(world: World) -> float:
    """The danger of the CPU that is in most danger; in calm it is less, by World.calm_danger."""
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
    outlook = look_ahead(world, cpu, cpu_index, passed)

    danger = -INF
    for channel in range(BLOCK_CHANNELS):
        if p_channel(world, channel) > 0.0:
            danger = max(danger, danger_of_channel(world, cpu, cpu_index, channel, outlook))

    return danger


def look_ahead(world: World, cpu: Cpu, cpu_index: int, passed: int) -> Outlook:
    """What lies ahead of a CPU."""
    planned_at = cpu.plan_made_at
    drain_at = cpu.monitor_at
    if cpu.monitor_at >= INF:
        drain_at = planned_at + world.drain_jiffies

    # Is a batch free at the drain? Has none asked for the grace period that ends next?
    has_free_batch = NO
    asked_for_next = NO
    ready_at = INF
    for number in range(KFREE_N_BATCHES):
        batch = batch_of(world, cpu_index, number)
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
    if not has_free_batch:  # if that is still so at the drain, it is put off by a drain delay
        if ready_at == INF:
            log_p_busy = log_p_more_calls(world, 1.0, drain_at - planned_at, wait, passed, INF)
        drain_at += world.drain_jiffies

    return drain_at, ready_at, has_free_batch, wait, passed, log_p_busy


def danger_of_channel(
    world: World, cpu: Cpu, cpu_index: int, channel: int, outlook: Outlook
) -> float:
    """The danger that the calls of a channel use up its pages."""
    drain_at, ready_at, has_free_batch, wait, passed, log_p_busy = outlook
    cached, ready_soon, waiting = count_pages(world, cpu, cpu_index, channel)
    share = p_channel(world, channel)
    rate = share * (world.base_rate if world.has_bursts else cpu.call_rate)
    room = cpu.head_block_room[channel]
    block = world.block_entries
    planned_at = cpu.plan_made_at
    until_drain = drain_at - planned_at
    mean_calls = rate * max(0.0, until_drain)
    pages_taken = max(0.0, math.ceil((mean_calls - room) / block))
    in_cache = min(cached, world.cache_capacity)
    danger = -INF

    # More calls than the cache has entries for, before the batch that is ready soon gives its pages
    # back; if the drain comes first it takes the head block.
    if ready_soon > 0:
        drains_first = drain_at < ready_at
        since = drain_at if drains_first else planned_at
        entries = (
            block * (in_cache - pages_taken) if drains_first else float(room + block * in_cache)
        )
        danger = max(danger, log_p_more_than(entries, rate * (ready_at - since)))
        in_cache = min(cached + ready_soon, world.cache_capacity)

    # The same before the drain, until the pages return that wait for a grace period.
    if waiting > 0:
        entries = float(room + block * in_cache)
        danger = max(danger, log_p_more_calls(world, rate, entries, wait, passed, until_drain))

    # The drain comes first: until then the calls have taken the mean number of pages, or one more.
    for taken in (pages_taken, pages_taken + 1.0):
        log_p_taken = log_p_more_than(room + block * (taken - 1.0), mean_calls)

        if has_free_batch and waiting > 0:  # the pages that wait return after the drain
            entries = block * (in_cache - taken)
            rest = wait + planned_at - drain_at
            most = float(world.drain_jiffies)
            log_p_calls = log_p_more_calls(world, rate, entries, rest, passed, most)
            danger = max(danger, log_p_taken + log_p_calls)

        # All pages have returned, but for those of the drained batch: its grace period.
        entries = block * (min(cached + ready_soon + waiting, world.cache_capacity) - taken)
        served = 1.0 + (world.invoke_delay + world.work_delay)
        log_p_calls = log_p_more_calls(world, rate, entries, served, ZERO, INF)
        danger = max(danger, log_p_taken + log_p_busy + log_p_calls)

    return danger


def count_pages(world: World, cpu: Cpu, cpu_index: int, channel: int) -> tuple[int, int, int]:
    """The pages of a channel: cached, or in a work and as good as that; in batches of which it is
    known when they are ready; and in batches that wait for a grace period that has not ended.
    """
    cached = cpu.cached_pages[channel * world.has_channel_caches]
    cached += cpu.work_blocks[channel] if cpu.work_owner == cpu_index else 0
    cached += cpu.ready_blocks[channel]  # the monitor's own, R58
    ready_soon = 0
    waiting = 0

    for number in range(KFREE_N_BATCHES):
        batch = batch_of(world, cpu_index, number)
        blocks = batch.blocks[channel]
        cached += blocks * (batch.state == BATCH_READY)
        ready_soon += blocks * (batch.ready_at < INF)
        waiting += blocks * (batch.state == BATCH_WAITS and batch.ready_at == INF)

    return cached, ready_soon, waiting


def log_p_more_calls(
    world: World, rate: float, entries: float, wait: float, passed: int, longest: float
) -> float:
    """About log P(more calls than there are entries are made until pages return).

    That takes `wait` and what is left of a grace period that has passed so many lengths of the
    table, but at most `longest`; ticks.
    """
    best = -INF
    since = world.now - world.gp_began_at if passed > 0 else 0.0
    p_so_far = p_longer_than(world, passed)

    for number in range(passed, world.gp_length_count):
        length = real_at(world.gp_lengths_address, number).x
        mean_calls = rate * min(longest, wait + length - since)
        p_longer = p_longer_than(world, number)
        if mean_calls > 0.0 and p_longer > 0.0:
            log_p_length = math.log(p_longer / p_so_far)
            best = max(best, log_p_length + log_p_more_than(entries, mean_calls))
            if mean_calls >= entries:
                break

    return best


def log_p_more_than(entries: float, mean_calls: float) -> float:
    """About log P(more calls are made than there are entries)."""
    if entries > mean_calls:
        return -0.5 * (entries - mean_calls) ** 2 / (mean_calls + 1.0)
    return 0.0
