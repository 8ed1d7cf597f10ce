# SPDX-License-Identifier: GPL-2.0-only
"""The memory of the machine: free pages and watermarks can decide what fails, instead of a draw."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from krcsim.base.errors import refuse
from krcsim.base.fields import check, choice, flag, number, whole
from krcsim.model.constants import PAGE_BYTES

HOGS = ("none", "nowait", "atomic", "reserves")
PAGES_PER_MIB = (1 << 20) // PAGE_BYTES


class Marks(NamedTuple):
    """Watermarks in free pages, by the rules of 2020 (mm/page_alloc.c before v6.3).

    The slow path clears __GFP_ATOMIC of a request that may sleep: `high` is min / 2, although such
    a request asks for 3/8.
    """

    nowait: float  # GFP_NOWAIT fails: the min mark
    high: float  # __GFP_HIGH fails
    atomic: float  # GFP_ATOMIC fails
    low: float  # kswapd starts
    full: float  # kswapd ends: the high mark of the zone


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Where pages come from.

    pressure = "injected" draws failures, "pages" counts free pages against watermarks. Measured in
    the guest of data/kernel-runs/: hog_pages_s (45,000 pages in 0.5 s), round_instructions (0.9 ms
    at 8 ns an instruction) and slab_pages (slabs_cpu_partial; the first failure came after 256
    objects). See docs/model.md.
    """

    pressure: str = choice(
        "injected", ("injected", "pages"), "whether failures are drawn or follow from free pages"
    )
    mib: float = number(4096.0, "MiB", 16, 1e8, "the memory that the kernel manages")
    free_mib: float | None = number(None, "MiB", 0, 1e8, "what is free at boot; left out: all")
    file_mib: float = number(
        0.0, "MiB", 0, 1e8, "the clean page cache at boot, all that reclaim can find"
    )
    hog: str = choice("nowait", HOGS, "the flags of the hog that takes all pages in an episode")
    hog_ms: float = number(1.0, "ms", 1e-3, 1e6, "the time after which the hog tries again")
    hog_pages_s: float = number(90_000.0, "pages/s", 1, 1e9, "how fast the hog takes them")
    lead_ms: float = number(
        0.0, "ms", 0, 1e6, "the head start of a hog whose episode begins at 0 ms"
    )
    load_pages_s: float = number(
        0.0, "pages/s", 0, 1e9, "how fast files are read into the page cache in an episode"
    )
    kswapd_pages_s: float = number(
        250_000.0, "pages/s", 0, 1e9, "how fast kswapd reclaims page cache"
    )
    round_instructions: float = number(
        112_000.0, "instructions", 0, 1e9, "the CPU time of a round that finds nothing"
    )
    slab_pages: int = whole(
        2, "pages per CPU", 0, 10_000, "the slab pages of free rcu_head objects that a CPU keeps"
    )
    deferred_counts: bool = flag(True, "whether objects that wait to be freed hold memory")
    shrinker: bool = flag(False, "whether reclaim passes call the shrinker of kfree_rcu()")

    def __post_init__(self) -> None:
        check(self, "memory")

        refuse(
            self.file_mib > self.mib,
            "memory.file_mib",
            self.file_mib,
            f"up to mib = {self.mib:g} MiB",
            "lower it or raise memory.mib",
        )
        refuse(
            (self.free_mib or 0.0) + self.file_mib > self.mib,
            "memory.free_mib",
            self.free_mib,
            f"up to mib - file_mib = {self.mib - self.file_mib:g} MiB",
            "lower it or memory.file_mib, or raise memory.mib",
        )
        something_takes_pages = self.load_pages_s > 0 or self.hog != "none"
        refuse(
            self.pressure == "pages" and not something_takes_pages,
            "memory.hog",
            self.hog,
            "a hog where load_pages_s is 0",
            'nothing takes memory: set memory.hog = "nowait" or give memory.load_pages_s',
        )
        refuse(
            self.lead_ms > 0 and self.hog == "none",
            "memory.lead_ms",
            self.lead_ms,
            "0 ms without a hog",
            "set memory.hog or leave it out",
        )

    def marks(self) -> Marks:
        """The watermarks in pages: setup_per_zone_wmarks() for one zone.

        min_free_kbytes is sqrt(16 * kB of memory), watermark_scale_factor is 10.
        """
        min_free_kbytes = min(max(math.floor(math.sqrt(16 * 1024 * self.mib)), 128), 262_144)
        min_mark = min_free_kbytes * 1024 / PAGE_BYTES
        gap = max(min_mark / 4, self.mib * PAGES_PER_MIB / 1000)

        return Marks(
            nowait=min_mark,
            high=min_mark / 2,
            atomic=min_mark * 3 / 8,
            low=min_mark + gap,
            full=min_mark + 2 * gap,
        )

    def hog_mark(self) -> float:
        """The free pages that the hog leaves."""
        marks = self.marks()
        return dict(none=0.0, nowait=marks.nowait, atomic=marks.atomic, reserves=0.0)[self.hog]

    def pcp(self) -> tuple[int, int]:
        """Pages a CPU keeps that do not count as free: (batch, high) as in 2020, zone_batchsize().

        Pages come and go in batches, and at most `high` are kept.
        """
        managed = int(self.mib * PAGES_PER_MIB)
        largest = PAGES_PER_MIB  # a MiB of pages, of which a quarter is taken
        batch = max(1, min(managed // 1024, largest) // 4)
        batch = (1 << (batch + batch // 2).bit_length() - 1) - 1  # 2**n - 1
        batch = max(1, batch)

        return batch, 6 * batch

    def pages_at_boot(self) -> tuple[float, float]:
        """Free pages, and pages of clean page cache."""
        free = self.mib - self.file_mib if self.free_mib is None else self.free_mib
        return free * PAGES_PER_MIB, self.file_mib * PAGES_PER_MIB
