# SPDX-License-Identifier: GPL-2.0-only
"""The calls of a CPU, and how runs of dull ones are skipped.

A call is dull if it only appends: to the head block, or to the list with a monitor already pending.
`plan` draws how many dull calls come before one that needs attention, and when that one comes;
`settle` says how many of the dull ones have passed when another event comes first. Both are exact:
calls are a Poisson process (or a fixed timetable) and their marks are independent, so the future
after an event may be drawn afresh as long as nothing of it was used. With every_call set a plan is
always one call long: the same code, call by call.
"""

from __future__ import annotations

import math
from typing import Any

from krcsim.engine.kfree_rcu import cached, call, head_trouble
from krcsim.engine.rng import BIG, INF, binomial, exponential, gamma, geometric, jit, uniform
from krcsim.engine.state import (ALL, BLOCKED, DULL, FRESH, ONE, READY, SLAB, SLEEPS, TROUBLE,
    VMALLOC, out_at, prod_at)

NOBODY = ALL  # the producer of a call that is a task of its own

@jit
def dull_share(g: Any, c: Any, ch: Any) -> Any:
    """P(a call of channel ch is dull) while its head block has no room: it must end on the list."""
    if g.array_path and cached(g, c, ch) > 0:
        return 0.0
    fp = g.fp if g.array_path else 1.0
    return (1.0 - g.single) * fp + g.single * dull_single(g)

@jit
def dull_single(g: Any) -> Any:
    """P(page fails and an rcu_head comes at once) for a single-argument call."""
    if g.array_path and g.noretry:
        return 0.0
    return (g.fp if g.array_path else 1.0) * (1.0 - head_trouble(g))

@jit
def calls_ahead(g: Any, c: Any) -> Any:
    """Draw the length of a plan and what is known of its last call (FRESH, TROUBLE or DULL)."""
    if g.every_call or not c.monitor_todo:
        return 1, FRESH
    if g.vmalloc <= 0.0 or g.vmalloc >= 1.0:
        ch = 0 if g.vmalloc <= 0.0 else 1
        room = c.room0 if ch == 0 else c.room1
        if room > 0:
            return room + 1, FRESH
        dull = dull_share(g, c, ch)
        if dull <= 0.0:
            return 1, FRESH
        n = geometric(c.marks, dull)
        return (n, TROUBLE) if n < BIG else (BIG, DULL)
    cap = BIG
    trouble = 0.0
    if c.room0 > 0:
        cap = c.room0
    else:
        trouble += (1.0 - g.vmalloc) * (1.0 - dull_share(g, c, SLAB))
    if c.room1 > 0:
        cap = min(cap, c.room1)
    else:
        trouble += g.vmalloc * (1.0 - dull_share(g, c, VMALLOC))
    n = geometric(c.marks, 1.0 - trouble)
    return (n, TROUBLE) if n <= cap else (cap, DULL)

@jit
def dull_calls(g: Any, c: Any, n: Any, time_sum: Any) -> None:
    """n dull calls were made, at times that add up to time_sum."""
    if n <= 0:
        return
    out = out_at(g.p_out, g.win)
    g.deferred += n
    out.queued += n
    out.area -= time_sum
    n1 = 0
    if g.vmalloc >= 1.0:
        n1 = n
    elif g.vmalloc > 0.0:
        w0 = (1.0 - g.vmalloc) * (1.0 if c.room0 > 0 else dull_share(g, c, SLAB))
        w1 = g.vmalloc * (1.0 if c.room1 > 0 else dull_share(g, c, VMALLOC))
        n1 = binomial(c.marks, n, w1 / (w0 + w1))
    n0 = n - n1
    singles = 0
    listed = 0
    if n0 > 0:
        if c.room0 > 0:
            c.room0 -= n0
            c.ptr0 += n0
            singles += binomial(c.marks, n0, g.single)
        else:
            listed += n0
    if n1 > 0:
        if c.room1 > 0:
            c.room1 -= n1
            c.ptr1 += n1
            singles += binomial(c.marks, n1, g.single)
        else:
            listed += n1
    if listed > 0:
        s = g.single * dull_single(g)
        d = (1.0 - g.single) * (g.fp if g.array_path else 1.0)
        wrapped = binomial(c.marks, listed, s / (s + d))
        c.head += listed
        c.wrap += wrapped
        out.list_pushes += listed
        if g.array_path:
            out.page_fail += listed
        singles += wrapped
    out.single += singles
    out.double += n - singles
    if g.spell:
        out.single_spell += singles

@jit
def fresh_marks(g: Any, r: Any) -> Any:
    """Channel, kind and luck (u_page, u_head) of a call of which nothing is known."""
    ch = 0
    if g.vmalloc >= 1.0:
        ch = 1
    elif g.vmalloc > 0.0:
        ch = 1 if uniform(r) < g.vmalloc else 0
    single = g.single >= 1.0
    if 0.0 < g.single < 1.0:
        single = uniform(r) < g.single
    u_page = uniform(r)
    return ch, single, u_page, uniform(r)

