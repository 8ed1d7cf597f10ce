# SPDX-License-Identifier: GPL-2.0-only
"""kvfree_call_rcu(), its monitor and its work as transitions of one CPU's record.

Each function mirrors a section of docs/model.md; switches and capacities come from the GLOBAL
record, so that a remedy is data. The caller has settled the CPU: no dull call is outstanding.
"""

from __future__ import annotations

import math
from typing import Any

from krcsim.engine.calendar import heap_push, log, pending_new
from krcsim.engine.grace import request, wait
from krcsim.engine.rng import INF, jit, normal, uniform
from krcsim.engine.state import (CODE, HEAD_STALL, IDLE, NO, ONE, PAGE_STALL, QUEUED, SLAB, VMALLOC,
    WAITS, YES, cpu_at, krw_at, out_at)

NONE, ATOMIC, TRYHARD, THREE_STEP = 0, 1, 2, 3  # GLOBAL.head_alloc, as in remedy.HEAD_ALLOC

_FROM_CACHE = CODE["page from cache"]
_ALLOCATED = CODE["page allocated"]
_FAILED = CODE["page failed"]
_HEAD = CODE["rcu_head allocated"]
_POOL = CODE["rcu_head from pool"]
_OWN = CODE["own head listed"]
_STALL = CODE["reclaim stall"]
_ARMED = CODE["monitor armed"]
_EARLY = CODE["drained early"]
_BATCH = CODE["batch queued"]
_JOINED = CODE["joined a pending batch"]
_REARMED = CODE["monitor re-armed"]
_STARTS = CODE["work starts"]
_TOO_SOON = CODE["freed before its grace period"]
_KEPT = CODE["page to cache"]
_GIVEN = CODE["page freed"]
_REFILL = CODE["wrapper to pool"]
_ENDS = CODE["work ends"]

@jit
def timer(t: Any, delay: Any) -> Any:
    """The tick at which a timer set at t for `delay` jiffies expires: the wheel rounds up."""
    shift = 0
    while shift < 24 and delay >= 63 << shift:
        shift += 3
    return float((((int(math.floor(t)) + delay) >> shift) + 1) << shift)

@jit
def cached(g: Any, c: Any, ch: Any) -> Any:
    """Pages in the cache that channel ch draws from."""
    return c.cache0 if g.shared or ch == 0 else c.cache1

@jit
def cache_add(g: Any, c: Any, ch: Any, n: Any) -> None:
    """Change the number of cached pages of channel ch by n."""
    if g.shared or ch == 0:
        c.cache0 += n
    else:
        c.cache1 += n

@jit
def head_trouble(g: Any) -> Any:
    """P(a single-argument call does not get an rcu_head at once), in force now."""
    if g.head_alloc == NONE:
        return 1.0
    return g.fh if g.head_alloc == TRYHARD else g.fs

@jit
def new_block(c: Any, ch: Any, entries: Any) -> None:
    """A page becomes the head block of channel ch and takes its first pointer."""
    if ch == 0:
        c.room0 = entries - 1
        c.ptr0 += 1
        c.blk0 += 1
    else:
        c.room1 = entries - 1
        c.ptr1 += 1
        c.blk1 += 1

@jit
def append(c: Any, ch: Any) -> None:
    """The head block of channel ch takes a pointer."""
    if ch == 0:
        c.room0 -= 1
        c.ptr0 += 1
    else:
        c.room1 -= 1
        c.ptr1 += 1

@jit
def queued(g: Any, c: Any, i: Any, t: Any, listed: Any, win: Any) -> None:
    """An object of a call made in window win was queued at t: count it, arm the monitor."""
    if listed:
        out_at(g.p_out, win).list_pushes += 1
    if g.late:  # a stall outlasted the run: nobody will drain this one
        return
    out = out_at(g.p_out, g.win)
    g.deferred += 1
    out.queued += 1
    out.area -= t
    if not c.monitor_todo:
        c.monitor_todo = 1
        if listed and g.expedite:
            log(g, t, _EARLY, i, 0.0)
            monitor(g, c, i, t)
        else:
            c.monitor_at = timer(t, g.drain)
            log(g, t, _ARMED, i, c.monitor_at)

