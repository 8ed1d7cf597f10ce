# SPDX-License-Identifier: GPL-2.0-only
"""The event loop: what happens next, in time order, and in the order of docs/model.md at ties."""

from __future__ import annotations

import math
from typing import Any

import numba

from krcsim.engine import grace, kfree_rcu, source
from krcsim.engine.calendar import (STOPPED, bin_of, first_cpu, heap_pop, log, pending_new, touch)
from krcsim.engine.rng import INF, exponential, jit, uniform
from krcsim.engine.state import (ALL, BINS, CODE, PAGE_STALL, QUEUED, SLEEPS, WAITS, WAKE, count_at,
    cpu_at, krw_at, node_at, out_at, prod_at, real_at, waiter_at)

_BEGINS = CODE["spell begins"]
_ENDS = CODE["spell ends"]
_WOKEN = CODE["wait ends"]
_BOOT = CODE["boot"]

NO_SPELL, GIVEN_SPELLS, RANDOM_SPELLS = 0, 1, 2  # GLOBAL.spell_kind

@jit
def in_force(g: Any) -> None:
    """Copy the failure probabilities of calm or spell to where the calls look."""
    k = 1 if g.spell else 0
    f = g.fail
    g.fp, g.fn, g.fs, g.fh, g.ff = f[k, 0], f[k, 1], f[k, 3], f[k, 4], f[k, 5]

@jit
def settle_all(g: Any, t: Any) -> None:
    """Account for all dull calls before t on all CPUs."""
    if g.settled >= t:
        return
    g.settled = t
    for i in range(g.cpus):
        source.settle(g, cpu_at(g.p_cpus, i), i, t)

@jit
def settle_for_peak(g: Any, t: Any) -> None:
    """Settle all CPUs if the number of deferred objects may be at a new peak before a release.

    Its exact value matters only then. The bound, eight standard deviations above the mean of the
    calls not yet counted, is passed with probability below 1e-14.
    """
    if not g.bursty:
        more = g.rate_sum * t - g.rate_base
        if more > 0.0:
            more += 8.0 * math.sqrt(more) + 20.0
        if g.deferred + more < out_at(g.p_out, g.win).peak:
            return
    settle_all(g, t)

@jit
def switch_pressure(g: Any, t: Any) -> None:
    """A spell of pressure begins or ends, for all CPUs."""
    settle_all(g, t)
    g.spell ^= 1
    in_force(g)
    if g.spell:
        g.prev_waited, g.prev_win = g.spell_waited, g.spell_win
        g.spell_waited, g.spell_win = 0, g.win
        g.spell_id += 1
        out_at(g.p_out, g.win).spells += 1
    log(g, t, _BEGINS if g.spell else _ENDS, ALL, float(g.spell_id))
    if g.spell_kind == RANDOM_SPELLS:
        g.spell_at = t + exponential(g.r_spell) * (g.spell_mean if g.spell else g.calm_mean)
    else:
        g.sched_i += 1
        g.spell_at = real_at(g.p_schedule, g.sched_i).x if g.sched_i < g.sched_n else INF
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        # Only a CPU without room asks the allocator; but which it is may differ by channel.
        source.plan(g, c, i, t)
        touch(g, i)

@jit
def next_window(g: Any, t: Any) -> None:
    """The boot window ends at t and steady state begins, or the run ends: close its sums."""
    settle_all(g, t)
    out = out_at(g.p_out, g.win)
    out.peak = max(out.peak, g.deferred)
    out.area += g.deferred * t
    if t >= g.horizon:
        g.late = 1
        g.window_at = INF
        return
    g.win = 1
    out = out_at(g.p_out, 1)
    out.area -= g.deferred * t
    out.peak = g.deferred
    g.window_at = g.horizon

@jit
def late(g: Any, t: Any, win: Any, called: Any) -> None:
    """A held-up call ends at t: its latency goes into the histogram."""
    ms = (t - called + g.call_cost) * g.tick_ms
    count_at(g.p_late_hist, win * BINS + bin_of(ms)).n += 1

@jit
def tell(g: Any, t: Any, win: Any, called: Any, begin: Any, cpu: Any) -> None:
    """A wait that began at `begin` is over at t: add it to sums and histograms."""
    ms = (t - begin) * g.tick_ms
    out_at(g.p_out, win).wait_ms += ms
    count_at(g.p_wait_hist, win * BINS + bin_of(ms)).n += 1
    late(g, t, win, called)
    log(g, t, _WOKEN, cpu, ms)

