# SPDX-License-Identifier: GPL-2.0-only
"""Free pages and watermarks, what takes pages and what brings them back; brought up to date when
somebody asks.
"""

import math
from typing import Any

from krcsim.engine.random_streams import INF, compile_module, uniform
from krcsim.engine.records import HEAD_STALL, LIST, cpu_at

NONE, ATOMIC, TRYHARD = 0, 1, 2  # GLOBAL.head_alloc, as in remedy.HEAD_ALLOC
CLUSTER = 32.0  # SWAP_CLUSTER_MAX: a round of direct reclaim ends when it has as many
# rounds without progress until no_progress_loops is above MAX_RECLAIM_RETRIES = 16; the guest's
# stalls of
RETRIES = 17
# 15 ms fit that while 3/8 of min are free. With nothing free they end after 2 ms:
# should_reclaim_retry() says no.


def boot(g: Any) -> None:
    """The memory at time 0: cached pages and the pages of the slab lists are taken already."""
    g.free, g.file = g.free_at_boot, g.file_at_boot
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        c.slab_free = g.slab_kept * g.slab_objs
        g.ours += c.cache[0] + g.own_cache * c.cache[1] + g.slab_kept


def catch_up(g: Any, t: Any) -> None:
    """What the hog, the load and kswapd do until t: free pages move at a steady pace from mark to
    mark.
    """
    while g.mem_at < t:
        if g.file < 1e-6:
            g.file = 0.0
        if g.free >= g.full:
            g.kswapd = 0
        elif g.free <= g.low:
            g.kswapd = 1
        hog, to = 0.0, t
        if g.hog > 0 and g.episode > 0:
            if g.hog_at <= g.mem_at and g.free <= g.hog_mark:  # nothing to take: it sleeps
                g.hog_at = g.mem_at + g.hog_sleep
            if g.hog_at <= g.mem_at:
                hog = g.hog_rate
            else:
                to = min(t, g.hog_at)
        load = g.load_rate if g.episode > 0 else 0.0
        back = g.kswapd_rate if g.kswapd > 0 else 0.0
        if g.file <= 0.0:
            back = min(back, load)
        if g.free <= g.nowait:  # who reads files reclaims for himself
            load = min(load, back)
        step, pace, mark = to - g.mem_at, back - load - hog, g.full
        if back > load:
            step = min(step, g.file / (back - load))
        if pace < 0.0:  # the next mark below
            mark = g.hog_mark if hog > 0.0 else 0.0
            if load > 0.0 and g.free > g.nowait:
                mark = max(mark, g.nowait)
            if g.free > g.low:
                mark = max(mark, g.low)
        if pace != 0.0 and (mark - g.free) / pace <= step:
            step, g.free = (mark - g.free) / pace, mark
        else:
            g.free += pace * step
        g.hogged += hog * step
        g.file += (load - back) * step
        g.mem_at = max(min(to, g.mem_at + step), math.nextafter(g.mem_at, INF))
    g.mem_at = max(g.mem_at, t)


def episode_switches(g: Any, t: Any) -> None:
    """An episode is about to begin or to end at t: the hog starts, or gives back all it has."""
    catch_up(g, t)
    g.hog_at = t
    if g.episode > 0:
        g.free, g.hogged = g.free + g.hogged, 0.0
    elif t == 0.0:
        g.hog_at = g.mem_at = -g.lead


def take(g: Any, c: Any, t: Any, mark: Any) -> Any:
    """A page for the kernel's side at t, if more than `mark` are free: those in per-CPU lists do
    not count.
    """
    catch_up(g, t)
    if g.free <= mark or g.free < 1.0:
        return False
    if c.pcp == 0:
        c.pcp = min(g.pcp_batch, int(g.free))
        g.free -= c.pcp
    c.pcp -= 1
    g.ours += 1
    return True


