# SPDX-License-Identifier: GPL-2.0-only
"""The monitor: a delayed work that moves what a CPU has queued into batches."""

import math

from krcsim.engine.batches import batch_of
from krcsim.engine.channels import total
from krcsim.engine.codes import (
    BATCH_IDLE,
    BATCH_JOINED,
    BATCH_QUEUED,
    BATCH_WAITS,
    LIST,
    MONITOR_PULLED,
    MONITOR_REARMED,
    ONE,
    REARM_LEFT,
    REARM_REST,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.grace_periods import next_full_grace_period, request_grace_period
from krcsim.engine.pointers import counters_at
from krcsim.engine.random_streams import INF
from krcsim.engine.ready_blocks import forget_cookies, take_ready_objects
from krcsim.engine.records import CHANNELS, KFREE_N_BATCHES, Batch, Cpu, World
from krcsim.engine.sheaves import count_batched, hurry_lazy_sheaves


def arm_monitor(world: World, cpu: Cpu, cpu_index: int, now: float, code: int) -> None:
    """R22 and R23, schedule_delayed_work(): set the timer of the monitor; the timer wheel rounds up
    its jiffies.
    """
    jiffies = drain_delay(world, cpu)
    cpu.monitor_expires = int(math.floor(now)) + jiffies
    cpu.monitor_at = timer_expires(now, jiffies)
    log_event(world, now, code, cpu_index, cpu.monitor_at)


def timer_expires(now: float, jiffies: int) -> float:
    """R23: when a timer that is set now for so many jiffies expires."""
    # calc_wheel_index(): a timer of 63 jiffies or more goes into a coarser level of the wheel; each
    # level is 8 times as coarse as the one below, and a timer expires at the end of its slot.
    shift = 0
    while shift < 24 and jiffies >= 63 << shift:
        shift += 3

    expires = int(math.floor(now)) + jiffies
    return float(((expires >> shift) + 1) << shift)


def drain_delay(world: World, cpu: Cpu) -> int:
    """R49: the delay of the monitor in jiffies: one where a block's worth of objects is queued."""
    if world.drains_full and total(cpu.queued_objects) >= world.block_entries:
        return ONE
    return world.drain_jiffies


def pull_monitor(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R49, schedule_delayed_monitor_work(): an object was queued while the monitor is pending; it
    is set anew if that brings it forward.
    """
    is_full = total(cpu.queued_objects) >= world.block_entries
    if is_full and cpu.monitor_expires - int(math.floor(now)) > 1:
        arm_monitor(world, cpu, cpu_index, now, MONITOR_PULLED)


def kfree_rcu_monitor(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R24 to R26 and R48, kfree_rcu_monitor(): move what is queued into the CPU's batches, and
    re-arm if that is due. With cookies it first takes what is ready (R57).
    """
    counters = counters_at(world.counters_address, world.window)
    cpu.monitor_at = INF
    counters.monitors += 1
    any_queued = False
    any_left = False
    if world.has_ready_blocks:
        take_ready_objects(world, cpu, cpu_index, now)

    for number in range(KFREE_N_BATCHES):
        batch = batch_of(world, cpu_index, number)
        if can_take(world, cpu, batch):
            queue_kfree_rcu_work(world, cpu, cpu_index, batch, now)
            any_queued = True

        # Asked after each batch: the first being busy is enough, as in v5.9.
        any_left |= total(cpu.queued_objects) > 0

    counters.drains += any_queued

    # With REARM_UNQUEUED one object queued is success, as queue_kfree_rcu_work() reports it in the
    # kernel: the monitor is done even if a channel is left for which both batches were busy. The
    # next call on the CPU sets it again (R22 and R26).
    rearms = not any_queued
    if world.rearm == REARM_LEFT:
        rearms = any_left
    elif world.rearm == REARM_REST:
        rearms = total(cpu.queued_objects) > 0
    if world.has_ready_blocks and total(cpu.queued_objects) == 0:
        rearms = False
    if rearms:
        counters.rearms += 1
        arm_monitor(world, cpu, cpu_index, now, MONITOR_REARMED)


def can_take(world: World, cpu: Cpu, batch: Batch) -> bool:
    """R24: whether the batch takes any of the channels that have objects."""
    takes_any = False
    for channel in range(CHANNELS):
        takes_any |= cpu.queued_objects[channel] > 0 and batch.objects[channel] == 0

    return takes_any and (world.attaches_to_pending > 0 or total(batch.objects) == 0)


def queue_kfree_rcu_work(world: World, cpu: Cpu, cpu_index: int, batch: Batch, now: float) -> None:
    """R24 and R25, queue_kfree_rcu_work(): each channel that is empty in the batch moves there.

    A batch that is pending already asks for nothing: queue_rcu_work() does nothing then.
    """
    needed = next_full_grace_period(world)
    objects = total(cpu.queued_objects)
    code = BATCH_QUEUED if batch.state == BATCH_IDLE else BATCH_JOINED
    log_event(world, now, code, cpu_index, float(objects))

    if batch.state == BATCH_IDLE:
        if world.sheaf_entries > 0:
            hurry_lazy_sheaves(world, cpu, now)
        batch.state = BATCH_WAITS
        batch.needed_gp = request_grace_period(world, now)
        batch.asked_at = now

    for channel in range(CHANNELS):
        if cpu.queued_objects[channel] > 0 and batch.objects[channel] == 0:
            batch.objects[channel] = cpu.queued_objects[channel]
            batch.channel_gp[channel] = needed
            if world.sheaf_entries > 0:
                count_batched(world, cpu.queued_objects[channel], now)
            cpu.queued_objects[channel] = 0

            if channel == LIST:
                batch.wrappers = cpu.queued_wrappers
                cpu.queued_wrappers = 0
            else:
                batch.blocks[channel] = cpu.queued_blocks[channel]
                cpu.queued_blocks[channel] = 0
                cpu.head_block_room[channel] = 0
                if world.has_ready_blocks:
                    forget_cookies(cpu, channel)
