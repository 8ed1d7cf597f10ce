# SPDX-License-Identifier: GPL-2.0-only
"""What each event of the kernel adds to the tally.

A handler takes (tally, process, CPU, seconds, text) and returns what kind of thing the event
shows, or None where its text is not understood.
"""

import re
from collections.abc import Callable

from krcsim.trace import gfp
from krcsim.trace.line import fields_of
from krcsim.trace.tally import (
    Tally,
    add_call_time,
    add_calls,
    add_length,
    add_reclaim,
    add_requests,
    add_run,
    begin,
    window_of,
)

Handler = Callable[[Tally, int, int, float, bytes], str | None]

OTHER = "other"  # an event that says nothing here, but that the recording was on

# The first argument of kvfree_call_rcu(): 0 for single-argument calls, in all versions.
_HEAD = re.compile(rb"(?:\([^()]*\)\s+)?(?:head|arg1|di|rdi|x0)=(?:0x)?([0-9a-fA-F]{1,16})(?:\s|$)")
_HEAD_NAMES = (b"head", b"arg1", b"di", b"rdi", b"x0")
_ADDRESS = re.compile(rb"(?:0x)?([0-9a-fA-F]{1,16})")
_PAGE = re.compile(
    rb"page=(\S+) pfn=(0x[0-9a-f]{1,16}|\d{1,20}|f{16}) order=(\d{1,2}) (?:.*? )?gfp_flags=(\S+)"
)
_NO_PAGE = (b"(null)", b"(nil)")
_NO_FRAME = (b"0x0", b"0")
MOST_POINTERS = 8192  # of a block of 64 KiB


def call(tally: Tally, _pid: int, cpu: int, seconds: float, text: bytes) -> str | None:
    """kvfree_call_rcu() was entered."""
    vmalloc: bool | None = None
    head = _HEAD.match(text)
    if text.count(b"head=") > 1 or text.count(b"vmalloc=") > 1:
        return None
    if head is None or b"vmalloc=" in text:
        fields = fields_of(text)
        given = next((fields[name] for name in _HEAD_NAMES if name in fields), None)
        head = _ADDRESS.fullmatch(given) if given is not None else None
        memory = fields.get(b"vmalloc")
        if (given is not None and head is None) or memory not in (None, b"0", b"1"):
            return None
        vmalloc = None if memory is None else memory == b"1"
    single = not head[1].strip(b"0") if head else None
    add_calls(tally, window_of(seconds), cpu, 1, single, vmalloc)
    if tally.call_times is not None:
        add_call_time(tally, cpu, seconds)
    return "calls"


def page_request(tally: Tally, _pid: int, _cpu: int, seconds: float, text: bytes) -> str | None:
    """kmem:mm_page_alloc; one that failed has no page: 0, (null) or all ones in place of it."""
    found = _PAGE.match(text)
    if found is None:
        return None
    page, pfn, order, flags = found.groups()
    if order.strip(b"0"):
        return OTHER if gfp.class_of(flags) else None

    has_failed = pfn in _NO_FRAME or pfn.endswith(b"f" * 16)
    if not has_failed and (page in _NO_PAGE or not page.removeprefix(b"0x").strip(b"0")):
        return None  # a frame without its page
    kind = add_requests(tally, window_of(seconds), flags, 1, int(has_failed))
    return {gfp.PAGE: "page", gfp.NORETRY: "noretry"}.get(kind, OTHER) if kind else None


