# SPDX-License-Identifier: GPL-2.0-only
"""The calls of a CPU, and how runs of dull ones are skipped, exactly: see DESIGN.md.

A call is dull if it only appends: to the head block, or to the list with a monitor already pending.
`plan` draws when the next other call comes and how many dull ones before; `settle` counts those
that came before another event.
"""

import math
from typing import Any

from krcsim.engine.calendar import touch
from krcsim.engine.call_marks import marks, shares, sooner
from krcsim.engine.kfree_rcu import call
from krcsim.engine.page_memory import objects
from krcsim.engine.random_streams import (
    BIG,
    INF,
    binomial,
    compile_module,
    exponential,
    gamma,
    geometric,
    part,
    poisson,
    uniform,
)
from krcsim.engine.records import (
    DULL,
    FRESH,
    LIST,
    ONE,
    SLAB,
    TROUBLE,
    VMALLOC,
    cpu_at,
    out_at,
    prod_at,
)


@part
def calls_ahead(g: Any, c: Any) -> None:
    """Draw the length of a plan and what is known of its last call (FRESH, TROUBLE or DULL)."""
    c.odds, c.raised = 0.0, 0
    ch = VMALLOC if g.vmalloc > 0.0 else SLAB
    if g.every_call or c.monitor_at == INF:
        c.n, c.known = 1, FRESH
    elif c.room[ch] > 0 and not 0.0 < g.vmalloc < 1.0:
        c.n, c.known = min(c.room[ch] + 1, g.look), FRESH if c.room[ch] < g.look else DULL
    elif 0.0 < g.vmalloc < 1.0:
        cap = min(c.room[SLAB] or BIG, c.room[VMALLOC] or BIG, g.look)
        n = geometric(
            c.marks, sooner(g, c, 1.0 - (shares(g, c, SLAB)[1] + shares(g, c, VMALLOC)[1]))
        )
        c.n, c.known = min(n, cap), TROUBLE if n <= cap else DULL
    elif shares(g, c, ch)[0] > 0.0:
        n = geometric(c.marks, sooner(g, c, shares(g, c, ch)[0]))
        c.n, c.known = min(n, g.look), DULL if n > g.look or n == BIG else TROUBLE
    else:
        c.n, c.known = 1, FRESH


@part
def dull_calls(g: Any, c: Any, n: Any, time_sum: Any) -> None:
    """n dull calls were made, at times that add up to time_sum."""
    if n <= 0:
        return
    out = out_at(g.p_out, g.win)
    g.deferred += n
    out.queued += n
    out.area -= time_sum
    objects(g, n)
    g.log_lr += n * c.odds
    ch = VMALLOC if g.vmalloc > 0.0 else SLAB
    if c.room[ch] > 0 and not 0.0 < g.vmalloc < 1.0:  # the most frequent case
        c.room[ch] -= n
        c.ptr[ch] += n
        singles = n if g.single >= 1.0 else binomial(c.marks, n, g.single)
    else:
        singles = dull_anywhere(g, c, n)
    out.single += singles
    out.single_episode += singles * g.episode
    out.double += n - singles
    out.double_episode += (n - singles) * g.episode


def dull_anywhere(g: Any, c: Any, n: Any) -> Any:
    """n dull calls go into blocks or on the list; returns how many are single-argument."""
    out = out_at(g.p_out, g.win)
    w0, w1 = shares(g, c, SLAB)[0], shares(g, c, VMALLOC)[0]
    n1 = binomial(c.marks, n, w1 / (w0 + w1))
    singles, listed = 0, 0
    for ch in range(2):
        k = n1 if ch == VMALLOC else n - n1
        into = k * (c.room[ch] > 0)
        c.room[ch] -= into
        c.ptr[ch] += into
        singles += binomial(c.marks, into, g.single)
        listed += k - into
    s, d = g.single * g.dull_single, (1.0 - g.single) * g.fp
    wrapped = binomial(c.marks, listed, s / (s + d))
    c.ptr[LIST] += listed
    c.blk[LIST] += wrapped
    out.list_pushes += listed
    out.page_fail += listed * g.array_path
    return singles + wrapped


def special(g: Any, c: Any, i: Any, t: Any, prod: Any) -> Any:
    """The last call of a plan comes at t, from producer `prod` if it is not -1; True if it now
    holds up its caller.
    """
    if not g.bursty:
        c.woke = t
    if c.known == DULL:
        dull_calls(g, c, ONE, t)
        return False
    ch, single, u_page, u_head = marks(g, c)
    held = call(g, c, i, t, ch, single, u_page, u_head, prod) and g.closed > 0
    c.blocked += held
    return held


def plan(g: Any, c: Any, i: Any, t: Any) -> None:
    """Draw the next call that needs attention, from t on; calls before t are settled."""
    c.call_at, c.n, c.plan_at = INF, 0, t
    if g.bursty:
        plan_burst(g, c, t)
    elif c.rate > 0.0 and not g.late:
        calls_ahead(g, c)
        plan_poisson(c, t)
    c.planned = c.n > 0 and c.raised and c.nr_emergency - c.doomed == g.pool_cap
    touch(g, i)