def give(g: Any, c: Any, t: Any, n: Any) -> None:
    """n pages are freed at t, first into the list of the CPU."""
    catch_up(g, t)
    c.pcp += n
    g.ours -= n
    while c.pcp > g.pcp_high:
        c.pcp -= g.pcp_batch
        g.free += g.pcp_batch


def objects(g: Any, n: Any) -> None:
    """n more objects wait to be freed (or fewer): the slab pages they hold come from what the marks
    leave to all.
    """
    g.held += n
    if g.counts == 0:
        return
    more = (g.held * g.object_bytes + 4095) // 4096 - g.obj_pages
    if n > 0 and more > 0:
        more = min(more, max(0, int(g.free - g.nowait)))
    elif n > 0 or more > 0:
        more = 0
    g.obj_pages += more
    g.free -= more


def head(g: Any, c: Any, t: Any, what: Any) -> Any:
    """An rcu_head object at t: from the CPU's slab lists; else a page for them, all there is after
    a stall.
    """
    if g.head_alloc == NONE:
        return False
    if what != HEAD_STALL and c.slab_free > 0:
        c.slab_free -= 1
        return True
    got = take(
        g, c, t, mark_after_stall(g) if what == HEAD_STALL or g.head_alloc == TRYHARD else g.atomic
    )
    if got:
        c.slab_free += g.slab_objs - 1
    return got


def mark_after_stall(g: Any) -> Any:
    """What a request for an object that slept has to pass: the last step of three_step is
    GFP_KERNEL.
    """
    return g.high if g.head_alloc == TRYHARD else g.nowait


def wrappers_freed(g: Any, c: Any, t: Any, n: Any) -> None:
    """n wrappers go back to their slab pages at t; a CPU keeps a few empty pages."""
    c.slab_free += n
    pages = c.slab_free // g.slab_objs - g.slab_kept
    if pages > 0:
        c.slab_free -= pages * g.slab_objs
        give(g, c, t, pages)


def stall_ticks(g: Any, c: Any, t: Any, what: Any) -> Any:
    """The median of a stall that begins at t: rounds until a page can be had, or until it gives
    up.
    """
    catch_up(g, t)
    rounds = 1
    if g.file > 0.0:
        if what == HEAD_STALL:
            rounds = max(rounds, int(math.ceil((mark_after_stall(g) - g.free + 1.0) / CLUSTER)))
        return rounds * g.stall_median
    if what == HEAD_STALL:  # allocate_slab() asks twice, first for one round only
        rounds += RETRIES if g.free >= g.atomic else 1
    return rounds * g.round


def reclaim(g: Any, t: Any, what: Any) -> None:
    """A stall in direct reclaim ends at t: one round, or with __GFP_RETRY_MAYFAIL as many as it
    takes.
    """
    catch_up(g, t)
    n = min(
        max(CLUSTER, mark_after_stall(g) - g.free + 1.0) if what == HEAD_STALL else CLUSTER, g.file
    )
    g.file -= n
    g.free += n


def refill(g: Any, c: Any, t: Any) -> None:
    """The worker tops up the caches of the CPU at t: each page GFP_KERNEL | __GFP_NORETRY, until
    one fails.
    """
    for ch in range(1 + g.own_cache):
        while c.cache[ch] < g.cache_cap:
            if not refill_page(g, c, t):
                return
            c.cache[ch] += 1


def refill_page(g: Any, c: Any, t: Any) -> Any:
    """One page for the worker; a round of reclaim takes CPU time, of which worker and caller get
    turns of a round.
    """
    if g.pages == 0:
        return uniform(c.stalls) >= g.fn
    got = take(g, c, t, g.nowait)
    if not got:
        turn = stall_ticks(g, c, t, LIST)
        if t > c.refill_at + 2.0 * turn:  # it was idle: the caller has its turn first
            c.refill_at = t + turn
        elif t >= c.refill_at:
            c.free_at, c.refill_at = max(c.free_at, t) + turn, t + 2.0 * turn
            reclaim(g, t, LIST)
            got = take(g, c, t, g.nowait)
    return got


compile_module()