@jit
def push_wrapper(g: Any, c: Any, i: Any, t: Any, code: Any, win: Any) -> None:
    """A wrapper goes on the list."""
    c.head += 1
    c.wrap += 1
    log(g, t, code, i, float(c.nr_emergency))
    queued(g, c, i, t, YES, win)

@jit
def after_head(g: Any, c: Any, i: Any, t: Any, got: Any, e: Any) -> Any:
    """Steps 5's end, 6 and 7 of a call: True if the caller now waits."""
    if got:
        push_wrapper(g, c, i, t, _HEAD, e.win)
        return False
    if c.nr_emergency > 0:
        c.nr_emergency -= 1
        out_at(g.p_out, e.win).pool_hits += 1
        push_wrapper(g, c, i, t, _POOL, e.win)
        return False
    wait(g, t, i, e.prod, e.call, e.win, e.spell)
    return True

@jit
def stall(g: Any, c: Any, i: Any, t: Any, e: Any, what: Any) -> Any:
    """The call stalls in reclaim: its rest waits in the heap. False if the stall has no length."""
    out = out_at(g.p_out, e.win)
    out.stalls += 1
    if g.stall_median <= 0.0:
        return False
    ticks = g.stall_median * math.exp(g.stall_sigma * normal(c.stalls))
    out.stall_ms += ticks * g.tick_ms
    log(g, t, _STALL, i, ticks * g.tick_ms)
    e.what = what
    heap_push(g, t + ticks)
    return True

@jit
def head_request(g: Any, c: Any, i: Any, t: Any, e: Any) -> Any:
    """Step 5 at t for the call in `e`; True if the caller is now held up."""
    if g.head_alloc == NONE:
        return after_head(g, c, i, t, NO, e)
    if g.head_alloc == ATOMIC:
        return after_head(g, c, i, t, e.u_head >= e.fh, e)
    if e.u_head >= e.fh:
        return after_head(g, c, i, t, YES, e)
    if stall(g, c, i, t, e, HEAD_STALL):
        return True
    return after_head(g, c, i, t, e.u_head >= e.ff, e)

@jit
def call(g: Any, c: Any, i: Any, t: Any, ch: Any, single: Any, u_page: Any, u_head: Any,
        prod: Any) -> Any:
    """kvfree_call_rcu() at t; True if the caller is now held up (waits or stalls)."""
    out = out_at(g.p_out, g.win)
    if single:
        out.single += 1
        out.single_spell += g.spell
    else:
        out.double += 1
    bulk = False
    asked = False
    if g.array_path:
        if (c.room0 if ch == 0 else c.room1) > 0:
            append(c, ch)
            bulk = True
        elif cached(g, c, ch) > 0:
            cache_add(g, c, ch, -ONE)
            out.cache_hits += 1
            log(g, t, _FROM_CACHE, i, float(cached(g, c, ch)))
            new_block(c, ch, g.block)
            bulk = True
        elif u_page >= g.fp:
            out.page_ok += 1
            log(g, t, _ALLOCATED, i, 0.0)
            new_block(c, ch, g.block)
            bulk = True
        else:
            asked = True
            if not single or not g.noretry:
                out.page_fail += 1
                log(g, t, _FAILED, i, 0.0)
    if bulk or not single:
        if not bulk:
            c.head += 1
            log(g, t, _OWN, i, 0.0)
        queued(g, c, i, t, not bulk, g.win)
        return False
    e = pending_new(g)
    e.cpu, e.prod, e.win, e.call, e.ch, e.u_head = i, prod, g.win, t, ch, u_head
    e.spell = g.spell_id if g.spell else 0
    # Probabilities of the moment of the call: when it stalls (fh), when it fails at last (ff).
    e.fh = head_trouble(g)
    e.ff = g.ff
    if asked and g.noretry:
        e.fails = u_page < g.fn
        if stall(g, c, i, t, e, PAGE_STALL):
            return True
        return page_result(g, c, i, t, e)
    return head_request(g, c, i, t, e)

