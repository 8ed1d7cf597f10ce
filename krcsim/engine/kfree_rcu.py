# SPDX-License-Identifier: GPL-2.0-only
"""kvfree_call_rcu(), its monitor and its work, as in docs/model.md; the caller has settled the
CPU's dull calls.
"""

import math
from typing import Any

from krcsim.engine import page_memory
from krcsim.engine.calendar import heap_push, log, pending_new
from krcsim.engine.grace_periods import needed, read_on, request, wait
from krcsim.engine.random_streams import INF, compile_module, normal, part
from krcsim.engine.records import (
    ARMED,
    BATCH,
    EARLY,
    FROM_CACHE,
    FROM_POOL,
    HEAD_OK,
    HEAD_STALL,
    IDLE,
    JOINED,
    LIST,
    NO_STALL,
    OWN_HEAD,
    PAGE_FAILED,
    PAGE_FREED,
    PAGE_OK,
    PAGE_STALL,
    QUEUED,
    REARMED,
    SLAB,
    STALLS,
    TO_CACHE,
    TO_POOL,
    TOO_SOON,
    VMALLOC,
    WAITS,
    WORK_ENDS,
    WORK_STARTS,
    cpu_at,
    krw_at,
    out_at,
)

NONE, ATOMIC, TRYHARD, THREE_STEP = 0, 1, 2, 3  # GLOBAL.head_alloc, as in remedy.HEAD_ALLOC


def arm(g: Any, c: Any, i: Any, t: Any, code: Any) -> None:
    """The monitor's timer is set at t: the timer wheel rounds up its jiffies."""
    shift = 0
    while shift < 24 and g.drain >= 63 << shift:
        shift += 3
    c.monitor_at = float((((int(math.floor(t)) + g.drain) >> shift) + 1) << shift)
    log(g, t, code, i, c.monitor_at)


def page_answer(g: Any, c: Any, i: Any, t: Any, ch: Any, win: Any, success: Any) -> None:
    """A page request of a call made in window win ends at t: a new head block for channel ch?"""
    out = out_at(g.p_out, win)
    out.page_ok += success
    out.page_fail += not success
    log(g, t, PAGE_OK if success else PAGE_FAILED, i, 0.0)
    if success:
        c.room[ch], c.blk[ch] = g.block, c.blk[ch] + 1


def queued(g: Any, c: Any, i: Any, t: Any, ch: Any, win: Any) -> None:
    """An object of a call made in window win joins channel ch at t: count it, arm the monitor."""
    c.ptr[ch] += 1
    if ch == LIST:
        out_at(g.p_out, win).list_pushes += 1
    else:
        c.room[ch] -= 1
    if g.late:  # a stall outlasted the run: nobody will drain this one
        return
    out = out_at(g.p_out, g.win)
    g.deferred += 1
    page_memory.objects(g, 1)
    out.queued += 1
    out.area -= t
    if c.monitor_at == INF:
        if ch == LIST and g.expedite:
            log(g, t, EARLY, i, 0.0)
            monitor(g, c, i, t)
        else:
            arm(g, c, i, t, ARMED)


def stall(g: Any, c: Any, i: Any, t: Any, e: Any, what: Any) -> Any:
    """The call stalls in reclaim: its rest waits in the heap. False if the stall has no length."""
    out, e.what = out_at(g.p_out, e.win), what
    out.stalls += 1
    median = page_memory.stall_ticks(g, c, t, what) if g.pages else g.stall_median
    if median > 0.0:
        ticks = median * math.exp(g.stall_sigma * normal(c.stalls))
        out.stall_ms += ticks * g.tick_ms
        log(g, t, STALLS, i, ticks * g.tick_ms)
        heap_push(g, t + ticks)
    return median > 0.0


@part
def call(
    g: Any, c: Any, i: Any, t: Any, ch: Any, single: Any, u_page: Any, u_head: Any, prod: Any
) -> Any:
    """kvfree_call_rcu() at t; True if the caller is now held up (waits or stalls)."""
    out = out_at(g.p_out, g.win)
    out.single += single
    out.single_episode += single * g.episode
    out.double += not single
    out.double_episode += (not single) * g.episode
    bulk = c.room[ch] > 0
    if g.array_path and not bulk:
        cache = ch * g.own_cache
        if g.pages and c.cache[cache] == 0:
            u_page = 1.0 * page_memory.take(g, c, t, g.nowait)
        if c.cache[cache] > 0:
            c.cache[cache] -= 1
            out.cache_hits += 1
            log(g, t, FROM_CACHE, i, float(c.cache[cache]))
            c.room[ch], c.blk[ch] = g.block, c.blk[ch] + 1
            bulk = True
        elif u_page >= g.fp or not (single and g.noretry):
            bulk = u_page >= g.fp
            page_answer(g, c, i, t, ch, g.win, bulk)
            if g.refill:
                page_memory.refill(g, c, t)
    if bulk or not single:
        if not bulk:
            log(g, t, OWN_HEAD, i, 0.0)
        queued(g, c, i, t, ch if bulk else LIST, g.win)
        return False
    e = pending_new(g)
    e.cpu, e.prod, e.win, e.call, e.ch, e.u_head = i, prod, g.win, t, ch, u_head
    e.episode, e.episode_win, e.episode_waited = (
        g.episode_id * g.episode,
        g.episode_win,
        g.episode_waited,
    )
    # Probabilities of the moment of the call: when it stalls (fh), when it fails at last (ff).
    e.what, e.fh, e.ff, e.fails = NO_STALL, g.fh, g.ff, u_page < g.fn
    c.doomed += u_head < no_head(g) and (e.fails or not g.noretry)
    return (g.noretry and stall(g, c, i, t, e, PAGE_STALL)) or go_on(g, c, i, t, e)


