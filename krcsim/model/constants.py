# SPDX-License-Identifier: GPL-2.0-only
"""Constants of the kernel and of the guest, each with its source, and the arithmetic of jiffies.

What a kernel version fixes stands in the first part, with the versions for which it holds. A
version that differs gets its value there, and uses it in its row of krcsim.model.remedy.TABLE.
"""

import math

# Fixed by the kernel's version

PAGE_BYTES = 4096
POINTER_BYTES = 8

# (PAGE_SIZE - 16) / 8: the header is a count and a link. Spring 2020 to v5.9.
# Source: 20200323113621.12048-3-urezki@gmail.com
BLOCK_ENTRIES = 510

# Since v6.3 the header is a list_head, a count and a cookie of 8 bytes; since v6.5 the cookie is a
# pair, of a normal and an expedited grace period. Source: kernel/rcu/tree.c of both.
BLOCK_ENTRIES_WITH_COOKIE = 508  # (PAGE_SIZE - 32) / 8
BLOCK_ENTRIES_WITH_FULL_COOKIE = 507  # (PAGE_SIZE - 40) / 8

# As posted in April 2020, never merged. Source: 20200403173051.4081-1-urezki@gmail.com
RCU_NR_EMERGENCY_OBJS = 3

# 24 bytes (20200405233028.GC83565@google.com) that kmalloc rounds up, in 2020 to ARCH_DMA_MINALIGN
# = 128 on arm64.
WRAPPER_BYTES = {"x86-64": 32, "arm64": 128}


# calculate_sheaf_capacity() of v7.2 and v7.3: objects smaller than so many bytes, pointers in a
# sheaf. With its header a sheaf fills a kmalloc bucket of 512, 256, 128 or 64 bytes.
SHEAF_ENTRIES = ((256, 60), (1024, 28), (PAGE_BYTES, 12))
SHEAF_ENTRIES_LARGE = 4
SHEAF_ENTRIES_6_18 = 32  # of vm_area_struct and maple_node, which alone have sheaves in v6.18
SHEAF_HEADER_BYTES = 32
BARN_SHEAVES = 10  # MAX_FULL_SHEAVES and MAX_EMPTY_SHEAVES, v6.18 to v7.3


def sheaf_entries(object_bytes: int) -> int:
    """Pointers in a sheaf of a cache of such objects, from v7.0 on."""
    fitting = (entries for bound, entries in SHEAF_ENTRIES if object_bytes < bound)
    return next(fitting, SHEAF_ENTRIES_LARGE)


def sheaf_bytes(entries: int) -> int:
    """What kmalloc() takes for a sheaf: the next power of two, a page at most."""
    needed = SHEAF_HEADER_BYTES + POINTER_BYTES * entries
    return min(PAGE_BYTES, 1 << (needed - 1).bit_length())


def drain_jiffies(hz: int) -> int:
    """KFREE_DRAIN_JIFFIES until v6.0: HZ / 50, at least one jiffy."""
    return max(1, hz // 50)


def fqs_jiffies(hz: int, cpus: int) -> int:
    """Jiffies between two scans of the force-quiescent-state loop.

    RCU_JIFFIES_TILL_FORCE_QS of kernel/rcu/tree.h, plus one for each 256 CPUs.
    """
    return 1 + (hz > 250) + (hz > 500) + cpus // 256


# Counted in an instruction-exact guest (Linux 6.1.176), call by call

CALL_INSTRUCTIONS = 425  # the kmalloc of an object, and its call where it goes into a block
LIST_INSTRUCTIONS = 344  # what the kmalloc of a wrapper adds
SLAB_INSTRUCTIONS = 14_556  # what a new slab page adds
FREE_INSTRUCTIONS = 190  # freeing an object
LIST_FREE_INSTRUCTIONS = 230  # freeing a wrapper
WAKE_INSTRUCTIONS = 4400  # from a timer, or the end of a wait, until the caller runs
GUEST_INSTRUCTION_NS = 8.0  # ns of virtual time that QEMU gives an instruction

# Slab pages whose freed objects are used again: min_partial = 5 of the node, and one that the CPU
# keeps in addition.
SLUB_PAGES = 6

# ns, assumed for a real machine: 3 GHz, an instruction a cycle, caches warm and cold averaged.
INSTRUCTION_NS = 0.33


def ticks(ms: float, hz: int) -> float:
    """Milliseconds as jiffies, not rounded."""
    return ms * hz / 1000.0


def jiffies(ms: float, hz: int) -> int:
    """msecs_to_jiffies(): milliseconds as whole jiffies, rounded up, at least one."""
    # What is a whole number but for the last bit of its product is not rounded up.
    return max(1, math.ceil(ticks(ms, hz) * (1.0 - 1e-12)))


def milliseconds(jiffies: float, hz: int) -> float:
    """Jiffies as milliseconds."""
    return jiffies * 1000.0 / hz
