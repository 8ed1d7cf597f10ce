# SPDX-License-Identifier: GPL-2.0-only
"""The random streams of a run and their seeds: one stream for each decision."""

import numpy as np
from numpy.typing import NDArray

# The random streams of a run.
WORLD_STREAMS = (
    "episode_stream",
    "gp_stream",
    "offload_stream",
    "expedited_stream",
    "background_stream",
    "freed_stream",
)
CPU_STREAMS = (
    "arrival_stream",
    "call_stream",
    "stall_stream",
    "cookie_stream",
    "sheaf_stream",
    "reuse_stream",
    "refill_stream",
    "replay_stream",
    "size_stream",
)
# The number of a stream among the children of a seed. A new stream takes a number that no other
# has, so that the random numbers of the others stay what they are.
STREAM_NUMBERS = {
    "episode_stream": 0,
    "gp_stream": 1,
    "offload_stream": 2,
    "expedited_stream": 3,
    "arrival_stream": 4,
    "call_stream": 5,
    "stall_stream": 6,
    "copy_stream": 7,
    "refill_stream": 50,
    "background_stream": 56,
    "cookie_stream": 57,
    "sheaf_stream": 66,
    "reuse_stream": 67,
    "replay_stream": 100,
    "size_stream": 111,
    "freed_stream": 112,
}


def replication_state(seed: int, replication: int, cpus: int) -> list[NDArray[np.uint64]]:
    """Stream states, each from a child of the SeedSequence: those of WORLD_STREAMS, of CPU_STREAMS
    for all CPUs, and of copy_stream.
    """
    words = dict.fromkeys(WORLD_STREAMS, 4) | dict.fromkeys(CPU_STREAMS, 4 * cpus)
    words["copy_stream"] = 4
    states = []
    for name, count in words.items():
        child = np.random.SeedSequence(seed, spawn_key=(replication, STREAM_NUMBERS[name]))
        states.append(np.asarray(child.generate_state(count, np.uint64), np.uint64))
    return states
