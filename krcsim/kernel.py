# SPDX-License-Identifier: GPL-2.0-only
"""Constants of the kernel, each with its source, and the arithmetic of jiffies."""

PAGE_BYTES = 4096
# (PAGE_SIZE - 16) / 8: the block header is a count and a link (20200323113621.12048-3-urezki).
BLOCK_ENTRIES = 510
KFREE_N_BATCHES = 2  # in-flight batches per CPU, v5.7 to today
RCU_NR_EMERGENCY_OBJS = 3  # 20200403173051.4081-1-urezki@gmail.com
POINTER_BYTES = 8
# The wrapper is 24 bytes (20200405233028.GC83565@google.com); kmalloc rounds it up to 32 bytes on
# x86-64 and, in 2020, to ARCH_DMA_MINALIGN = 128 bytes on arm64.
WRAPPER_BYTES = {"x86-64": 32, "arm64": 128}

# Counted in an instruction-exact guest (Linux 6.1.176, 8 ns an instruction): 5.5 us a call with
# its kmalloc, 1.5 us a freed object.
CALL_INSTRUCTIONS, FREE_INSTRUCTIONS = 690, 190
GUEST_INSTRUCTION_NS = 8.0
# Assumption for a real machine: 3 GHz at one instruction a cycle, caches warm and cold averaged.
INSTRUCTION_NS = 0.33

def drain_jiffies(hz: int) -> int:
    """KFREE_DRAIN_JIFFIES until v6.0: HZ / 50, at least one jiffy."""
    return max(1, hz // 50)

def fqs_jiffies(hz: int, cpus: int) -> int:
    """Jiffies between two force-quiescent-state scans: jiffies_till_first_fqs and _next_fqs.

    RCU_JIFFIES_TILL_FORCE_QS in kernel/rcu/tree.h plus one for each 256 CPUs.
    """
    return 1 + (hz > 250) + (hz > 500) + cpus // 256

def ticks(ms: float, hz: int) -> float:
    """Milliseconds as jiffies, not rounded."""
    return ms * hz / 1000.0

def milliseconds(jiffies: float, hz: int) -> float:
    """Jiffies as milliseconds."""
    return jiffies * 1000.0 / hz