@jit
def trouble_marks(g: Any, c: Any) -> Any:
    """As fresh_marks(), given that the call is of a channel without room and not dull."""
    r = c.marks
    t0 = (1.0 - g.vmalloc) * (1.0 - dull_share(g, c, SLAB)) if c.room0 == 0 else 0.0
    t1 = g.vmalloc * (1.0 - dull_share(g, c, VMALLOC)) if c.room1 == 0 else 0.0
    ch = 1 if uniform(r) * (t0 + t1) >= t0 else 0
    u_page, u_head, u = uniform(r), uniform(r), uniform(r)
    if g.array_path and cached(g, c, ch) > 0:
        return ch, u < g.single, u_page, u_head
    fp = g.fp if g.array_path else 1.0
    double_page = (1.0 - g.single) * (1.0 - fp)
    single_page = g.single * (1.0 - fp)
    sleepable = g.array_path and g.noretry
    u *= double_page + g.single * (1.0 if sleepable else 1.0 - dull_single(g))
    single = u >= double_page
    if not (single and sleepable):
        if u < double_page + single_page:
            u_page = fp + (1.0 - fp) * u_page
        else:
            u_page *= fp
            u_head *= head_trouble(g)
    return ch, single, u_page, u_head

@jit
def special(g: Any, c: Any, i: Any, t: Any, prod: Any) -> Any:
    """The last call of a plan comes at t; True if its caller is now held up."""
    if c.known == TROUBLE:
        ch, single, u_page, u_head = trouble_marks(g, c)
    else:
        ch, single, u_page, u_head = fresh_marks(g, c.marks)
    return call(g, c, i, t, ch, single, u_page, u_head, prod)

# ---- Poisson and on/off sources: calls are tasks of their own

@jit
def set_rate(g: Any, c: Any) -> None:
    """The rate of a CPU's calls now: none in an off phase, less while producers are held up."""
    rate = g.base_rate * c.on
    if g.closed:
        rate *= (g.producers - c.blocked) / g.producers
    g.rate_sum += rate - c.rate
    g.rate_base += (rate - c.rate) * c.base
    c.rate = rate

@jit
def rebase(g: Any, c: Any, t: Any) -> None:
    """Calls are accounted for up to t."""
    g.rate_base += c.rate * (t - c.base)
    c.base = t

@jit
def plan(g: Any, c: Any, i: Any, t: Any) -> None:
    """Draw the next call that needs attention, from t on; calls before t are settled."""
    if g.late:
        c.call_at = INF
        c.n = 0
        return
    if g.bursty:
        plan_burst(g, c, i, t)
        return
    if c.rate <= 0.0:
        c.call_at = INF
        c.n = 0
        return
    c.n, c.known = calls_ahead(g, c)
    if c.n == BIG:  # dull as far as the eye sees: look again when a gamma would be exact no more
        c.n = 1 << 30
    c.call_at = t + gamma(c.arrivals, c.n) / c.rate

@jit
def settle(g: Any, c: Any, i: Any, t: Any) -> None:
    """Account for the dull calls before t; the plan stays valid."""
    if g.bursty:
        settle_burst(g, c, i, t)
        return
    if c.base >= t:
        return
    if c.n > 1:
        if t >= c.call_at:
            k = c.n - 1
            c.n = 1
        else:
            k = binomial(c.arrivals, c.n - 1, (t - c.base) / (c.call_at - c.base))
            c.n -= k
        # Given their number they are uniform in the interval: the sum of times at its mean.
        dull_calls(g, c, k, 0.5 * k * (c.base + t))
    rebase(g, c, t)

@jit
def source_call(g: Any, c: Any, i: Any, t: Any) -> None:
    """A plan of a CPU has come to its last call, at t."""
    if g.bursty:
        burst_call(g, c, i, t)
        return
    settle(g, c, i, t)
    if c.known == DULL:
        dull_calls(g, c, ONE, t)
    elif special(g, c, i, t, NOBODY) and g.closed:
        c.blocked += 1
        set_rate(g, c)
    plan(g, c, i, t)

# ---- periodic and burst sources: calls follow each other on the CPU

@jit
def next_producer(g: Any, c: Any) -> Any:
    """The producer the CPU serves next: the running one, else the one ready or due first."""
    if c.cur >= 0:
        return c.cur
    best = -1
    for j in range(c.first_prod, c.first_prod + g.producers):
        p = prod_at(g.p_prods, j)
        if p.state != BLOCKED and (best < 0 or p.ready < prod_at(g.p_prods, best).ready):
            best = j
    return best

