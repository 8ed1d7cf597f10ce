# SPDX-License-Identifier: GPL-2.0-only
"""What comes next: a tournament over the CPUs, a heap of stalled callers, and the event log."""

import math

from krcsim.engine.codes import FULL
from krcsim.engine.compiling import compile_module
from krcsim.engine.records import (
    BIN_LO_MS,
    BINS,
    HeldCall,
    World,
    batch_at,
    cpu_at,
    event_at,
    heap_node_at,
    held_call_at,
    real_at,
)


def log_event(world: World, at: float, code: int, cpu: int, value: float) -> None:
    """Append an event to the log if there is one and it has room."""
    if world.log_capacity == 0:
        return

    if world.log_size < world.log_capacity:
        e = event_at(world.log_address, world.log_size)
        e.at, e.code, e.cpu, e.value = at, code, cpu, value
        if cpu >= 0:
            state = cpu_at(world.cpus_address, cpu)
            e.nr_emergency = state.nr_emergency
            e.room = state.head_block_room[0] + state.head_block_room[1]
            e.cached = state.cached_pages[0] + world.has_channel_caches * state.cached_pages[1]
            e.queued = state.queued_objects[0] + state.queued_objects[1] + state.queued_objects[2]
            e.listed = state.queued_objects[2]
    world.log_size += 1


def update_next_event(world: World, i: int) -> None:
    """CPU i's next event may have changed: recompute it and play the tournament upwards."""
    cpu, tree = cpu_at(world.cpus_address, i), world.tournament_address
    j = world.tournament_leaves + i
    first = min(
        cpu.monitor_at,
        cpu.call_at,
        cpu.phase_ends_at,
        cpu.work_step_ends_at,
        batch_at(world.batches_address, 2 * i).ready_at,
        batch_at(world.batches_address, 2 * i + 1).ready_at,
    )
    real_at(tree, j).x = first
    while j > 1:
        first = min(first, real_at(tree, j ^ 1).x)
        j >>= 1
        real_at(tree, j).x = first


def earliest_cpu(world: World) -> int:
    """The lowest CPU whose next event is the earliest."""
    j = 1
    while j < world.tournament_leaves:
        j = 2 * j + int(
            real_at(world.tournament_address, 2 * j).x
            > real_at(world.tournament_address, 2 * j + 1).x
        )
    return j - world.tournament_leaves


def free_slot(world: World) -> HeldCall:
    """The free slot that the next push_held_call() takes, or that pop_held_call() just left."""
    return held_call_at(
        world.stalled_address, heap_node_at(world.heap_address, world.heap_size).slot
    )


def push_held_call(world: World, at: float) -> None:
    """Let the slot of free_slot() come up at `at`."""
    if world.heap_size >= world.heap_capacity:
        world.error = FULL
        return
    i, world.heap_size = world.heap_size, world.heap_size + 1
    node = heap_node_at(world.heap_address, i)
    slot = node.slot
    while i > 0 and heap_node_at(world.heap_address, (i - 1) >> 1).at > at:
        i = (i - 1) >> 1
        up = heap_node_at(world.heap_address, i)
        node.at, node.slot = up.at, up.slot
        node = up
    node.at, node.slot = at, slot


def pop_held_call(world: World) -> None:
    """Take the earliest entry out; its slot is then that of free_slot()."""
    world.heap_size = n = world.heap_size - 1
    node, last = heap_node_at(world.heap_address, 0), heap_node_at(world.heap_address, n)
    at, slot = last.at, last.slot
    last.at, last.slot = node.at, node.slot
    child = 1
    while child < n:
        if (
            child + 1 < n
            and heap_node_at(world.heap_address, child + 1).at
            < heap_node_at(world.heap_address, child).at
        ):
            child += 1
        down = heap_node_at(world.heap_address, child)
        if down.at >= at:
            break
        node.at, node.slot = down.at, down.slot
        child, node = 2 * child + 1, down
    node.at, node.slot = at, slot


def histogram_bin(ms: float) -> int:
    """The histogram bin of a time in ms."""
    return 0 if ms <= BIN_LO_MS else min(BINS - 1, int(16.0 * math.log2(ms / BIN_LO_MS)))


compile_module()