def gp_init(tally: Tally, _pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
    """rcu_gp_init(): a grace period may begin; of several the last one did."""
    tally.gp_began = seconds
    return "grace_periods"


def gp_cleanup(tally: Tally, _pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
    """rcu_gp_cleanup(): it has ended."""
    add_run(tally, "grace_periods", seconds)
    if tally.gp_began is not None:
        add_length(tally.grace_periods, seconds - tally.gp_began)
    tally.gp_began = None
    return "grace_periods"


def grace_period(tally: Tally, _pid: int, _cpu: int, seconds: float, text: bytes) -> str | None:
    """rcu:rcu_grace_period, of kernels with RCU_TRACE: flavour, number, what happened."""
    words = text.split()
    if len(words) < 3 or not re.fullmatch(rb"-?\d{1,20}", words[1]):
        return None
    flavour, number, what = words[:3]
    if flavour not in (b"rcu_preempt", b"rcu_sched"):
        return OTHER
    if what == b"start":
        tally.gp_began, tally.gp_number = seconds, number
    elif what == b"end":
        add_run(tally, "grace_periods", seconds)
        if tally.gp_began is not None and tally.gp_number == number:
            add_length(tally.grace_periods, seconds - tally.gp_began)
        tally.gp_began = None
    return "grace_periods"


def wait_begins(tally: Tally, pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
    """synchronize_rcu() was entered."""
    begin(tally.waiting, pid, seconds)
    return "waits"


def wait_ends(tally: Tally, pid: int, _cpu: int, seconds: float, text: bytes) -> str | None:
    """synchronize_rcu() returned; the text of a probe says to whom."""
    if (began := tally.waiting.pop(pid, None)) is not None:
        add_length(tally.waits, seconds - began)
        if text.startswith(b"(kvfree_call_rcu+"):
            tally.counters["own_waits"] += 1
    return "waits"


def inner_wait_begins(tally: Tally, pid: int, cpu: int, seconds: float, text: bytes) -> str | None:
    """__wait_rcu_gp() was entered: by synchronize_rcu(), or where that is inlined in its place."""
    return "waits" if pid in tally.waiting else wait_begins(tally, pid, cpu, seconds, text)


def inner_wait_ends(tally: Tally, pid: int, cpu: int, seconds: float, text: bytes) -> str | None:
    """__wait_rcu_gp() returned; to synchronize_rcu() it was only a part of the wait."""
    if text.startswith(b"(synchronize_rcu"):
        return "waits"
    return wait_ends(tally, pid, cpu, seconds, text)


def sr_normal(tally: Tally, pid: int, cpu: int, seconds: float, text: bytes) -> str | None:
    """rcu:rcu_sr_normal, of kernels with RCU_TRACE from v6.10 on."""
    fields = fields_of(text)
    rhp = fields.get(b"rhp", b"")
    task = int(rhp, 16) if re.fullmatch(rb"0x[0-9a-f]{1,16}", rhp) else pid
    match fields.get(b"event"):
        case b"request":
            return wait_begins(tally, task, cpu, seconds, text)
        case b"complete":
            return wait_ends(tally, task, cpu, seconds, text)
    return None


def reclaim_begins(tally: Tally, pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
    """vmscan:mm_vmscan_direct_reclaim_begin."""
    begin(tally.reclaiming, pid, seconds)
    return "reclaims"


def reclaim_ends(tally: Tally, pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
    """vmscan:mm_vmscan_direct_reclaim_end."""
    began = tally.reclaiming.pop(pid, None)
    if began is not None:
        add_reclaim(tally, began, seconds)
    return "reclaims"


def bulk_free(tally: Tally, _pid: int, _cpu: int, _seconds: float, text: bytes) -> str | None:
    """rcu:rcu_invoke_kfree_bulk_callback: a block of pointers is freed."""
    records = fields_of(text).get(b"nr_records", b"")
    if not re.fullmatch(rb"\d{1,4}", records) or int(records) > MOST_POINTERS:
        return None
    tally.block_pointers[0] += 1
    tally.block_pointers[1] += int(records)
    return "blocks"


def sheaf_returns(tally: Tally, _pid: int, _cpu: int, _seconds: float, text: bytes) -> str | None:
    """__kfree_rcu_sheaf() returned: whether it took the object."""
    fields = fields_of(text)
    value = fields.get(b"ok", fields.get(b"ret", fields.get(b"arg1", b"")))
    if not re.fullmatch(rb"(?:0x)?[0-9a-f]{1,16}", value):
        return None
    tally.sheaf_calls[int(value, 16) & 1] += 1
    return "sheaves"


def _counts(name: str) -> Handler:
    def count(tally: Tally, _pid: int, _cpu: int, seconds: float, _text: bytes) -> str | None:
        tally.counters[name] += 1
        add_run(tally, name, seconds)
        return name

    return count


_ENTERED: dict[str, Handler] = {
    "kvfree_call_rcu": call,
    "kfree_call_rcu": call,  # before v5.9
    "mm_page_alloc": page_request,
    "rcu_gp_init": gp_init,
    "rcu_gp_cleanup": gp_cleanup,
    "rcu_grace_period": grace_period,
    "rcu_sr_normal": sr_normal,
    "synchronize_rcu": wait_begins,
    "__wait_rcu_gp": inner_wait_begins,
    "mm_vmscan_direct_reclaim_begin": reclaim_begins,
    "mm_vmscan_direct_reclaim_end": reclaim_ends,
    "rcu_invoke_kfree_bulk_callback": bulk_free,
    "kfree_rcu_monitor": _counts("monitor"),
    "kfree_rcu_work": _counts("work"),
    "fill_page_cache_func": _counts("refill"),
    "kfree_rcu_shrink_count": _counts("shrinker"),
    "mm_vmscan_kswapd_wake": _counts("kswapd"),
}
_LEFT: dict[str, Handler] = {
    "synchronize_rcu": wait_ends,
    "__wait_rcu_gp": inner_wait_ends,
    "__kfree_rcu_sheaf": sheaf_returns,
}
# How the recipes of docs/recordings.md call their probes: perf and trace-cmd print no function.
_NICKNAMES = {
    "kvf": "kvfree_call_rcu",
    "gps": "rcu_gp_init",
    "gpe": "rcu_gp_cleanup",
    "mon": "kfree_rcu_monitor",
    "wrk": "kfree_rcu_work",
    "fill": "fill_page_cache_func",
    "shc": "kfree_rcu_shrink_count",
}


def _says_nothing(_tally: Tally, _pid: int, _cpu: int, _seconds: float, _text: bytes) -> str | None:
    return OTHER


def _is_damaged(_tally: Tally, _pid: int, _cpu: int, _seconds: float, _text: bytes) -> None:
    return None


def handler_of(function: str, is_return: bool, *, is_damaged: bool = False) -> Handler:
    """What takes an event of this function; `is_damaged`: its probe does not say where it sits."""
    known = _LEFT if is_return else _ENTERED
    found = known.get(_NICKNAMES.get(function, function), _says_nothing)
    return _is_damaged if is_damaged and found is not _says_nothing else found
