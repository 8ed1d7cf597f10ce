# SPDX-License-Identifier: GPL-2.0-only
"""Blocks with cookies, as since v6.3: the monitor frees what is ready itself (rules R56 to R58 of
docs/model.md).

A cookie is what get_state_synchronize_rcu() returns. Each pointer that goes into a block renews the
cookie of that block, each push that of the list. It is done when a grace period that began later
has ended; it starts none. So the time of the last insert is all that a cookie is: it is done if
that is before the start of the last grace period that ended.

Only the head block gets pointers, so that of two blocks of a channel the older has the older
cookie. An older block therefore waits for the next grace period that ends, or for the one after
that, or for nothing any more: three numbers for a channel stand for a queue of any length.
"""

from krcsim.engine.channels import total
from krcsim.engine.codes import LIST, READY_TAKEN, ZERO
from krcsim.engine.event_log import log_event
from krcsim.engine.pointers import counters_at
from krcsim.engine.random_streams import INF, uniform
from krcsim.engine.records import BLOCK_CHANNELS, CHANNELS, Cpu, World
from krcsim.engine.sheaves import count_batched


def renew_cookie(cpu: Cpu, channel: int, at: float) -> None:
    """R56, get_state_synchronize_rcu(): the head block of a channel, or the list, gets an object
    at this time.
    """
    if channel == LIST:
        cpu.list_insert_at = at
    else:
        cpu.head_insert_at[channel] = at


def renew_cookies(cpu: Cpu, since: float, until: float) -> None:
    """R56: uneventful calls were made at uniform times between these two; when the last of each
    channel was.
    """
    for channel in range(CHANNELS):
        calls = cpu.settled_objects[channel]
        if calls > 0:
            at = until
            if since < until:
                at = since + (until - since) * uniform(cpu.cookie_stream) ** (1.0 / calls)
            renew_cookie(cpu, channel, at)


def is_done(world: World, insert_at: float) -> bool:
    """R56, poll_state_synchronize_rcu(): whether the cookie of an insert at this time is done.

    An insert at the instant at which a grace period starts comes after that.
    """
    return insert_at < world.gp_done_began_at


def close_head_block(world: World, cpu: Cpu, channel: int) -> None:
    """R56: a channel is about to get a new head block; its present one, if there is one, gets no
    further pointer, and joins the older blocks by what its cookie waits for.
    """
    ripen(world, cpu)
    objects = head_objects(cpu, channel)
    if objects == 0:
        return

    insert_at = cpu.head_insert_at[channel]
    if is_done(world, insert_at):
        cpu.ripe_objects[channel] += objects
        cpu.ripe_blocks[channel] += 1
    elif world.gp_is_running > 0 and insert_at >= world.gp_began_at:
        cpu.later_objects[channel] += objects
        cpu.later_blocks[channel] += 1
    else:
        cpu.next_objects[channel] += objects
        cpu.next_blocks[channel] += 1


def ripen(world: World, cpu: Cpu) -> None:
    """R56: grace periods have ended since the older blocks of a CPU were last looked at."""
    for channel in range(BLOCK_CHANNELS):
        for _ in range(min(2, world.gps_done - cpu.cookie_gp)):
            cpu.ripe_objects[channel] += cpu.next_objects[channel]
            cpu.ripe_blocks[channel] += cpu.next_blocks[channel]
            cpu.next_objects[channel] = cpu.later_objects[channel]
            cpu.next_blocks[channel] = cpu.later_blocks[channel]
            cpu.later_objects[channel] = 0
            cpu.later_blocks[channel] = 0

    cpu.cookie_gp = world.gps_done


def head_objects(cpu: Cpu, channel: int) -> int:
    """The pointers in the head block of a channel, which may be full; 0 if there is none."""
    older = cpu.ripe_objects[channel] + cpu.next_objects[channel] + cpu.later_objects[channel]
    objects: int = cpu.queued_objects[channel] - older
    return objects


def forget_cookies(cpu: Cpu, channel: int) -> None:
    """All blocks of a channel have moved into a batch."""
    if channel != LIST:
        cpu.ripe_objects[channel] = 0
        cpu.ripe_blocks[channel] = 0
        cpu.next_objects[channel] = 0
        cpu.next_blocks[channel] = 0
        cpu.later_objects[channel] = 0
        cpu.later_blocks[channel] = 0


def take_ready_objects(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R57, kvfree_rcu_drain_ready(): the monitor takes what is ready: of each channel the blocks
    whose cookies are done, the oldest first, and the whole list if its cookie is.
    """
    ripen(world, cpu)
    taken = ZERO

    for channel in range(BLOCK_CHANNELS):
        objects = cpu.ripe_objects[channel]
        blocks = cpu.ripe_blocks[channel]
        in_head = head_objects(cpu, channel)
        if in_head > 0 and is_done(world, cpu.head_insert_at[channel]):
            objects += in_head
            blocks += 1
            cpu.head_block_room[channel] = 0

        cpu.ripe_objects[channel] = 0
        cpu.ripe_blocks[channel] = 0
        cpu.queued_objects[channel] -= objects
        cpu.queued_blocks[channel] -= blocks
        cpu.ready_objects[channel] += objects
        cpu.ready_blocks[channel] += blocks
        taken += objects

    if cpu.queued_objects[LIST] > 0 and is_done(world, cpu.list_insert_at):
        taken += cpu.queued_objects[LIST]
        cpu.ready_objects[LIST] += cpu.queued_objects[LIST]
        cpu.ready_wrappers += cpu.queued_wrappers
        cpu.queued_objects[LIST] = 0
        cpu.queued_wrappers = 0

    if taken > 0:
        counters_at(world.counters_address, world.window).ready_records += taken
        cpu.ready_since = min(cpu.ready_since, now)
        if world.sheaf_entries > 0:
            count_batched(world, taken, now)
        log_event(world, now, READY_TAKEN, cpu_index, float(taken))


def start_ready_work(world: World, cpu: Cpu, cpu_index: int) -> None:
    """R58: the monitor begins to free what it has found ready."""
    cpu.work_total_objects = total(cpu.ready_objects)
    for channel in range(CHANNELS):
        cpu.work_objects[channel] = cpu.ready_objects[channel]
        cpu.ready_objects[channel] = 0
    for channel in range(BLOCK_CHANNELS):
        cpu.work_blocks[channel] = cpu.ready_blocks[channel]
        cpu.ready_blocks[channel] = 0

    cpu.work_wrappers = cpu.ready_wrappers
    cpu.ready_wrappers = 0
    cpu.ready_since = INF
    cpu.frees_ready = 1
    cpu.work_owner = cpu_index
