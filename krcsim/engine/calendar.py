# SPDX-License-Identifier: GPL-2.0-only
"""What comes next: a tournament over the CPUs, the queue of waiters, and a heap of stalls and
expedited waits.
"""

from krcsim.engine.batches import batches_ready_at
from krcsim.engine.call_records import HeldCall
from krcsim.engine.codes import FULL
from krcsim.engine.pointers import cpu_at, heap_node_at, held_call_at, move_bytes, real_at
from krcsim.engine.records import World

HELD_CALL_BYTES = HeldCall.dtype.itemsize


def update_next_event(world: World, cpu_index: int) -> None:
    """A CPU's next event may have changed: find it, and play the tournament upwards from its
    leaf.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    tournament = world.tournament_address
    first = min(
        cpu.monitor_at,
        cpu.call_at,
        cpu.phase_ends_at,
        cpu.work_step_ends_at,
        batches_ready_at(world, cpu_index),
    )
    if world.sheaf_entries > 0:
        first = min(first, cpu.next_allocation_at, cpu.lazy_until)

    if world.has_refill_worker:
        first = min(first, cpu.refill_at)

    match = world.tournament_leaves + cpu_index
    real_at(tournament, match).x = first

    while match > 1:
        first = min(first, real_at(tournament, match ^ 1).x)
        match >>= 1
        real_at(tournament, match).x = first


def earliest_cpu(world: World) -> int:
    """The CPU whose next event is the earliest; of several the lowest."""
    tournament = world.tournament_address
    match = 1

    while match < world.tournament_leaves:
        left = 2 * match
        match = left + int(real_at(tournament, left).x > real_at(tournament, left + 1).x)

    return match - world.tournament_leaves


def waiter_at(world: World, number: int) -> HeldCall:
    """A call in synchronize_rcu(), by its number since boot; the queue is a ring."""
    return held_call_at(world.waiters_address, number % world.waiter_capacity)


def new_waiter(world: World) -> HeldCall:
    """The call in free_slot() joins the queue of waiters, for which the ring has room: its copy
    there, with all fields.
    """
    slot = heap_node_at(world.heap_address, world.heap_size).slot
    ring_index = world.waiters_tail % world.waiter_capacity
    move_bytes(
        world.waiters_address + ring_index * HELD_CALL_BYTES,
        world.stalled_address + slot * HELD_CALL_BYTES,
        HELD_CALL_BYTES,
    )

    world.waiters_tail += 1
    return held_call_at(world.waiters_address, ring_index)


def heap_call_at(world: World, position: int) -> HeldCall:
    """A call in the heap, by its position there."""
    node = heap_node_at(world.heap_address, position)
    return held_call_at(world.stalled_address, node.slot)


def free_slot(world: World) -> HeldCall:
    """The free slot that the next push_held_call() takes, or that pop_held_call() just left."""
    return heap_call_at(world, world.heap_size)


def push_held_call(world: World, at: float) -> None:
    """Put the call in free_slot() into the heap; its stall or wait is over at this time."""
    if world.heap_size >= world.heap_capacity:
        world.error = FULL
        return

    position = world.heap_size
    world.heap_size += 1
    node = heap_node_at(world.heap_address, position)
    slot = node.slot

    while position > 0 and heap_node_at(world.heap_address, (position - 1) >> 1).at > at:
        position = (position - 1) >> 1
        parent = heap_node_at(world.heap_address, position)
        node.at = parent.at
        node.slot = parent.slot
        node = parent

    node.at = at
    node.slot = slot


def pop_held_call(world: World) -> None:
    """Take the earliest call out of the heap; its slot is then that of free_slot()."""
    world.heap_size -= 1
    size = world.heap_size
    node = heap_node_at(world.heap_address, 0)
    last = heap_node_at(world.heap_address, size)

    at = last.at
    slot = last.slot
    last.at = node.at
    last.slot = node.slot

    position = 1
    while position < size:
        child = heap_node_at(world.heap_address, position)
        if position + 1 < size and heap_node_at(world.heap_address, position + 1).at < child.at:
            position += 1
            child = heap_node_at(world.heap_address, position)
        if child.at >= at:
            break

        node.at = child.at
        node.slot = child.slot
        node = child
        position = 2 * position + 1

    node.at = at
    node.slot = slot
