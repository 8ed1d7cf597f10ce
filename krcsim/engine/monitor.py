# SPDX-License-Identifier: GPL-2.0-only
"""The monitor: a delayed work that moves what a CPU has queued into batches."""

import math

from krcsim.engine.channels import total
from krcsim.engine.codes import BATCH_ASKS, BATCH_IDLE, BATCH_JOINED, BATCH_WAITS, MONITOR_REARMED
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import next_full_grace_period, request_grace_period
from krcsim.engine.pointers import batch_at, counters_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import CHANNELS, KFREE_N_BATCHES, Batch, Cpu, World


def arm_monitor(world: World, cpu: Cpu, cpu_index: int, now: float, code: int) -> None:
    """R22 and R23, schedule_delayed_work(): set the timer of the monitor; the timer wheel rounds up
    its jiffies.
    """
    shift = 0
    while shift < 24 and world.drain_jiffies >= 63 << shift:
        shift += 3

    expires = int(math.floor(now)) + world.drain_jiffies
    cpu.monitor_at = float(((expires >> shift) + 1) << shift)
    log_event(world, now, code, cpu_index, cpu.monitor_at)


def kfree_rcu_monitor(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R24 to R26, kfree_rcu_monitor(): move what is queued into the CPU's batches, and re-arm if
    that is due.
    """
    counters = counters_at(world.counters_address, world.window)
    cpu.monitor_at = INF
    any_queued = False
    any_left = False

    for number in range(KFREE_N_BATCHES):
        batch = batch_at(world.batches_address, KFREE_N_BATCHES * cpu_index + number)
        if can_take(world, cpu, batch):
            queue_kfree_rcu_work(world, cpu, cpu_index, batch, now)
            any_queued = True

        # Asked after each batch: the first being busy is enough, as in v5.9.
        any_left |= total(cpu.queued_objects) > 0

    counters.drains += any_queued

    rearms = any_left if world.rearms_if_left else not any_queued
    if rearms:
        counters.rearms += 1
        arm_monitor(world, cpu, cpu_index, now, MONITOR_REARMED)


def can_take(world: World, cpu: Cpu, batch: Batch) -> bool:
    """R24: whether the batch takes any of the channels that have objects."""
    has_place = False
    for channel in range(CHANNELS):
        has_place |= cpu.queued_objects[channel] > 0 and batch.objects[channel] == 0

    return has_place and (world.attaches_to_pending > 0 or total(batch.objects) == 0)


def queue_kfree_rcu_work(world: World, cpu: Cpu, cpu_index: int, batch: Batch, now: float) -> None:
    """R24 and R25, queue_kfree_rcu_work(): each channel that is empty in the batch moves there.

    A batch that is pending already asks for nothing: queue_rcu_work() does nothing then.
    """
    needed = next_full_grace_period(world)
    code = BATCH_ASKS if batch.state == BATCH_IDLE else BATCH_JOINED
    log_event(world, now, code, cpu_index, float(total(cpu.queued_objects)))

    if batch.state == BATCH_IDLE:
        batch.state = BATCH_WAITS
        batch.needed_gp = request_grace_period(world, now)
        batch.asked_at = now

    for channel in range(CHANNELS):
        if cpu.queued_objects[channel] > 0 and batch.objects[channel] == 0:
            batch.objects[channel] = cpu.queued_objects[channel]
            batch.blocks[channel] = cpu.queued_blocks[channel]
            batch.channel_gp[channel] = needed
            cpu.queued_objects[channel] = 0
            cpu.queued_blocks[channel] = 0
            cpu.head_block_room[channel] = 0