@jit
def page_result(g: Any, c: Any, i: Any, t: Any, e: Any) -> Any:
    """The sleepable page request of the call in `e` is answered at t; True if held up further."""
    if e.fails:
        out_at(g.p_out, e.win).page_fail += 1
        log(g, t, _FAILED, i, 0.0)
        return head_request(g, c, i, t, e)
    out_at(g.p_out, e.win).page_ok += 1
    log(g, t, _ALLOCATED, i, 0.0)
    new_block(c, e.ch, g.block)
    queued(g, c, i, t, NO, e.win)
    return False

@jit
def monitor(g: Any, c: Any, i: Any, t: Any) -> None:
    """kfree_rcu_monitor() and the drain, at t."""
    out = out_at(g.p_out, g.win)
    c.monitor_todo = 0
    c.monitor_at = INF
    any_queued = False
    for s in range(2 * i, 2 * i + 2):
        k = krw_at(g.p_krw, s)
        if g.attach:
            take = ((c.ptr0 > 0 and k.ptr0 == 0) or (c.ptr1 > 0 and k.ptr1 == 0)
                or (c.head > 0 and k.head == 0))
        else:
            take = c.ptr0 + c.ptr1 + c.head > 0 and k.ptr0 + k.ptr1 + k.head == 0
        if not take:
            continue
        any_queued = True
        need = request(g, t)
        if k.state == IDLE:
            k.state = WAITS
            k.need = need
            k.ready = INF
            log(g, t, _BATCH, i, float(c.ptr0 + c.ptr1 + c.head))
        else:
            log(g, t, _JOINED, i, float(c.ptr0 + c.ptr1 + c.head))
        if c.ptr0 > 0 and k.ptr0 == 0:
            k.ptr0, k.blk0, k.need0 = c.ptr0, c.blk0, need
            c.ptr0 = c.blk0 = c.room0 = 0
        if c.ptr1 > 0 and k.ptr1 == 0:
            k.ptr1, k.blk1, k.need1 = c.ptr1, c.blk1, need
            c.ptr1 = c.blk1 = c.room1 = 0
        if c.head > 0 and k.head == 0:
            k.head, k.wrap, k.need2 = c.head, c.wrap, need
            c.head = c.wrap = 0
    out.drains += any_queued
    left = c.ptr0 + c.ptr1 + c.head > 0
    if left if g.rearm_left else not any_queued:
        c.monitor_todo = 1
        c.monitor_at = timer(t, g.drain)
        out.rearms += 1
        log(g, t, _REARMED, i, c.monitor_at)

@jit
def released(g: Any, t: Any, n: Any) -> None:
    """n deferred objects are freed at t."""
    out = out_at(g.p_out, g.win)
    out.peak = max(out.peak, g.deferred)
    g.deferred -= n
    out.freed += n
    out.area += n * t

@jit
def page_back(g: Any, x: Any, t: Any, ch: Any) -> None:
    """A page of the work on CPU x comes back at t, to a cache or to the allocator."""
    out = out_at(g.p_out, g.win)
    to = x if g.to_worker else cpu_at(g.p_cpus, x).wk_owner
    c = cpu_at(g.p_cpus, to)
    if cached(g, c, ch) < g.cache_cap:
        cache_add(g, c, ch, ONE)
        out.pages_returned += 1
        log(g, t, _KEPT, to, float(cached(g, c, ch)))
    else:
        out.pages_freed += 1
        log(g, t, _GIVEN, to, 0.0)

@jit
def work_ready(g: Any, s: Any) -> Any:
    """Batch s's callback was invoked: choose its CPU; returns it (its work may have to queue)."""
    k = krw_at(g.p_krw, s)
    k.state = QUEUED
    k.cpu = s >> 1
    if g.nocb > 0.0 and uniform(g.r_foreign) < g.nocb:
        x = int(uniform(g.r_foreign) * (g.cpus - 1))
        k.cpu = x + (x >= k.cpu)
    return k.cpu

