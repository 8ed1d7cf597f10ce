# SPDX-License-Identifier: GPL-2.0-only
"""What comes next: a tournament over the CPUs, and a heap of stalls and expedited waits."""

from krcsim.engine.codes import FULL
from krcsim.engine.pointers import batch_at, cpu_at, heap_node_at, held_call_at, real_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import KFREE_N_BATCHES, HeldCall, World


def batches_ready_at(world: World, cpu_index: int) -> float:
    """When the first batch of a CPU becomes ready; infinite if none is known to."""
    ready_at = INF
    for number in range(KFREE_N_BATCHES):
        batch = batch_at(world.batches_address, KFREE_N_BATCHES * cpu_index + number)
        ready_at = min(ready_at, batch.ready_at)

    return ready_at


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


def free_slot(world: World) -> HeldCall:
    """The free slot that the next push_held_call() takes, or that pop_held_call() just left."""
    node = heap_node_at(world.heap_address, world.heap_size)
    return held_call_at(world.stalled_address, node.slot)


def push_held_call(world: World, at: float) -> None:
    """Let the call in free_slot() come up at this time."""
    if world.heap_size >= world.heap_capacity:
        world.error = FULL
        return

    place = world.heap_size
    world.heap_size += 1
    node = heap_node_at(world.heap_address, place)
    slot = node.slot

    while place > 0 and heap_node_at(world.heap_address, (place - 1) >> 1).at > at:
        place = (place - 1) >> 1
        parent = heap_node_at(world.heap_address, place)
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

    place = 1
    while place < size:
        child = heap_node_at(world.heap_address, place)
        if place + 1 < size and heap_node_at(world.heap_address, place + 1).at < child.at:
            place += 1
            child = heap_node_at(world.heap_address, place)
        if child.at >= at:
            break

        node.at = child.at
        node.slot = child.slot
        node = child
        place = 2 * place + 1

    node.at = at
    node.slot = slot
