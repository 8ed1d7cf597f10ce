# SPDX-License-Identifier: GPL-2.0-only
"""The batches of a CPU: how they are numbered, and when the first becomes ready."""

from krcsim.engine.pointers import batch_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import KFREE_N_BATCHES, Batch, World


def batch_of(world: World, cpu_index: int, number: int) -> Batch:
    """Batch `number`, 0 to KFREE_N_BATCHES - 1, of a CPU."""
    return batch_at(world.batches_address, KFREE_N_BATCHES * cpu_index + number)


def owner_of_batch(batch_index: int) -> int:
    """The CPU, by number, to which a batch of the whole array belongs."""
    return batch_index // KFREE_N_BATCHES


def batches_ready_at(world: World, cpu_index: int) -> float:
    """When the first batch of a CPU becomes ready; infinite if none is known to."""
    ready_at = INF
    for number in range(KFREE_N_BATCHES):
        ready_at = min(ready_at, batch_of(world, cpu_index, number).ready_at)

    return ready_at