@jit
def free_again(g: Any, i: Any, t: Any) -> Any:
    """When a caller woken at t on CPU i runs: a burst's, only after the works that are ready."""
    c = cpu_at(g.p_cpus, i)
    if not g.bursty or not c.wk:
        return t
    ahead = c.wk_ptr0 + c.wk_ptr1 + c.wk_head - c.wk_size
    lo, hi = (0, 2 * g.cpus) if g.nocb > 0.0 else (2 * i, 2 * i + 2)
    for s in range(lo, hi):
        k = krw_at(g.p_krw, s)
        if k.state == QUEUED and k.cpu == i:
            ahead += k.ptr0 + k.ptr1 + k.head
    return c.wk_at + ahead * g.free_cost

@jit
def back(g: Any, i: Any, t: Any, prod: Any, called: Any) -> None:
    """The caller on CPU i is free to go on (closed loop)."""
    if g.closed:
        source.resumed(g, cpu_at(g.p_cpus, i), i, t, prod, called)
    touch(g, i)

@jit
def wake(g: Any, t: Any) -> None:
    """The first waiter's grace period is over."""
    k = waiter_at(g.p_waiters, g.head_w % g.wait_cap)
    g.head_w += 1
    tell(g, free_again(g, k.cpu, t), k.win, k.call, k.begin, k.cpu)
    if g.closed:
        source.settle(g, cpu_at(g.p_cpus, k.cpu), k.cpu, t)
        back(g, k.cpu, t, k.prod, k.call)

@jit
def pending_ends(g: Any, t: Any) -> None:
    """A stall ends, and its call goes on; or an expedited wait is over."""
    heap_pop(g)
    e = pending_new(g)
    i = e.cpu
    c = cpu_at(g.p_cpus, i)
    prod, called = e.prod, e.call
    if not g.late:
        source.settle(g, c, i, t)
    if e.what == WAKE:
        tell(g, free_again(g, i, t), e.win, called, e.begin, i)
        back(g, i, t, prod, called)
        return
    win, waits = e.win, out_at(g.p_out, e.win).waits
    if e.what == PAGE_STALL:
        held = kfree_rcu.page_result(g, c, i, t, e)
    else:
        held = kfree_rcu.after_head(g, c, i, t, e.u_head >= e.ff, e)
    if not held:
        late(g, t, win, called)
        if g.closed:
            back(g, i, t, prod, called)
            return
    elif out_at(g.p_out, win).waits == waits:
        return  # stalls once more
    source.plan(g, c, i, t)
    touch(g, i)

@jit
def cpu_event(g: Any, i: Any, t: Any) -> None:
    """CPU i's next event is due at t: its monitor, a ready or running work, a phase, a call."""
    c = cpu_at(g.p_cpus, i)
    if c.monitor_at == t:
        source.settle(g, c, i, t)
        kfree_rcu.monitor(g, c, i, t)
        source.plan(g, c, i, t)
        touch(g, i)
        return
    for s in range(2 * i, 2 * i + 2):
        k = krw_at(g.p_krw, s)
        if k.state == WAITS and k.ready == t:
            x = kfree_rcu.work_ready(g, s)
            touch(g, i)
            if not cpu_at(g.p_cpus, x).wk:
                start_works(g, x, t)
            return
    if c.wk_at == t:
        works(g, i, t)
    elif c.phase_at == t:
        source.settle(g, c, i, t)
        c.on = 1 - c.on
        c.phase_at = t + exponential(c.arrivals) * (g.on_mean if c.on else g.off_mean)
        source.set_rate(g, c)
        source.plan(g, c, i, t)
        touch(g, i)
    else:
        source.source_call(g, c, i, t)
        touch(g, i)

@jit
def start_works(g: Any, x: Any, t: Any) -> None:
    """CPU x's worker is free: start the readiest work, and finish it if freeing takes no time."""
    s = kfree_rcu.next_work(g, x)
    if s < 0:
        return
    c = cpu_at(g.p_cpus, x)
    if g.bursty and g.free_cost > 0.0:
        source.settle(g, c, x, t)  # the work takes the CPU
    kfree_rcu.work_start(g, x, s, t)
    if g.free_cost <= 0.0:
        works(g, x, t)
        return
    if g.bursty:
        source.plan(g, c, x, t)
    touch(g, x)