@part
def plan_poisson(c: Any, t: Any) -> None:
    """Draw when call n comes; where the monitor is likely to come first, only how many calls there
    are until then.
    """
    mean = c.rate * (c.monitor_at - t)
    if c.n == 1 or mean > c.n:
        c.call_at = c.until = t + gamma(c.arrivals, c.n) / c.rate
        return
    c.until, k = c.monitor_at, poisson(c.arrivals, mean)
    if k < c.n:  # all of them are dull, and the monitor's event makes the next plan
        c.n = k + 1
    else:  # k uniform times, of which the n-th: beta(n, k + 1 - n)
        x = gamma(c.arrivals, c.n)
        c.call_at = c.until = t + (c.until - t) * x / (x + gamma(c.arrivals, k + 1 - c.n))


def settle(g: Any, c: Any, t: Any) -> None:
    """Account for the dull calls before t, up to the horizon; the plan stays valid."""
    if g.bursty and not g.late:
        settle_burst(g, c, t)
    elif c.base < t and not g.late:
        if c.n > 1:
            k = c.n - 1
            if t < c.until:
                k = binomial(c.arrivals, k, (t - c.base) / (c.until - c.base))
            c.n -= k
            if g.reader > 0.0 and k > 0:  # the last of k uniform times
                c.woke = c.base + (t - c.base) * uniform(c.arrivals) ** (1.0 / k)
            # Given their number they are uniform in the interval: the sum of times at its mean.
            dull_calls(g, c, k, 0.5 * k * (c.base + t))
        g.rate_base += c.rate * (t - c.base)
        c.base = t


@part
def source_event(g: Any, i: Any, t: Any) -> None:
    """A plan of CPU i has come to its last call at t, or its on or off phase ends."""
    c = cpu_at(g.p_cpus, i)
    settle(g, c, INF if g.bursty else t)  # dull calls of a burst may come at t too
    if g.bursty:
        c.cur = j = next_producer(g, c)
        p = prod_at(g.p_prods, j)
        c.woke = t if p.left == g.burst else c.woke
        p.left -= 1
        held, cost = special_cost(g, c, i, t, j)
        c.free_at, c.reused = (
            max(t, c.free_at) + cost,
            max(0, c.reused - 1),
        )  # a refill worker may have had its turn
        if held:
            p.blocked, c.cur = 1, -1
        elif p.left == 0:
            burst_ends(g, c, p, c.free_at)
            c.cur = -1
        if c.wk:
            let_out(g, c)
    elif c.phase_at == t:
        c.on = 1 - c.on
        c.phase_at = t + exponential(c.arrivals) * (g.on_mean if c.on else g.off_mean)
        set_rate(g, c)
    elif special(g, c, i, t, -1):
        set_rate(g, c)
    plan(g, c, i, t)


def resumed(g: Any, c: Any, i: Any, t: Any, runs_at: Any, e: Any) -> None:
    """The held-up caller in `e` of CPU i goes on at t (closed loop), and runs at runs_at; the CPU
    is settled.
    """
    c.blocked -= 1
    if g.bursty:
        p = prod_at(g.p_prods, e.prod)
        p.blocked, p.ready = 0, runs_at
        if p.left == 0:
            burst_ends(g, c, p, runs_at)
    else:
        set_rate(g, c)
        each = g.base_rate * c.on / g.producers
        if not g.late and uniform(c.arrivals) < 1.0 - math.exp(-(t - e.call) * each):
            c.known = FRESH
            if special(g, c, i, t, -1):
                set_rate(g, c)
    plan(g, c, i, t)


def set_rate(g: Any, c: Any) -> None:
    """The rate of a Poisson source now: none in an off phase, less while producers are held up."""
    rate = g.base_rate * c.on * ((g.producers - c.blocked) / g.producers)
    g.rate_sum += rate - c.rate
    g.rate_base += (rate - c.rate) * c.base
    c.rate = rate


# Periodic and burst sources: calls follow each other on the CPU.


def special_cost(g: Any, c: Any, i: Any, t: Any, j: Any) -> Any:
    """As special(), and the CPU time of the call."""
    cost = c.cost
    if c.known != DULL:
        cost, g.wrapped = g.call_cost + (0.0 if c.reused > 0 else g.slab_cost), 0
    held = special(g, c, i, t, j)
    return held, cost + g.list_cost * (c.known != DULL and g.wrapped)


def next_producer(g: Any, c: Any) -> Any:
    """The producer the CPU serves next: the running one, else the one ready or due first."""
    if c.cur >= 0:
        return c.cur
    best = -1
    for j in range(c.first_prod, c.first_prod + g.producers):
        p = prod_at(g.p_prods, j)
        if not p.blocked and (best < 0 or p.ready < prod_at(g.p_prods, best).ready):
            best = j
    return best


