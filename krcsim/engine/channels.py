# SPDX-License-Identifier: GPL-2.0-only
"""What a record holds for each channel, added up."""

from krcsim.engine.codes import SLAB, VMALLOC
from krcsim.engine.records import CHANNELS, Cpu, PerChannel, World


def total(of_channels: PerChannel) -> int:
    """The sum over the channels."""
    found = 0
    for channel in range(CHANNELS):
        found += of_channels[channel]

    return found


def count_cached_pages(world: World, cpu: Cpu) -> int:
    """The pages in the caches of a CPU; a cache that the channels share is counted once."""
    pages: int = cpu.cached_pages[SLAB] + world.has_channel_caches * cpu.cached_pages[VMALLOC]
    return pages
