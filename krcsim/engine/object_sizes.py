# SPDX-License-Identifier: GPL-2.0-only
"""Which objects of several sizes are deferred, and which of them are freed (rules R111 and R112 of
docs/model.md).

With one size nothing here is called, and nothing drawn.
"""

from krcsim.engine.codes import ONE, VMALLOC
from krcsim.engine.pointers import counters_at, size_at
from krcsim.engine.random_streams import binomial, uniform
from krcsim.engine.records import Cpu, World

# Of which calls a size is drawn.
OF_ALL = 0
OF_TAKEN = 1  # whose object a sheaf takes
OF_REFUSED = 2  # whose slab object no sheaf takes


def size_weight(world: World, size: int, which: int) -> float:
    """R111 and R113: the share of a size among all calls, or the part of it that sheaves take or
    refuse; larger objects than those of caches are in no sheaf.
    """
    weight = size_at(world.sizes_address, size).share
    if which == OF_TAKEN:
        weight *= size < world.nr_caches
    elif which == OF_REFUSED and size < world.nr_caches:
        weight *= 1.0 - world.kmem_cache.share_of_slab
    return weight


def draw_size(world: World, cpu: Cpu, which: int) -> int:
    """R111: the size of the object of a call, by number."""
    total = 0.0
    for size in range(world.nr_sizes):
        total += size_weight(world, size, which)

    left = uniform(cpu.size_stream) * total
    drawn = 0
    for size in range(world.nr_sizes):
        weight = size_weight(world, size, which)
        if weight > 0.0 and left > 0.0:
            drawn = size
            left -= weight
    return drawn


def draw_size_of_call(world: World, cpu: Cpu, channel: int, u_share: float) -> int:
    """R111 and R113: the size of the object of a call of which nothing else is known."""
    which = OF_ALL
    if world.sheaf_entries > 0 and channel != VMALLOC:
        which = OF_TAKEN if u_share < world.kmem_cache.sheaf_share else OF_REFUSED
    return draw_size(world, cpu, which)


def defer_objects(world: World, size: int, objects: int, time_sum: float) -> int:
    """R112: objects of a size are deferred by calls made at times that add up to time_sum; their
    bytes.
    """
    one = size_at(world.sizes_address, size).object_bytes
    world.deferred_bytes += one * objects
    counters_at(world.counters_address, world.window).bytes_area -= one * time_sum
    return one * objects


def defer_behind(world: World, size: int, objects: int, time_sum: float) -> int:
    """R112: the same, of objects that go into a block or on the list."""
    size_at(world.sizes_address, size).behind += objects
    return defer_objects(world, size, objects, time_sum)


def spread_over_sizes(world: World, cpu: Cpu, calls: int, which: int, time_sum: float) -> int:
    """R111: so many uneventful calls put objects into blocks or on the list, each of a size of its
    own; their bytes.
    """
    left = 0.0
    for size in range(world.nr_sizes):
        left += size_weight(world, size, which)

    more = 0
    rest = calls
    for size in range(world.nr_sizes):
        weight = size_weight(world, size, which)
        objects = rest
        if weight < left:
            objects = binomial(cpu.size_stream, rest, weight / left)
        rest -= objects
        left -= weight
        if objects > 0:
            more += defer_behind(world, size, objects, time_sum * objects / calls)
    return more


def free_behind(world: World, objects: int, now: float) -> int:
    """R112: so many objects of blocks and lists are freed: each of those that are deferred there is
    as likely; how many of each size is noted in `moved`. Returns their bytes.
    """
    deferred = 0
    for size in range(world.nr_sizes):
        one = size_at(world.sizes_address, size)
        one.moved = 0
        deferred += one.behind

    for _ in range(objects):
        left = uniform(world.freed_stream) * deferred
        size = 0
        while size < world.nr_sizes - 1 and left >= size_at(world.sizes_address, size).behind:
            left -= size_at(world.sizes_address, size).behind
            size += 1
        one = size_at(world.sizes_address, size)
        one.behind -= 1
        one.moved += 1
        deferred -= 1

    freed = 0
    for size in range(world.nr_sizes):
        one = size_at(world.sizes_address, size)
        freed += one.moved * one.object_bytes
    count_freed_bytes(world, freed, now)
    return freed


def note_one_freed(world: World, size: int) -> None:
    """R112: a caller frees its object itself, which was never deferred."""
    for other in range(world.nr_sizes):
        size_at(world.sizes_address, other).moved = 0
    size_at(world.sizes_address, size).moved = ONE


def count_freed_bytes(world: World, freed: int, now: float) -> None:
    """R112: deferred bytes are free; before that they may have been the most."""
    counters = counters_at(world.counters_address, world.window)
    counters.peak_bytes = max(counters.peak_bytes, world.deferred_bytes)
    counters.bytes_area += freed * now
    world.deferred_bytes -= freed
