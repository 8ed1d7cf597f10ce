# SPDX-License-Identifier: GPL-2.0-only
"""The remedies under debate: each is a set of switches and capacities that one kernel reads.

TABLE has a row for each remedy with a name. To add one add a row, and for what a kernel version
does a row of krcsim.model.kernels: names, lists, legends and the command line are made of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from krcsim.base.errors import KrcsimError, did_you_mean, refuse, shown
from krcsim.base.fields import check, choice, flag, number, whole
from krcsim.model.allocator import Failure
from krcsim.model.constants import (
    BARN_SHEAVES,
    BLOCK_ENTRIES,
    PAGE_BYTES,
    POINTER_BYTES,
    RCU_NR_EMERGENCY_OBJS,
    WRAPPER_BYTES,
    drain_jiffies,
    jiffies,
)
from krcsim.model.kernels import KERNELS, SINCE, first_version, row_of_version

# The requests for an rcu_head object, one after the other: the fields of Failure that decide them.
HEAD_REQUESTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "atomic": ("head_atomic",),
    "tryhard": ("head_high", "head_reclaim"),
    "three_step": ("head_atomic", "head_reclaim"),
}
HEAD_ALLOC = tuple(HEAD_REQUESTS)


def may_sleep_for_head(head_alloc: str) -> bool:
    """Whether a call asks for its rcu_head again with a request that may sleep in reclaim."""
    return "head_reclaim" in HEAD_REQUESTS[head_alloc]


def p_no_head(head_alloc: str, failure: Failure) -> float:
    """P(a call gets no rcu_head object from the allocator); 1 where it does not ask for one.

    One draw decides all requests of a call, and a later one tries harder: the lowest counts.
    """
    p_fails = failure.by_field()
    return min((p_fails[field] for field in HEAD_REQUESTS[head_alloc]), default=1.0)


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What kvfree_call_rcu(), its monitor and its work do; the defaults are A0, spring 2020."""

    head_alloc: str = choice(
        "atomic", HEAD_ALLOC, "how a single-argument call asks for an rcu_head object"
    )
    array_path: bool = flag(True, "whether pointers go into page blocks at all")
    page_class: str = choice(
        "nowait",
        ("nowait", "noretry", "cache"),
        "the flags of a single-argument call's page request; cache: it asks for none",
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
        "unqueued",
        ("unqueued", "left", "rest"),
        "when the monitor re-arms: nothing queued, a rest after either batch, or after both",
    )
    attach_to_pending: bool = flag(True, "whether lists join a batch that already waits")
    drain_jiffies: int = whole(0, "jiffies", 0, 1_000_000, "the drain delay; 0 means HZ/50")
    drain_ms: float = number(
        0.0, "ms", 0, 1e6, "the drain delay, rounded up to jiffies; 0: drain_jiffies sets it"
    )
    drain_full: bool = flag(
        False, "whether block_entries queued objects bring the monitor forward to a jiffy"
    )
    double_page: bool = flag(True, "whether double-argument calls ask for a page")
    refill: str = choice(
        "none",
        ("none", "any_miss", "e2", "e3", "e5", "e7"),
        "the worker that fills the cache: of the harness, v5.11, v5.13, v6.1 or v6.5",
    )
    refill_ms: float = number(0.0, "ms", 0, 1000, "the time from a miss to the pages of the worker")
    refill_backoff_ms: float = number(
        0.0, "ms", 0, 100_000, "that time after a reclaim pass; 0: it makes no difference"
    )
    shrinks_cache: bool = flag(
        False, "whether the shrinker frees cached pages though no refill backs off"
    )
    ready_blocks: bool = flag(
        False, "whether the monitor frees blocks whose cookie is done itself, as since v6.3"
    )
    wake: str = choice(
        "callback",
        ("callback", "gp"),
        "who wakes a caller that waits: its callback, or as since v6.18 the grace-period kthread",
    )
    wake_work_ms: float = number(
        0.05, "ms", 0, 1000, "the time until a work wakes those that the kthread does not wake"
    )
    own_cpu: bool = flag(
        False, "whether the grace-period kthread reports for its own CPU, as in v7.2"
    )
    block_entries: int = whole(BLOCK_ENTRIES, "pointers", 1, 1_000_000, "the pointers in a block")
    # Sheaves, since v6.18.
    sheaves: bool = flag(False, "whether calls fill sheaves before they turn to blocks")
    sheaf_entries: int = whole(
        0, "pointers", 0, 4096, "the pointers in a sheaf; 0: as v7.0 has it for object_bytes"
    )
    sheaf_caches: str = choice(
        "all", ("all", "opted_in"), "which caches have sheaves: nearly all, or two as in v6.18"
    )
    barn_full: int = whole(
        BARN_SHEAVES, "sheaves per node", 0, 1000, "the full sheaves that a node keeps"
    )
    barn_empty: int = whole(
        BARN_SHEAVES, "sheaves per node", 0, 1000, "the empty sheaves that a node keeps"
    )

    def __post_init__(self) -> None:
        if isinstance(self.refill, bool):  # as it was given when there was one such worker
            object.__setattr__(self, "refill", "any_miss" if self.refill else "none")
        check(self, "remedy")

        for at_boot, capacity, unit in (
            ("emergency_at_boot", "nr_emergency_objs", "objects per CPU"),
            ("cache_at_boot", "nr_bkv_objs", "pages"),
        ):
            value = getattr(self, at_boot)
            most = getattr(self, capacity)
            refuse(
                value > most,
                f"remedy.{at_boot}",
                value,
                f"at most {capacity} = {most} {unit}",
                f"raise {capacity} or boot with fewer",
            )

        uses_pages = self.cache_at_boot > 0 or self.page_class == "noretry"
        refuse(
            uses_pages and not self.array_path,
            "remedy.array_path",
            False,
            "true where pages are cached at boot or asked for",
            'a bypassed array path never uses a page: set cache_at_boot = 0, page_class = "nowait"',
        )

        refuse(
            self.drain_ms > 0 and self.drain_jiffies > 0,
            "remedy.drain_ms",
            self.drain_ms,
            f"0 ms where drain_jiffies is {self.drain_jiffies}",
            "both set the drain delay: leave one at 0",
        )

    @property
    def has_refill_worker(self) -> bool:
        """Whether a worker fills the page cache."""
        return self.refill != "none"

    def drain_delay(self, hz: int) -> int:
        """The drain delay in jiffies; HZ/50 where the remedy leaves it open."""
        if self.drain_ms > 0:
            return jiffies(self.drain_ms, hz)
        return self.drain_jiffies or drain_jiffies(hz)

    def bytes_at_boot(self, arch: str = "x86-64") -> int:
        """Bytes per CPU that the remedy holds after boot: pages, pool array and its objects."""
        caches = 1 if self.cache_shared else 2
        return self._bytes(self.cache_at_boot * caches, self.emergency_at_boot, arch)

    def bytes_at_full(self, channels: int = 1, arch: str = "x86-64") -> int:
        """Bytes per CPU once every reserve is full.

        `channels` of the two are used by calls; one that is not keeps what it had at boot.
        """
        if not self.array_path:
            return self._bytes(0, self.nr_emergency_objs, arch)

        used = 1 if self.cache_shared else channels
        unused = 0 if self.cache_shared else 2 - channels
        pages = used * self.nr_bkv_objs + unused * self.cache_at_boot
        return self._bytes(pages, self.nr_emergency_objs, arch)

    def _bytes(self, pages: int, objects: int, arch: str) -> int:
        array = self.nr_emergency_objs * POINTER_BYTES
        return pages * PAGE_BYTES + array + objects * WRAPPER_BYTES[arch]


