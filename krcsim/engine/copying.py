# SPDX-License-Identifier: GPL-2.0-only
"""Copying the state of a run: what importance sampling and splitting start from.

The fields of World up to its own ones (copy_stream and what follows) are copied by one move of
memory; of the arrays that belong to the state the contents are. Who adds to the state must do this,
and tests/engine/test_records.py fails if it was forgotten:

* a field of World, Cpu, Batch or Producer: nothing;
* a field of HeldCall: set it in hold_call(); a copy and the queue of waiters take it by themselves;
* an array of World: name it in one of the two lists below, and if it belongs to the state add its
  move to copy_state();
* a random stream: name it in seeds.py, and renew it in renew_streams(), but for one that is drawn
  from at boot only.

Of the counters a biased copy takes only `peak`; splitting takes all of them, by copy_counters().
"""

from krcsim.engine.calendar import HELD_CALL_BYTES
from krcsim.engine.call_records import Producer
from krcsim.engine.codes import REFILL_ANY_MISS
from krcsim.engine.pointers import counters_at, cpu_at, heap_node_at, move_bytes
from krcsim.engine.random_streams import renew_stream
from krcsim.engine.records import KFREE_N_BATCHES, Batch, Counters, Cpu, Real, World
from krcsim.engine.sheaf_records import Barn, CpuSheaves
from krcsim.engine.size_records import ObjectSize

WORLD_BYTES = World.dtype.fields["copy_stream"][1]  # type: ignore[index]
CPU_BYTES = Cpu.dtype.itemsize
BARN_BYTES = Barn.dtype.itemsize
PCS_BYTES = CpuSheaves.dtype.itemsize
SIZE_BYTES = ObjectSize.dtype.itemsize
BATCH_BYTES = Batch.dtype.itemsize
PRODUCER_BYTES = Producer.dtype.itemsize
COUNTERS_BYTES = Counters.dtype.itemsize
REAL_BYTES = Real.dtype.itemsize

WINDOWS = 2  # of a run that is split

# Arrays that belong to the state of a run: copy_state() copies their contents, of the counters only
# the peak.
COPIED_ARRAYS = (
    "cpus",
    "sizes",
    "pcs",
    "barns",
    "batches",
    "producers",
    "waiters",
    "stalled",
    "heap",
    "tournament",
    "counters",
)
# Arrays that never change while a run goes on, or to which all copies add, or that nobody reads in
# a copy.
OTHER_ARRAYS = (
    "wait_histogram",
    "latency_histogram",
    "tallies",
    "log",
    "gp_lengths",
    "gp_cdf",
    "call_times",
    "recorded_cells",
    "rate_pieces",
    "schedule",
    "levels",
    "peaks",
    "stop",
    "self",
)


def copy_state(copy: World, world: World) -> None:
    """Make `copy` the state that `world` is in; it keeps its own arrays, and logs nothing."""
    move_bytes(copy.self_address, world.self_address, WORLD_BYTES)
    copy.log_capacity = 0

    move_bytes(copy.cpus_address, world.cpus_address, CPU_BYTES * world.nr_cpus)
    move_bytes(copy.sizes_address, world.sizes_address, SIZE_BYTES * world.nr_sizes)
    pcs = world.nr_cpus * world.nr_sizes
    move_bytes(copy.pcs_address, world.pcs_address, PCS_BYTES * pcs)
    barns = world.kmem_cache.nr_nodes * world.nr_caches
    move_bytes(copy.barns_address, world.barns_address, BARN_BYTES * barns)
    batches = KFREE_N_BATCHES * world.nr_cpus
    move_bytes(copy.batches_address, world.batches_address, BATCH_BYTES * batches)
    move_bytes(
        copy.tournament_address,
        world.tournament_address,
        REAL_BYTES * 2 * world.tournament_leaves,
    )
    if world.has_bursts:
        producers = world.nr_cpus * world.producers_per_cpu
        move_bytes(copy.producers_address, world.producers_address, PRODUCER_BYTES * producers)
    copy_held_calls(copy, world)

    # Of the counters the peak: it decides when calls are accounted for, and must not be that of an
    # earlier copy.
    counters = counters_at(copy.counters_address, world.window)
    counters.peak = counters_at(world.counters_address, world.window).peak


def copy_held_calls(copy: World, world: World) -> None:
    """The queue of waiters, and the heap in the same order; its slots are those of `copy`."""
    for number in range(world.waiters_head, world.waiters_tail):
        offset = (number % world.waiter_capacity) * HELD_CALL_BYTES
        move_bytes(copy.waiters_address + offset, world.waiters_address + offset, HELD_CALL_BYTES)

    for position in range(world.heap_size):
        node = heap_node_at(copy.heap_address, position)
        original = heap_node_at(world.heap_address, position)
        node.at = original.at
        move_bytes(
            copy.stalled_address + node.slot * HELD_CALL_BYTES,
            world.stalled_address + original.slot * HELD_CALL_BYTES,
            HELD_CALL_BYTES,
        )


def copy_counters(copy: World, world: World) -> None:
    """The counters of all windows of a run that is split."""
    move_bytes(copy.counters_address, world.counters_address, COUNTERS_BYTES * WINDOWS)


def renew_streams(world: World, source: World) -> None:
    """Give a copy random numbers of its own, out of the copy_stream of `source`."""
    renew_stream(world.episode_stream, source.copy_stream)
    renew_stream(world.gp_stream, source.copy_stream)
    renew_stream(world.offload_stream, source.copy_stream)
    renew_stream(world.expedited_stream, source.copy_stream)
    if world.background_rate > 0.0:
        renew_stream(world.background_stream, source.copy_stream)
    if world.nr_sizes > 1:
        renew_stream(world.freed_stream, source.copy_stream)

    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        renew_stream(cpu.arrival_stream, source.copy_stream)
        renew_stream(cpu.call_stream, source.copy_stream)
        renew_stream(cpu.stall_stream, source.copy_stream)
        if world.refill > REFILL_ANY_MISS:  # what draws nothing renews no stream
            renew_stream(cpu.refill_stream, source.copy_stream)
        if world.has_ready_blocks:
            renew_stream(cpu.cookie_stream, source.copy_stream)
        if world.sheaf_entries > 0:
            renew_stream(cpu.sheaf_stream, source.copy_stream)
            renew_stream(cpu.reuse_stream, source.copy_stream)
        if world.nr_sizes > 1:
            renew_stream(cpu.size_stream, source.copy_stream)