def no_head(g: Any) -> Any:
    """P(a single-argument call without a page gets no rcu_head, at once or after reclaim)."""
    return min(g.fh, g.ff) if g.head_alloc >= TRYHARD else g.fh


def go_on(g: Any, c: Any, i: Any, t: Any, e: Any) -> Any:
    """The call in `e` goes on at t, after the stall e.what; True if its caller is now held up."""
    if g.pages and e.what != NO_STALL:
        page_memory.reclaim(g, t, e.what)
    if e.what == PAGE_STALL:
        if g.pages:
            e.fails = not page_memory.take(g, c, t, g.nowait)
        page_answer(g, c, i, t, e.ch, e.win, not e.fails)
        if g.refill:
            page_memory.refill(g, c, t)
        if not e.fails:
            queued(g, c, i, t, e.ch, e.win)
            return False
    if g.pages:
        e.u_head = 1.0 * page_memory.head(g, c, t, e.what)
    got = e.u_head >= (e.ff if e.what == HEAD_STALL else e.fh)
    if not got and e.what != HEAD_STALL and g.head_alloc >= TRYHARD:  # these may sleep
        if stall(g, c, i, t, e, HEAD_STALL):
            return True
        if g.pages:
            page_memory.reclaim(g, t, HEAD_STALL)
            e.u_head = 1.0 * page_memory.head(g, c, t, HEAD_STALL)
        got = e.u_head >= e.ff
    if not got:
        c.doomed -= 1
        if c.nr_emergency == 0:
            wait(g, t, e)
            return True
        c.nr_emergency -= 1
        out_at(g.p_out, e.win).pool_hits += 1
    c.blk[LIST], g.wrapped = c.blk[LIST] + 1, got
    log(g, t, HEAD_OK if got else FROM_POOL, i, float(c.nr_emergency))
    queued(g, c, i, t, LIST, e.win)
    return False


def monitor(g: Any, c: Any, i: Any, t: Any) -> None:
    """kfree_rcu_monitor() and the drain, at t."""
    out = out_at(g.p_out, g.win)
    c.monitor_at, any_queued, left = INF, False, False
    for s in range(2 * i, 2 * i + 2):
        k = krw_at(g.p_krw, s)
        take = False
        for ch in range(3):
            take |= c.ptr[ch] > 0 and k.ptr[ch] == 0
        if take and (g.attach or k.ptr.sum() == 0):
            any_queued = True
            need = needed(g)
            log(g, t, BATCH if k.state == IDLE else JOINED, i, float(c.ptr.sum()))
            if (
                k.state == IDLE
                # a batch that is pending already asks for nothing: queue_rcu_work() does nothing
                # then
            ):
                k.state, k.need, k.asked = WAITS, request(g, t), t
            for ch in range(3):
                if c.ptr[ch] > 0 and k.ptr[ch] == 0:
                    k.ptr[ch], k.blk[ch], k.needs[ch] = c.ptr[ch], c.blk[ch], need
                    c.ptr[ch] = c.blk[ch] = c.room[ch] = 0
        left |= (
            c.ptr.sum() > 0
        )  # asked after each batch: the first being busy is enough, as in v5.9
    out.drains += any_queued
    if left if g.rearm_left else not any_queued:
        out.rearms += 1
        arm(g, c, i, t, REARMED)


def queue_of(g: Any, x: Any) -> Any:
    """The range of the batches among which are all whose work is queued on CPU x."""
    return range(2 * g.cpus) if g.nocb > 0.0 else range(2 * x, 2 * x + 2)


def work_cost(g: Any, c: Any, size: Any, wrappers: Any) -> Any:
    """The CPU time of freeing objects on CPU c, and of those wrappers that its pool has no place
    for.
    """
    return size * g.free_cost + max(0, wrappers - (g.pool_cap - c.nr_emergency)) * g.list_free_cost