A0 = Remedy()
A1 = replace(A0, head_alloc="tryhard")


def pool(objects: int, base: Remedy = A1) -> Remedy:
    """The emergency pool of `objects` per CPU, empty at boot as posted."""
    refuse(not isinstance(base, Remedy), "base", base, "a Remedy", "leave it out for A1")
    return replace(base, nr_emergency_objs=objects)


def full_pool(objects: int, base: Remedy = A1) -> Remedy:
    """The same pool, filled at boot."""
    return replace(pool(objects, base), emergency_at_boot=objects)


def pages(count: int, base: Remedy = A1) -> Remedy:
    """D(count): one list of `count` preallocated pages per CPU, shared by both channels."""
    refuse(not isinstance(base, Remedy), "base", base, "a Remedy", "leave it out for A1")
    return replace(base, cache_shared=True, nr_bkv_objs=count, cache_at_boot=count)


def empty_pages(count: int, base: Remedy = A1) -> Remedy:
    """The same list, empty at boot."""
    return replace(pages(count, base), cache_at_boot=0)


_COMMIT = re.compile(r"\b[0-9a-f]{12}\b", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NamedRemedy:
    """A remedy with a name: what it does, who has it, and in which lists it stands."""

    name: str
    remedy: Remedy
    words: str  # what it does, for people
    who: str  # whose proposal it is
    when: str  # the day or the version
    source: str  # the kernel version, commit or message that has it
    in_thread: bool = False  # among the remedies compared where none are named
    in_curve: bool = False  # among those drawn next to the growing reserves
    kernel: str = ""  # the first version of Linux that does so, "" for what is in none
    change: str = ""  # of a kernel: what is new since the row before, in a few words

    @property
    def commits(self) -> tuple[str, ...]:
        """The commits that its source names."""
        return tuple(_COMMIT.findall(self.source))


_TABLE: tuple[NamedRemedy, ...] = (
    NamedRemedy(
        name="A0",
        remedy=A0,
        words="rcu_head with GFP_NOWAIT, then GFP_ATOMIC",
        who="Rezki",
        when="23 March 2020",
        source="20200323113621.12048-5-urezki@gmail.com",
        in_thread=True,
        in_curve=True,
        kernel="5.8",
        change="one argument, as first posted",
    ),
    NamedRemedy(
        name="A1",
        remedy=A1,
        words="try harder for an rcu_head: the request may sleep",
        who="Rezki",
        when="2 April 2020",
        source="20200402123253.10382-1-urezki@gmail.com",
        in_thread=True,
        in_curve=True,
    ),
    NamedRemedy(
        name="A1-3step",
        remedy=replace(A1, head_alloc="three_step"),
        words="rcu_head with GFP_NOWAIT, GFP_ATOMIC, then GFP_KERNEL",
        who="Rezki",
        when="6 April 2020",
        source="20200406161708.GA3919@pc636",
    ),
    NamedRemedy(
        name="B",
        remedy=pool(RCU_NR_EMERGENCY_OBJS),
        words=f"A1 with a pool of {RCU_NR_EMERGENCY_OBJS} objects, empty at boot",
        who="Rezki",
        when="3 April 2020",
        source="20200403173051.4081-1-urezki@gmail.com",
        in_thread=True,
        in_curve=True,
    ),
    NamedRemedy(
        name="C-A0",
        remedy=replace(A0, cache_at_boot=1),
        words="A0 with one page per channel preallocated",
        who="Fernandes",
        when="4 April 2020",
        source="20200404195129.GA83565@google.com",
        in_thread=True,
    ),
    NamedRemedy(
        name="C-A1",
        remedy=replace(A1, cache_at_boot=1),
        words="A1 with one page per channel preallocated",
        who="Fernandes",
        when="4 April 2020",
        source="20200404195129.GA83565@google.com",
        in_thread=True,
        in_curve=True,
    ),
    NamedRemedy(
        name="D2-A1",
        remedy=pages(2),
        words="A1 with 2 pages shared, preallocated",
        who="idea of Fernandes",
        when="4 April 2020",
        source="20200404195129.GA83565@google.com, 20200416103007.GA3925@pc636",
    ),
    NamedRemedy(
        name="D5-A1",
        remedy=pages(5),
        words="A1 with 5 pages shared, preallocated",
        who="idea of Fernandes",
        when="4 April 2020",
        source="20200404195129.GA83565@google.com",
        in_thread=True,
        in_curve=True,
    ),
    NamedRemedy(
        name="E1",
        remedy=replace(
            pages(2), head_alloc="none", page_return="worker", expedited_drain=False, rearm="left"
        ),
        words="no rcu_head, 2 pages shared, preallocated; never drains at once",
        who="Rezki",
        when="2020, in v5.9",
        source="v5.9, torvalds/linux 53c72b590b3a",
        kernel="5.9",
        change="2 cached pages, there at boot",
    ),
)


def _with_kernels(rows: tuple[NamedRemedy, ...]) -> tuple[NamedRemedy, ...]:
    """The rows, of which the last is E1, and those of later kernels, each made of the last one."""
    for kernel in KERNELS:
        row = NamedRemedy(
            name=kernel.name,
            remedy=replace(rows[-1].remedy, **kernel.changes),  # type: ignore[arg-type]
            words=kernel.words,
            who=kernel.who,
            when=kernel.when,
            source=kernel.source,
            kernel=first_version(kernel.name),
            change=kernel.change,
        )
        rows = (*rows, row)
    return rows


TABLE = _with_kernels(_TABLE)
REMEDIES: dict[str, Remedy] = {row.name: row.remedy for row in TABLE}
THREAD = tuple(row.name for row in TABLE if row.in_thread)


@dataclass(frozen=True)
class Reserve:
    """A reserve of any size: how a remedy of that size is made, and what it is, N for the size."""

    make: Callable[[int, Remedy], Remedy]
    words: str


# By the letters around the size in a name: B12f is ("B", "f") of size 12.
RESERVES = {
    ("B", ""): Reserve(pool, "a pool of N objects, empty at boot"),
    ("B", "e"): Reserve(pool, "a pool of N objects, empty at boot"),
    ("B", "f"): Reserve(full_pool, "a pool of N objects, full at boot"),
    ("D", ""): Reserve(pages, "N pages shared, preallocated"),
    ("D", "e"): Reserve(empty_pages, "N pages shared, empty at boot"),
    ("D", "f"): Reserve(pages, "N pages shared, preallocated"),
}

# The fields that make up a reserve: "X-own" takes these from X, all others from your setting.
RESERVE = ("nr_emergency_objs", "emergency_at_boot", "cache_shared", "nr_bkv_objs", "cache_at_boot")

OWN = "own"  # the name of the remedy that the scenario itself has: "your setting"
_ON_OWN = f"-{OWN}"
SIZED = re.compile(r"([BD])(\d{1,6})([ef]?)(?:-(A[01]))?", re.ASCII)


def named(name: str, own: Remedy | None = None) -> Remedy:
    """The remedy of a table row, of a kernel's version, or a sized one; raises KrcsimError.

    6.1 and v6.1 are the row that this kernel has. B12 is a pool of 12 objects and D8-A1 are 8
    shared pages; an f fills it at boot, an e leaves it empty. `own` is the remedy of a scenario:
    with it "own" is that one, and "X-own" has the reserve of X and all else of it.
    """
    refuse(
        not isinstance(name, str),
        "remedy",
        name,
        "the name of a remedy",
        "write for example B12 or D8-A1",
    )

    if own is not None and name == OWN:
        return own
    if own is not None and name.endswith(_ON_OWN):
        reserve = named(name.removesuffix(_ON_OWN))
        return replace(own, **{field: getattr(reserve, field) for field in RESERVE})

    if name in REMEDIES:
        return REMEDIES[name]
    if row := row_of_version(name):
        refuse(
            row not in REMEDIES,
            "remedy",
            name,
            f"a version before {'.'.join(map(str, SINCE[row]))}",
            f"its row {row} is not in the table yet",
        )
        return REMEDIES[row]
    if sized := SIZED.fullmatch(name):
        kind, size, at_boot, base = sized.groups()
        return RESERVES[kind, at_boot].make(int(size), REMEDIES[base or "A1"])

    capitalised = name[:1].upper() + name[1:]
    sizes = [capitalised] if SIZED.fullmatch(capitalised) else []
    hint = did_you_mean(name, [*sizes, *REMEDIES], "write for example B12 or D8-A1")
    raise KrcsimError(
        f"remedy {shown(name)} is not known; allowed: {', '.join(REMEDIES)}, or "
        f"B<objects>, D<pages>-A0, D<pages>-A1, or a kernel's version such as 6.1; {hint}"
    )