def let_in(g: Any, c: Any, t: Any) -> None:
    """A work that has seen a tick lets in, between two blocks or entries, a caller that is late:
    its slice is over.
    """
    j = next_producer(g, c)
    if j >= 0 and prod_at(g.p_prods, j).ready < t:
        p = prod_at(g.p_prods, j)
        if p.due + 2.0 * g.period < t:  # it does not sleep before its own slice is over
            c.wk_pause = math.floor(t) + 1.0
        else:  # let_out() ends it sooner if no other burst is due
            c.wk_pause = t + (p.left + g.burst) * mean_cost(g, c)
        c.wk_at, c.wk_began = c.wk_at + c.wk_pause - t, c.wk_pause


def let_out(g: Any, c: Any) -> None:
    """If the caller that was let in waits, or sleeps until its next burst is due, the work goes
    on.
    """
    if c.cur >= 0 or c.free_at >= c.wk_pause:
        return
    j = next_producer(g, c)
    if j < 0 or prod_at(g.p_prods, j).ready > c.free_at:
        c.wk_at -= c.wk_pause - c.free_at
        c.wk_pause = c.wk_began = c.free_at


def call_time(g: Any, c: Any, p: Any, start: Any, j: Any) -> Any:
    """The time of call j (from 0) of a plan from `start` on, over whole bursts if regular."""
    if j < p.left:
        return start + j * c.cost
    j -= p.left
    return p.due + g.wake_cost + (1 + j // g.burst) * g.period + (j % g.burst) * c.cost


def mean_cost(g: Any, c: Any) -> Any:
    """The CPU time of the next dull call, on average over those with a wrapper and those
    without.
    """
    cost = g.call_cost + g.slab_cost * (c.reused <= 0)
    if c.room[SLAB] + c.room[VMALLOC] == 0 and g.dull_single > 0.0:  # dull calls go on the list
        cost += (
            g.list_cost
            * g.single
            * g.dull_single
            / (g.single * g.dull_single + (1.0 - g.single) * g.fp)
        )
    return cost


def plan_burst(g: Any, c: Any, t: Any) -> None:
    """As plan(), for a CPU whose calls follow each other."""
    j = next_producer(g, c)
    if (c.wk and t >= c.wk_pause) or j < 0 or g.late:
        return
    p = prod_at(g.p_prods, j)
    c.start = max(t, c.free_at) if c.cur >= 0 else max(t, c.free_at, p.ready)
    c.cost = mean_cost(g, c)
    # Where later bursts will start when they are due, a plan may cross into them.
    fixed = not (g.every_call or g.exp_gap or g.producers > 1) and g.burst * c.cost <= g.period
    on_time = c.start + p.left * c.cost <= p.due + g.period and not c.wk
    limit = min(c.reused or BIG, 1 << 20 if fixed and on_time else p.left)
    if c.wk:  # let in, it makes those calls that begin before the pause ends
        if c.start >= c.wk_pause:
            return
        if c.cost > 0.0:
            limit = min(limit, 1 + int((c.wk_pause - c.start) / c.cost))
    calls_ahead(g, c)
    if c.n > limit:
        c.n, c.known = limit, DULL
    c.call_at = call_time(g, c, p, c.start, c.n - 1)


def settle_burst(g: Any, c: Any, t: Any) -> None:
    """As settle(): calls of the timetable before t; moves the producer and the plan's start."""
    if c.n <= 1 or c.start >= t:
        return
    j = next_producer(g, c)
    p = prod_at(g.p_prods, j)
    start, cost, burst = c.start, c.cost, g.burst
    last = c.n - 1  # calls 0 .. n - 2 are dull: k of them lie before t, the first at start
    k = last if t > c.call_at else 0
    while k < last:
        mid = (k + last) >> 1
        if call_time(g, c, p, start, mid) < t:
            k = mid + 1
        else:
            last = mid
    k0 = min(k, p.left)
    whole, rest = (k - k0) // burst, (k - k0) % burst
    total = k0 * start + cost * k0 * (k0 - 1) / 2
    total += whole * burst * (p.due + g.wake_cost) + g.period * burst * whole * (whole + 1) / 2
    total += whole * cost * burst * (burst - 1) / 2
    total += rest * (p.due + g.wake_cost + (whole + 1) * g.period) + cost * rest * (rest - 1) / 2
    dull_calls(g, c, k, total)
    if k > k0:
        c.woke = p.due + g.wake_cost + (whole + (rest > 0)) * g.period
    elif p.left == burst and k > 0:
        c.woke = start
    c.free_at = call_time(g, c, p, start, k - 1) + cost
    c.start = call_time(g, c, p, start, k)
    c.n, c.cur, c.reused = c.n - k, j, max(0, c.reused - k)
    if k < p.left:
        p.left -= k
    elif rest > 0:
        p.due += (whole + 1) * g.period
        p.left, p.ready = burst - rest, p.due + g.wake_cost
    else:  # ended whole bursts, the last of them just now
        p.due += whole * g.period
        burst_ends(g, c, p, c.free_at)
        c.cur = -1


def burst_ends(g: Any, c: Any, p: Any, t: Any) -> None:
    """Producer p has no call left at t: it is next due a gap after it last was."""
    p.due += g.period * exponential(c.arrivals) if g.exp_gap else g.period
    if g.closed and not g.catchup and p.due < t:
        p.due = t
    p.left, p.ready = g.burst, p.due + (g.wake_cost if p.due > t else 0.0)


compile_module()