@jit
def next_work(g: Any, x: Any) -> Any:
    """The batch whose work CPU x runs next: readiest first; -1 if none."""
    lo, hi = (0, 2 * g.cpus) if g.nocb > 0.0 else (2 * x, 2 * x + 2)
    best = -1
    for s in range(lo, hi):
        k = krw_at(g.p_krw, s)
        if k.state == QUEUED and k.cpu == x and (best < 0 or k.ready < krw_at(g.p_krw, best).ready):
            best = s
    return best

@jit
def work_start(g: Any, x: Any, s: Any, t: Any) -> None:
    """kfree_rcu_work() of batch s starts on CPU x: takes its channels, frees the batch."""
    c = cpu_at(g.p_cpus, x)
    k = krw_at(g.p_krw, s)
    early = 0
    if k.ptr0 > 0 and k.need0 > g.done:
        early += k.ptr0
    if k.ptr1 > 0 and k.need1 > g.done:
        early += k.ptr1
    if k.head > 0 and k.need2 > g.done:
        early += k.head
    log(g, t, _STARTS, s >> 1, float(k.ptr0 + k.ptr1 + k.head))
    if early > 0:
        out_at(g.p_out, g.win).early_frees += early
        log(g, t, _TOO_SOON, s >> 1, float(early))
    c.wk, c.wk_owner, c.wk_stage = 1, s >> 1, 0
    c.wk_ptr0, c.wk_ptr1, c.wk_blk0, c.wk_blk1 = k.ptr0, k.ptr1, k.blk0, k.blk1
    c.wk_head, c.wk_wrap = k.head, k.wrap
    k.ptr0 = k.ptr1 = k.blk0 = k.blk1 = k.head = k.wrap = 0
    k.state = IDLE
    k.ready = INF
    work_next(g, c, t)

@jit
def work_next(g: Any, c: Any, t: Any) -> None:
    """Set the size and end of the work's next step: a block, newest first, or the whole list."""
    if c.wk_blk0 > 0:
        c.wk_stage = 0
        c.wk_size = c.wk_ptr0 - (c.wk_blk0 - 1) * g.block
        if c.wk_size < 1:  # blocks left half empty by a sleepable page request
            c.wk_size = (c.wk_ptr0 + c.wk_blk0 - 1) // c.wk_blk0
    elif c.wk_blk1 > 0:
        c.wk_stage = 1
        c.wk_size = c.wk_ptr1 - (c.wk_blk1 - 1) * g.block
        if c.wk_size < 1:
            c.wk_size = (c.wk_ptr1 + c.wk_blk1 - 1) // c.wk_blk1
    else:
        c.wk_stage = 2
        c.wk_size = c.wk_head
    c.wk_at = t + c.wk_size * g.free_cost

@jit
def work_step(g: Any, x: Any, t: Any) -> Any:
    """The work's step on CPU x ends at t; True if the whole work is done."""
    c = cpu_at(g.p_cpus, x)
    n = c.wk_size
    if n > 0:
        released(g, t, n)
    if c.wk_stage == 0:
        c.wk_ptr0 -= n
        c.wk_blk0 -= 1
        page_back(g, x, t, SLAB)
    elif c.wk_stage == 1:
        c.wk_ptr1 -= n
        c.wk_blk1 -= 1
        page_back(g, x, t, VMALLOC)
    else:
        c.wk_head = 0
        kept = max(0, min(c.wk_wrap, g.pool_cap - c.nr_emergency))
        if kept > 0:
            c.nr_emergency += kept
            out_at(g.p_out, g.win).pool_returned += kept
            log(g, t, _REFILL, x, float(kept))
        c.wk_wrap = 0
    if c.wk_blk0 > 0 or c.wk_blk1 > 0 or c.wk_head > 0:
        work_next(g, c, t)
        return False
    c.wk = 0
    c.wk_at = INF
    log(g, t, _ENDS, c.wk_owner, 0.0)
    return True