@jit
def works(g: Any, x: Any, t: Any) -> None:
    """Steps of the work on CPU x end at t; then the next work, or back to calls."""
    c = cpu_at(g.p_cpus, x)
    settle_for_peak(g, t)
    while c.wk and c.wk_at <= t:
        owner = c.wk_owner
        o = cpu_at(g.p_cpus, owner)
        # Pages may reach a CPU without room: its plan must be drawn anew from here.
        source.settle(g, o, owner, t)
        source.settle(g, c, x, t)
        if kfree_rcu.work_step(g, x, t):
            c.free_at = max(c.free_at, t)
            s = kfree_rcu.next_work(g, x)
            if s >= 0:
                kfree_rcu.work_start(g, x, s, t)
        if x != owner:
            source.plan(g, o, owner, t)
            touch(g, owner)
    source.plan(g, c, x, t)
    touch(g, x)

@jit
def boot(g: Any) -> None:
    """The state at time 0: sources, pressure and the first events."""
    g.spell_at = INF
    if g.spell_kind == RANDOM_SPELLS:
        share = g.spell_mean / (g.spell_mean + g.calm_mean)
        if g.stationary and uniform(g.r_spell) < share:
            g.spell_at = 0.0
        else:
            g.spell_at = exponential(g.r_spell) * g.calm_mean
    elif g.spell_kind == GIVEN_SPELLS:
        g.spell_at = real_at(g.p_schedule, 0).x
    in_force(g)
    g.gp_at = INF
    g.window_at = g.warmup if g.warmup > 0.0 else g.horizon
    g.win = 0 if g.warmup > 0.0 else 1
    log(g, 0.0, _BOOT, ALL, 0.0)
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        c.monitor_at = c.call_at = c.phase_at = c.wk_at = INF
        c.cur = -1
        c.on = 1
        c.first_prod = i * g.producers
        for s in range(2 * i, 2 * i + 2):
            krw_at(g.p_krw, s).ready = INF
        if g.bursty:
            phase = g.phase if g.tick_phase else uniform(c.arrivals) * g.period / g.producers
            for j in range(g.producers):
                p = prod_at(g.p_prods, c.first_prod + j)
                p.due = p.ready = phase + j * g.period / g.producers
                p.left = g.burst
                p.state = SLEEPS
        else:
            if not g.poisson:
                c.on = 1 if uniform(c.arrivals) < g.on_mean / (g.on_mean + g.off_mean) else 0
                c.phase_at = exponential(c.arrivals) * (g.on_mean if c.on else g.off_mean)
            source.set_rate(g, c)
        source.plan(g, c, i, 0.0)
        touch(g, i)

@jit
def simulate(g: Any) -> None:
    """One replication, from boot until every call made before the horizon is answered."""
    boot(g)
    events = 0
    while g.error == 0:
        i = first_cpu(g)
        at_cpu = real_at(g.p_tree, 1).x if not g.late else INF
        at_wake = waiter_at(g.p_waiters, g.head_w % g.wait_cap).wake if g.head_w < g.tail_w else INF
        at_pending = node_at(g.p_nodes, 0).at if g.heap_n > 0 else INF
        at_spell = g.spell_at if not g.late else INF
        t = min(min(min(g.gp_at, at_cpu), min(at_wake, at_pending)), at_spell)
        if g.late:
            if g.head_w == g.tail_w and g.heap_n == 0:
                break
        elif t >= g.window_at:
            next_window(g, g.window_at)
            continue
        events += 1
        if (events & 1023) == 0 and count_at(g.p_stop, 0).n:
            g.error = STOPPED
        if g.gp_at == t:
            if g.active:
                grace.finish(g, t)
            else:
                grace.begin(g, t)
        elif at_cpu == t and calendar_first(g, i, t):
            cpu_event(g, i, t)
        elif at_wake == t:
            wake(g, t)
        elif at_pending == t:
            pending_ends(g, t)
        elif at_spell == t:
            switch_pressure(g, t)
        else:
            cpu_event(g, i, t)
    out_at(g.p_out, 1).events += events

@jit
def calendar_first(g: Any, i: Any, t: Any) -> Any:
    """Whether CPU i's event at t goes before wake-ups and pressure: a monitor or a work does."""
    c = cpu_at(g.p_cpus, i)
    if c.monitor_at == t or c.wk_at == t:
        return True
    for s in range(2 * i, 2 * i + 2):
        k = krw_at(g.p_krw, s)
        if k.state == WAITS and k.ready == t:
            return True
    return False

def compiled(sources: int) -> Any:
    """The entry point, cached on disk under a key that holds `sources`.

    numba's cache sees changes of the file of a function but not of those it calls; a variable of
    the closure is part of the key, so a digest of all sources makes it see them.
    """

    @numba.njit(nogil=True, error_model="numpy", cache=True)  # type: ignore[untyped-decorator]
    def run(worlds: Any) -> Any:
        simulate(worlds[0])
        return sources

    return run
