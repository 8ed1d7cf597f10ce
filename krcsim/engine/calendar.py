# SPDX-License-Identifier: GPL-2.0-only
"""What comes next: a tournament over the CPUs, a heap of stalled callers, and the event log."""

from __future__ import annotations

import math
from typing import Any

from krcsim.engine.rng import jit
from krcsim.engine.state import (BIN_LO_MS, BINS, WAITS, cpu_at, event_at, krw_at, node_at,
    pending_at, real_at)

FULL = 1  # GLOBAL.error: a buffer is full, run again with a larger one
STOPPED = 2  # GLOBAL.error: asked to give up

@jit
def log(g: Any, at: Any, code: Any, cpu: Any, value: Any) -> None:
    """Append an event to the log if there is one and it has room."""
    if g.log_n < g.log_cap:
        e = event_at(g.p_log, g.log_n)
        e.at = at
        e.code = code
        e.cpu = cpu
        e.value = value
    g.log_n += 1

@jit
def touch(g: Any, i: Any) -> None:
    """CPU i's next event may have changed: recompute it and play the tournament upwards."""
    c = cpu_at(g.p_cpus, i)
    at = min(min(c.monitor_at, c.call_at), min(c.phase_at, c.wk_at))
    for s in range(2 * i, 2 * i + 2):
        k = krw_at(g.p_krw, s)
        if k.state == WAITS and k.ready < at:
            at = k.ready
    j = g.leaves + i
    real_at(g.p_tree, j).x = at
    while j > 1:
        j >>= 1
        real_at(g.p_tree, j).x = min(real_at(g.p_tree, 2 * j).x, real_at(g.p_tree, 2 * j + 1).x)

@jit
def first_cpu(g: Any) -> Any:
    """The lowest CPU whose next event is the earliest."""
    j = 1
    while j < g.leaves:
        j *= 2
        if real_at(g.p_tree, j).x > real_at(g.p_tree, j + 1).x:
            j += 1
    return j - g.leaves

@jit
def pending_new(g: Any) -> Any:
    """The free PENDING slot that the next heap_push() takes, or the one heap_pop() just left."""
    return pending_at(g.p_pending, node_at(g.p_nodes, g.heap_n).slot)

@jit
def heap_push(g: Any, at: Any) -> None:
    """Let the slot of pending_new() come up at `at`."""
    if g.heap_n >= g.heap_cap:
        g.error = FULL
        return
    i = g.heap_n
    g.heap_n += 1
    slot = node_at(g.p_nodes, i).slot
    while i > 0:
        up = node_at(g.p_nodes, (i - 1) >> 1)
        if up.at <= at:
            break
        node = node_at(g.p_nodes, i)
        node.at, node.slot = up.at, up.slot
        i = (i - 1) >> 1
    node = node_at(g.p_nodes, i)
    node.at, node.slot = at, slot

@jit
def heap_pop(g: Any) -> None:
    """Take the earliest entry out; its slot is then that of pending_new()."""
    g.heap_n -= 1
    n = g.heap_n
    last = node_at(g.p_nodes, n)
    at, slot = last.at, last.slot
    top = node_at(g.p_nodes, 0)
    last.at, last.slot = top.at, top.slot
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        down = node_at(g.p_nodes, child)
        if child + 1 < n and node_at(g.p_nodes, child + 1).at < down.at:
            child += 1
            down = node_at(g.p_nodes, child)
        if down.at >= at:
            break
        node = node_at(g.p_nodes, i)
        node.at, node.slot = down.at, down.slot
        i = child
    if n > 0:
        node = node_at(g.p_nodes, i)
        node.at, node.slot = at, slot

@jit
def bin_of(ms: Any) -> Any:
    """The histogram bin of a time in ms."""
    if ms <= BIN_LO_MS:
        return 0
    return min(BINS - 1, int(16.0 * math.log2(ms / BIN_LO_MS)))
