# SPDX-License-Identifier: GPL-2.0-only
"""The kernels since v5.9: what each changed in kfree_rcu(), and which one a version number means.

A row says in which fields of Remedy a kernel differs from the one before it, so that the table
reads like a history; krcsim.model.remedy makes remedies of the rows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from krcsim.base.errors import KrcsimError, shown
from krcsim.model.constants import (
    BLOCK_ENTRIES_WITH_COOKIE,
    BLOCK_ENTRIES_WITH_FULL_COOKIE,
    SHEAF_ENTRIES_6_18,
)

# The kernel in which each row begins; it is in force until the next one begins.
SINCE: dict[str, tuple[int, int]] = {
    "E1": (5, 9),
    "E2": (5, 11),
    "E3": (5, 13),
    "E4": (5, 14),
    "E5": (6, 1),
    "E6": (6, 3),
    "E7": (6, 5),
    "E8": (6, 12),
    "E9": (6, 18),
    "E10": (7, 0),
    "E11": (7, 3),
}
NEWEST = (7, 3)  # the last kernel whose source was read

# From a miss until the worker has filled the cache: an hrtimer of 0, then a worker of high
# priority. [assumed]
REFILL_MS = 0.05


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """What a kernel changed: in a few words, and the fields in which its remedy differs from that
    of the one before.
    """

    name: str
    change: str
    changes: Mapping[str, object] = field(default_factory=dict)
    words: str
    who: str
    when: str
    source: str


# In their order; the first follows E1, which the table of remedies has.
KERNELS: tuple[Kernel, ...] = (
    Kernel(
        name="E2",
        change="5 pages, refilled by a worker only",
        changes=dict(
            double_page=False,
            page_class="cache",
            nr_bkv_objs=5,
            cache_at_boot=0,
            page_return="batch",
            refill="e2",
            refill_ms=REFILL_MS,
        ),
        words="no caller asks for a page: a miss starts a worker that fills a cache of 5 pages",
        who="Rezki",
        when="2020, in v5.11",
        source="v5.11, torvalds/linux 56292e8609e3",
    ),
    Kernel(
        name="E3",
        change="callers ask again, and may reclaim",
        changes=dict(page_class="noretry", refill="e3"),
        words="single-argument callers and the refill worker ask with __GFP_NORETRY",
        who="Rezki",
        when="2021, in v5.13",
        source="v5.13, torvalds/linux 148e3731d124, 3e7ce7a187fc, ee6ddf58475c",
    ),
    Kernel(
        name="E4",
        change="refills back off after reclaim",
        changes=dict(rearm="rest", refill_backoff_ms=5000.0),
        words="after a reclaim pass a refill waits for 5 s and asks for one page",
        who="Zhang and Rezki",
        when="2021, in v5.14",
        source="v5.14, 20210415172000.15086-2-urezki@gmail.com",
    ),
    Kernel(
        name="E5",
        change="drain after 5 s, or of a full block",
        changes=dict(drain_ms=5000.0, drain_full=True, attach_to_pending=False, refill="e5"),
        words="drains after 5 s, or within two ticks once a block is full; the first page "
        "that fails ends a refill",
        who="Rezki and Hocko",
        when="2022, in v6.1",
        source="v6.1, torvalds/linux 51824b780b71, 093590c16b44; v6.1.y 5da7cb193db3",
    ),
    Kernel(
        name="E6",
        change="the monitor frees ready blocks",
        changes=dict(ready_blocks=True, block_entries=BLOCK_ENTRIES_WITH_COOKIE),
        words="blocks have cookies: the monitor frees itself what a grace period has passed for",
        who="Rezki",
        when="2022, in v6.3",
        source="v6.3, torvalds/linux 27538e18b62f, cc37d52076a9, 4c33464ae85e, 2ca836b1da17",
    ),
    Kernel(
        name="E7",
        change="a refill asks for what is missing",
        changes=dict(block_entries=BLOCK_ENTRIES_WITH_FULL_COOKIE, refill="e7"),
        words="a cookie holds an expedited grace period, too; a refill counts the pages that "
        "are there",
        who="McKenney and Qiang",
        when="2023, in v6.5",
        source="v6.5, 20230510170242.2187714-2-paulmck@kernel.org, torvalds/linux 60888b77a06e",
    ),
    Kernel(
        name="E8",
        change="works are bound to no CPU",
        changes=dict(),
        words="works are bound to no CPU (machine.nocb_share says where they run)",
        who="Long",
        when="2024, in v6.12",
        source="v6.12, kernel/rcu/tree.c (Use system_unbound_wq ...); 6.12.y dfd3df31c9db",
    ),
    Kernel(
        name="E9",
        change="sheaves for two caches",
        changes=dict(
            sheaves=True, sheaf_entries=SHEAF_ENTRIES_6_18, sheaf_caches="opted_in", wake="gp"
        ),
        words="a sheaf of 32 pointers comes first, for two caches; the grace-period kthread wakes "
        "who waits",
        who="Babka",
        when="2025, in v6.18",
        source="v6.18, torvalds/linux ec66e0d59952",
    ),
    Kernel(
        name="E10",
        change="sheaves for nearly all caches",
        changes=dict(sheaf_entries=0, sheaf_caches="all", own_cpu=True),
        words="nearly all caches have sheaves, of 60 pointers for small objects",
        who="Babka",
        when="2026, in v7.0",
        source="v7.0, torvalds/linux 815c8e35511d; mm/slub.c and kernel/rcu/tree.c of 7.2.13",
    ),
    Kernel(
        name="E11",
        change="a head of one word",
        words="as v7.0 here: a head of one word, and calls from any context",
        who="slab maintainers",
        when="2026, in v7.3",
        source="v7.3, torvalds/linux acc6fdade62c, 3bc999d944b3, 648294a02bfc",
    ),
)

VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,4})?", re.ASCII)


def row_of_version(name: str) -> str:
    """The row in force in a kernel, by its version: "6.1", "v6.6" or "6.1.176"; "" for a name that
    is not a version.

    Raises KrcsimError for kernels before v5.9 or after the newest that is known.
    """
    found = VERSION.fullmatch(name)
    if not found:
        return ""

    version = (int(found[1]), int(found[2]))
    oldest = SINCE["E1"]
    if not oldest <= version <= NEWEST:
        raise KrcsimError(
            f"remedy {shown(name)} is a kernel that the table of remedies does not know; allowed: "
            f"versions from {_text(oldest)} to {_text(NEWEST)}; {_why_unknown(version)}"
        )
    return max((since, row) for row, since in SINCE.items() if since <= version)[1]


def first_version(row: str) -> str:
    """The version in which a row begins: 6.1."""
    return _text(SINCE[row])


def _why_unknown(version: tuple[int, int]) -> str:
    if version > NEWEST:
        return f"take {_text(NEWEST)}, the newest whose source was read"
    return "before v5.9 kfree_rcu() had no single-argument form: take A0 for the patches of 2020"


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