@part
def work_next(g: Any, x: Any, t: Any) -> None:
    """kfree_rcu_work() goes on at t on CPU x: its next step, else that of the readiest work."""
    c = cpu_at(g.p_cpus, x)
    if not (c.wk or work_start(g, c, x, t)):
        return
    # A block, the newest first, or the list: where it holds the CPU, up to the next tick.
    ch = SLAB if c.wk_ptr[SLAB] > 0 else VMALLOC if c.wk_ptr[VMALLOC] > 0 else LIST
    size, blocks = c.wk_ptr[ch], c.wk_blk[ch]
    if ch != LIST:
        newest = (
            size - (blocks - 1) * g.block
        )  # below 1 if a sleepable page request left blocks half empty
        size = newest if newest > 0 else (size + blocks - 1) // blocks
    elif g.bursty and g.free_cost > 0.0:  # it may be preempted after any entry
        size, blocks = by_the_tick(g, c, t, size, blocks)
    c.wk_stage, c.wk_size, c.wk_wrappers = ch, size, blocks if ch == LIST else 0
    c.wk_at = t + work_cost(g, c, size, c.wk_wrappers)


def by_the_tick(g: Any, c: Any, t: Any, size: Any, wrappers: Any) -> Any:
    """How many entries of a list, and how many wrappers among them, the work has freed when it has
    seen the next tick.

    Wrappers and heads of double-argument calls lie on it in even measure; the pool keeps the first
    wrappers.
    """
    left, share, room = (
        math.floor(t) + 1.0 - t,
        wrappers / size,
        max(0, g.pool_cap - c.nr_emergency),
    )
    n = left / g.free_cost
    if n * share > room:
        n = (left + room * g.list_free_cost) / (g.free_cost + share * g.list_free_cost)
    n = 1 + int(n)
    return (n, int(round(n * share))) if n < size else (size, wrappers)


def work_start(g: Any, c: Any, x: Any, t: Any) -> Any:
    """The readiest work of CPU x takes its batch's channels at t; False if there is none."""
    s = -1
    for b in queue_of(g, x):
        k = krw_at(g.p_krw, b)
        if k.state == QUEUED and k.cpu == x and (s < 0 or k.since < krw_at(g.p_krw, s).since):
            s = b
    if s < 0:
        return False
    k = krw_at(g.p_krw, s)
    log(g, t, WORK_STARTS, s >> 1, float(k.ptr.sum()))
    early = 0
    for ch in range(3):
        early += k.ptr[ch] * (k.needs[ch] > g.done)
        c.wk_ptr[ch], c.wk_blk[ch] = k.ptr[ch], k.blk[ch]
        k.ptr[ch] = k.blk[ch] = 0
    if early > 0:
        out_at(g.p_out, g.win).early_frees += early
        log(g, t, TOO_SOON, s >> 1, float(early))
    if g.reader > 0.0:
        read_on(g, c, t)
    c.wk_began, c.wk, c.wk_owner, c.wk_sum, k.state = t, 1, s >> 1, c.wk_ptr.sum(), IDLE
    return True


@part
def work_step(g: Any, x: Any, t: Any) -> None:
    """The step of the work on CPU x, and the whole work after its last, ends at t."""
    c, out = cpu_at(g.p_cpus, x), out_at(g.p_out, g.win)
    n, ch = c.wk_size, c.wk_stage
    out.peak = max(out.peak, g.deferred)
    g.deferred -= n
    page_memory.objects(g, -n)
    out.freed += n
    out.area += n * t
    c.wk_ptr[ch] -= n
    if ch == LIST:
        c.wk_blk[LIST] -= c.wk_wrappers
        kept = max(0, min(c.wk_wrappers, g.pool_cap - c.nr_emergency))
        if kept > 0:
            c.nr_emergency += kept
            out.pool_returned += kept
            log(g, t, TO_POOL, x, float(kept))
        if g.pages:
            page_memory.wrappers_freed(g, c, t, c.wk_wrappers - kept)
    else:
        c.wk_blk[ch] -= 1
        to, cache = x if g.to_worker else c.wk_owner, ch * g.own_cache
        pages = cpu_at(g.p_cpus, to).cache
        if pages[cache] < g.cache_cap:
            pages[cache] += 1
            out.pages_returned += 1
            log(g, t, TO_CACHE, to, float(pages[cache]))
        else:
            out.pages_freed += 1
            if g.pages:
                page_memory.give(g, cpu_at(g.p_cpus, to), t, 1)
            log(g, t, PAGE_FREED, to, 0.0)
    if c.wk_ptr.sum() == 0:
        c.wk, c.wk_at, c.free_at = 0, INF, max(c.free_at, t)
        c.reused = min(g.reuse, c.reused + c.wk_sum)
        if g.reader > 0.0:  # of lower priority: it went on after the work
            late = t - c.section if c.section >= c.wk_began else t - c.section_end
            c.section_end += max(0.0, late)
            c.section += max(0.0, late) * (c.section >= c.wk_began)
        log(g, t, WORK_ENDS, c.wk_owner, 0.0)


compile_module()
