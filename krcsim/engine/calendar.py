# SPDX-License-Identifier: GPL-2.0-only
"""What comes next: a tournament over the CPUs, a heap of stalled callers, and the event log."""

import math
from typing import Any

from krcsim.engine.random_streams import compile_module
from krcsim.engine.records import (
    BIN_LO_MS,
    BINS,
    cpu_at,
    event_at,
    held_at,
    krw_at,
    node_at,
    real_at,
)

FULL, STOPPED = (
    1,
    2,
)  # GLOBAL.error: a buffer is full, run again with a larger one; asked to give up


def log(g: Any, at: Any, code: Any, cpu: Any, value: Any) -> None:
    """Append an event to the log if there is one and it has room."""
    if g.log_n < g.log_cap:
        e = event_at(g.p_log, g.log_n)
        e.at, e.code, e.cpu, e.value = at, code, cpu, value
        if cpu >= 0:
            c = cpu_at(g.p_cpus, cpu)
            e.nr_emergency, e.room = c.nr_emergency, c.room[0] + c.room[1]
            e.cached = c.cache[0] + g.own_cache * c.cache[1]
            e.queued, e.listed = c.ptr[0] + c.ptr[1] + c.ptr[2], c.ptr[2]
    g.log_n += 1


def touch(g: Any, i: Any) -> None:
    """CPU i's next event may have changed: recompute it and play the tournament upwards."""
    c, tree = cpu_at(g.p_cpus, i), g.p_tree
    j = g.leaves + i
    first = min(
        c.monitor_at,
        c.call_at,
        c.phase_at,
        c.wk_at,
        krw_at(g.p_krw, 2 * i).ready_at,
        krw_at(g.p_krw, 2 * i + 1).ready_at,
    )
    real_at(tree, j).x = first
    while j > 1:
        first = min(first, real_at(tree, j ^ 1).x)
        j >>= 1
        real_at(tree, j).x = first


def first_cpu(g: Any) -> Any:
    """The lowest CPU whose next event is the earliest."""
    j = 1
    while j < g.leaves:
        j = 2 * j + int(real_at(g.p_tree, 2 * j).x > real_at(g.p_tree, 2 * j + 1).x)
    return j - g.leaves


def pending_new(g: Any) -> Any:
    """The free HELD slot that the next heap_push() takes, or the one heap_pop() just left."""
    return held_at(g.p_pending, node_at(g.p_nodes, g.heap_n).slot)


def heap_push(g: Any, at: Any) -> None:
    """Let the slot of pending_new() come up at `at`."""
    if g.heap_n >= g.heap_cap:
        g.error = FULL
        return
    i, g.heap_n = g.heap_n, g.heap_n + 1
    node = node_at(g.p_nodes, i)
    slot = node.slot
    while i > 0 and node_at(g.p_nodes, (i - 1) >> 1).at > at:
        i = (i - 1) >> 1
        up = node_at(g.p_nodes, i)
        node.at, node.slot = up.at, up.slot
        node = up
    node.at, node.slot = at, slot


def heap_pop(g: Any) -> None:
    """Take the earliest entry out; its slot is then that of pending_new()."""
    g.heap_n = n = g.heap_n - 1
    node, last = node_at(g.p_nodes, 0), node_at(g.p_nodes, n)
    at, slot = last.at, last.slot
    last.at, last.slot = node.at, node.slot
    child = 1
    while child < n:
        if child + 1 < n and node_at(g.p_nodes, child + 1).at < node_at(g.p_nodes, child).at:
            child += 1
        down = node_at(g.p_nodes, child)
        if down.at >= at:
            break
        node.at, node.slot = down.at, down.slot
        child, node = 2 * child + 1, down
    node.at, node.slot = at, slot


def bin_of(ms: Any) -> Any:
    """The histogram bin of a time in ms."""
    return 0 if ms <= BIN_LO_MS else min(BINS - 1, int(16.0 * math.log2(ms / BIN_LO_MS)))


compile_module()
