# SPDX-License-Identifier: GPL-2.0-only
"""The remedies under debate: each a row of switches and capacities that one kernel reads."""

import re
from dataclasses import dataclass, replace

from krcsim.base.errors import KrcsimError, refuse, shown
from krcsim.base.fields import check, choice, flag, whole
from krcsim.model.constants import (
    BLOCK_ENTRIES,
    PAGE_BYTES,
    POINTER_BYTES,
    RCU_NR_EMERGENCY_OBJS,
    WRAPPER_BYTES,
)

HEAD_ALLOC = ("none", "atomic", "tryhard", "three_step")


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What kvfree_call_rcu(), its monitor and its work do; the defaults are A0, spring 2020."""

    head_alloc: str = choice(
        "atomic", HEAD_ALLOC, "how a single-argument call asks for an rcu_head object"
    )
    array_path: bool = flag(True, "whether pointers go into page blocks at all")
    page_class: str = choice(
        "nowait", ("nowait", "noretry"), "the flags of a single-argument call's page request"
    )
    nr_emergency_objs: int = whole(
        0, "objects per CPU", 0, 100_000, "the size of the emergency pool"
    )
    emergency_at_boot: int = whole(
        0, "objects per CPU", 0, 100_000, "the objects in the pool at boot"
    )
    cache_shared: bool = flag(False, "whether both channels share one page cache")
    nr_bkv_objs: int = whole(
        1, "pages", 0, 10_000, "the pages the cache keeps, per channel or shared"
    )
    cache_at_boot: int = whole(
        0, "pages", 0, 10_000, "the pages in the cache at boot, per channel or shared"
    )
    page_return: str = choice(
        "batch", ("batch", "worker"), "whose cache gets a drained page: batch's or worker's CPU"
    )
    expedited_drain: bool = flag(True, "whether a list call drains at once if no monitor pends")
    rearm: str = choice(
        "unqueued", ("unqueued", "left"), "when the monitor re-arms: nothing queued, or a rest left"
    )
    attach_to_pending: bool = flag(True, "whether lists join a batch that already waits")
    drain_jiffies: int = whole(0, "jiffies", 0, 1_000_000, "the drain delay; 0 means HZ/50")
    refill: bool = flag(
        False, "whether a cache miss starts a worker that tops the cache up, as since v5.11"
    )
    block_entries: int = whole(BLOCK_ENTRIES, "pointers", 1, 1_000_000, "the pointers in a block")

    def __post_init__(self) -> None:
        check(self, "remedy")
        for start, size, unit in (
            ("emergency_at_boot", "nr_emergency_objs", "objects per CPU"),
            ("cache_at_boot", "nr_bkv_objs", "pages"),
        ):
            most, value = getattr(self, size), getattr(self, start)
            refuse(
                value > most,
                f"remedy.{start}",
                value,
                f"at most {size} = {most} {unit}",
                f"raise {size} or boot with fewer",
            )
        asks = self.cache_at_boot > 0 or self.page_class == "noretry"
        refuse(
            asks and not self.array_path,
            "remedy.array_path",
            False,
            "true where pages are cached at boot or asked for",
            'a bypassed array path never uses a page: set cache_at_boot = 0, page_class = "nowait"',
        )

    def bytes_at_boot(self, arch: str = "x86-64") -> int:
        """Bytes per CPU that the remedy holds after boot: pages, pool array and its objects."""
        return self._bytes(
            self.cache_at_boot * (1 if self.cache_shared else 2), self.emergency_at_boot, arch
        )

    def bytes_at_full(self, channels: int = 1, arch: str = "x86-64") -> int:
        """Bytes per CPU once every reserve is full, with what was preallocated for a channel that
        is never used.
        """
        used, unused = (1, 0) if self.cache_shared else (channels, 2 - channels)
        pages = used * self.nr_bkv_objs + unused * self.cache_at_boot
        return self._bytes(pages if self.array_path else 0, self.nr_emergency_objs, arch)

    def _bytes(self, pages: int, objects: int, arch: str) -> int:
        array = self.nr_emergency_objs * POINTER_BYTES
        return pages * PAGE_BYTES + array + objects * WRAPPER_BYTES[arch]


A0 = Remedy()
A1 = replace(A0, head_alloc="tryhard")


def pool(objects: int, base: Remedy = A1) -> Remedy:
    """The emergency pool of `objects` per CPU, empty at boot as posted."""
    refuse(not isinstance(base, Remedy), "base", base, "a Remedy", "leave it out for A1")
    return replace(base, nr_emergency_objs=objects)


def pages(count: int, base: Remedy = A1) -> Remedy:
    """D(count): one list of `count` preallocated pages per CPU, shared by both channels."""
    refuse(not isinstance(base, Remedy), "base", base, "a Remedy", "leave it out for A1")
    return replace(base, cache_shared=True, nr_bkv_objs=count, cache_at_boot=count)


REMEDIES: dict[str, Remedy] = {
    "A0": A0,
    "A1": A1,
    "A1-3step": replace(A1, head_alloc="three_step"),
    "B": pool(RCU_NR_EMERGENCY_OBJS),
    "C-A0": replace(A0, cache_at_boot=1),
    "C-A1": replace(A1, cache_at_boot=1),
    "D2-A1": pages(2),
    "D5-A1": pages(5),
    # v5.9: no wrapper, two pages at boot, re-arm on anything left, pages to the worker's CPU, never
    # expedited.
    "E1": replace(
        pages(2), head_alloc="none", page_return="worker", expedited_drain=False, rearm="left"
    ),
}
THREAD = ("A0", "A1", "B", "C-A0", "C-A1", "D5-A1")

_SIZED = re.compile(r"([BD])(\d{1,6})([ef]?)(?:-(A[01]))?", re.ASCII)
RESERVE = ("nr_emergency_objs", "emergency_at_boot", "cache_shared", "nr_bkv_objs", "cache_at_boot")


def named(name: str, own: Remedy | None = None) -> Remedy:
    """The remedy of a table row, or sized: B12 (objects), D8-A1 (pages); an f fills at boot, an e
    leaves empty.

    With `own` also that: "own", and "X-own", the reserve of X on it. Raises KrcsimError.
    """
    refuse(
        not isinstance(name, str),
        "remedy",
        name,
        "the name of a remedy",
        "write for example B12 or D8-A1",
    )
    if own is not None and name == "own":
        return own
    if own is not None and name.endswith("-own"):
        reserve = named(name.removesuffix("-own"))
        return replace(own, **{field: getattr(reserve, field) for field in RESERVE})
    if name in REMEDIES:
        return REMEDIES[name]
    if sized := _SIZED.fullmatch(name):
        kind, size, at_boot, base = sized.groups()
        remedy = (pool if kind == "B" else pages)(int(size), A0 if base == "A0" else A1)
        if at_boot == "f" and kind == "B":
            return replace(remedy, emergency_at_boot=int(size))
        return replace(remedy, cache_at_boot=0) if at_boot == "e" else remedy
    raise KrcsimError(
        f"remedy {shown(name)} is not known; allowed: {', '.join(REMEDIES)}, or "
        "B<objects>, D<pages>-A0, D<pages>-A1; write for example B12 or D8-A1"
    )
