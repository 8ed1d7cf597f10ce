# SPDX-License-Identifier: GPL-2.0-only
"""The event log: what happened, and what the CPU held after it."""

from krcsim.engine.channels import count_cached_pages, total
from krcsim.engine.codes import LIST, SLAB, VMALLOC
from krcsim.engine.pointers import cpu_at, event_at
from krcsim.engine.records import World


def log_event(world: World, at: float, code: int, cpu_index: int, value: float) -> None:
    """If there is a log, count an event, and append it if there is room."""
    if world.log_capacity == 0:
        return

    if world.log_size < world.log_capacity:
        event = event_at(world.log_address, world.log_size)
        event.at = at
        event.code = code
        event.cpu = cpu_index
        event.value = value

        if cpu_index >= 0:
            cpu = cpu_at(world.cpus_address, cpu_index)
            event.nr_emergency = cpu.nr_emergency
            event.room = cpu.head_block_room[SLAB] + cpu.head_block_room[VMALLOC]
            event.cached = count_cached_pages(world, cpu)
            event.queued = total(cpu.queued_objects)
            event.listed = cpu.queued_objects[LIST]

    world.log_size += 1
