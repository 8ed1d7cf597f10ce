# SPDX-License-Identifier: GPL-2.0-only
"""Constants of the kernel, each with its source, and the arithmetic of jiffies."""

PAGE_BYTES, POINTER_BYTES = 4096, 8
BLOCK_ENTRIES = (
    510  # (PAGE_SIZE - 16) / 8: the header is a count and a link (20200323113621.12048-3-urezki)
)
RCU_NR_EMERGENCY_OBJS = 3  # 20200403173051.4081-1-urezki@gmail.com
# 24 bytes (20200405233028.GC83565@google.com) that kmalloc rounds up, in 2020 to ARCH_DMA_MINALIGN
# = 128 on arm64.
WRAPPER_BYTES = {"x86-64": 32, "arm64": 128}

# Counted in an instruction-exact guest (Linux 6.1.176), call by call: the kmalloc of an object and
# its call where it goes into a block; what the kmalloc of a wrapper adds; what a new slab page
# adds; freeing an object; and a wrapper.
(
    CALL_INSTRUCTIONS,
    LIST_INSTRUCTIONS,
    SLAB_INSTRUCTIONS,
    FREE_INSTRUCTIONS,
    LIST_FREE_INSTRUCTIONS,
) = (425, 344, 14_556, 190, 230)
# Slab pages whose freed objects are used again: min_partial = 5 of the node, and what the CPU keeps
# besides.
SLUB_PAGES, WAKE_INSTRUCTIONS, GUEST_INSTRUCTION_NS = 6, 4400, 8.0
INSTRUCTION_NS = (
    0.33  # assumed for a real machine: 3 GHz, an instruction a cycle, caches warm and cold averaged
)


def drain_jiffies(hz: int) -> int:
    """KFREE_DRAIN_JIFFIES until v6.0: HZ / 50, at least one jiffy."""
    return max(1, hz // 50)


def fqs_jiffies(hz: int, cpus: int) -> int:
    """Jiffies between two scans: RCU_JIFFIES_TILL_FORCE_QS in kernel/rcu/tree.h plus one for each
    256 CPUs.
    """
    return 1 + (hz > 250) + (hz > 500) + cpus // 256


def ticks(ms: float, hz: int) -> float:
    """Milliseconds as jiffies, not rounded."""
    return ms * hz / 1000.0


def milliseconds(jiffies: float, hz: int) -> float:
    """Jiffies as milliseconds."""
    return jiffies * 1000.0 / hz