@jit
def call_time(g: Any, p: Any, start: Any, j: Any) -> Any:
    """The time of call j (from 0) of a plan from `start` on, over whole bursts if regular."""
    if j < p.left:
        return start + j * g.call_cost
    j -= p.left
    return p.due + (1 + j // g.burst) * g.period + (j % g.burst) * g.call_cost

@jit
def regular(g: Any, p: Any, start: Any) -> Any:
    """Whether later bursts will start when they are due, so that a plan may cross into them."""
    if g.every_call or g.exp_gap or g.producers > 1 or g.burst * g.call_cost > g.period:
        return False
    return start + p.left * g.call_cost <= p.due + g.period

@jit
def plan_burst(g: Any, c: Any, i: Any, t: Any) -> None:
    """As plan(), for a CPU whose calls follow each other."""
    c.call_at = INF
    c.n = 0
    j = next_producer(g, c)
    if c.wk or j < 0:
        return
    p = prod_at(g.p_prods, j)
    start = max(t, c.free_at)
    if c.cur < 0:
        start = max(start, p.ready)
    n, c.known = calls_ahead(g, c)
    limit = 1 << 20 if regular(g, p, start) else p.left
    if n > limit:
        n, c.known = limit, DULL
    c.n = n
    c.start = start
    c.call_at = call_time(g, p, start, n - 1)

@jit
def settle_burst(g: Any, c: Any, i: Any, t: Any) -> None:
    """As settle(): calls of the timetable before t."""
    if c.n <= 1 or c.start >= t:
        return
    p = prod_at(g.p_prods, next_producer(g, c))
    lo, hi = 0, c.n - 1  # calls 0 .. n - 2 are dull; find how many lie before t
    while lo < hi:
        mid = (lo + hi) >> 1
        if call_time(g, p, c.start, mid) < t:
            lo = mid + 1
        else:
            hi = mid
    if lo > 0:
        pass_calls(g, c, i, lo)

@jit
def pass_calls(g: Any, c: Any, i: Any, k: Any) -> None:
    """The first k dull calls of the plan were made: move the producer and the plan's start."""
    j = next_producer(g, c)
    p = prod_at(g.p_prods, j)
    start, cost, left = c.start, g.call_cost, p.left
    k0 = min(k, left)
    total = k0 * start + cost * k0 * (k0 - 1) / 2
    whole = (k - k0) // g.burst
    rest = (k - k0) % g.burst
    total += whole * g.burst * p.due + g.period * g.burst * whole * (whole + 1) / 2
    total += whole * cost * g.burst * (g.burst - 1) / 2
    total += rest * (p.due + (whole + 1) * g.period) + cost * rest * (rest - 1) / 2
    last = call_time(g, p, start, k - 1)
    dull_calls(g, c, k, total)
    upcoming = call_time(g, p, start, k) if k < c.n else INF
    c.n -= k
    c.free_at = last + cost
    if k < left:
        p.left -= k
        c.cur = j
    else:
        if rest == 0:  # ended whole bursts, the last of them just now
            p.due += whole * g.period
            c.cur = j
            p.left = 0
            burst_ends(g, c, j, c.free_at)
        else:
            p.due += (whole + 1) * g.period
            p.left = g.burst - rest
            p.ready = p.due
            p.state = READY
            c.cur = j
    c.start = upcoming

@jit
def burst_ends(g: Any, c: Any, j: Any, t: Any) -> None:
    """Producer j has no call left at t: it is next due a gap after it last was."""
    p = prod_at(g.p_prods, j)
    p.due += g.period * exponential(c.arrivals) if g.exp_gap else g.period
    if g.closed and p.due < t:
        p.due = t
    p.left = g.burst
    p.ready = p.due
    p.state = SLEEPS
    c.cur = -1

@jit
def burst_call(g: Any, c: Any, i: Any, t: Any) -> None:
    """As source_call(), for a CPU whose calls follow each other."""
    if c.n > 1:
        pass_calls(g, c, i, c.n - 1)
    j = next_producer(g, c)
    p = prod_at(g.p_prods, j)
    c.cur = j
    p.state = READY
    p.left -= 1
    c.free_at = t + g.call_cost
    held = False
    if c.known == DULL:
        dull_calls(g, c, ONE, t)
    else:
        held = special(g, c, i, t, j) and g.closed
    if held:
        p.state = BLOCKED
        c.blocked += 1
        c.cur = -1
    elif p.left == 0:
        burst_ends(g, c, j, c.free_at)
    plan_burst(g, c, i, t)

# ---- callers that come back

@jit
def resumed(g: Any, c: Any, i: Any, t: Any, prod: Any, called: Any) -> None:
    """A held-up caller of CPU i goes on at t (closed loop); the CPU is settled."""
    c.blocked -= 1
    if g.bursty:
        p = prod_at(g.p_prods, prod)
        p.state = READY
        p.ready = t
        if p.left == 0:
            cur = c.cur
            burst_ends(g, c, prod, t)
            c.cur = cur
        plan_burst(g, c, i, t)
        return
    set_rate(g, c)
    if g.late:
        return
    each = g.base_rate * c.on / g.producers
    if uniform(c.arrivals) < 1.0 - math.exp(-(t - called) * each):
        c.known = FRESH
        if special(g, c, i, t, NOBODY):
            c.blocked += 1
            set_rate(g, c)
    plan(g, c, i, t)
