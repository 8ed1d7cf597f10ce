# SPDX-License-Identifier: GPL-2.0-only
"""The grace-period machine: one for all batches and waiters of a run."""

from __future__ import annotations

import math
from typing import Any

from krcsim.engine.calendar import FULL, heap_push, log, pending_new, touch
from krcsim.engine.rng import INF, jit, normal, uniform
from krcsim.engine.state import ALL, CODE, WAITS, WAKE, krw_at, out_at, real_at, waiter_at

_START = CODE["grace period starts"]
_END = CODE["grace period ends"]
_WAIT = CODE["wait begins"]

@jit
def length(g: Any) -> Any:
    """The length of the next grace period in ticks: one draw from the table."""
    u = uniform(g.r_gp)
    lo, hi = 0, g.gp_n - 1
    while lo < hi:
        mid = (lo + hi) >> 1
        if real_at(g.p_gp_cdf, mid).x < u:
            lo = mid + 1
        else:
            hi = mid
    return real_at(g.p_gp_ticks, lo).x

@jit
def begin(g: Any, t: Any) -> None:
    """A grace period starts at t."""
    g.active = 1
    g.pending = 0
    g.gp_at = t + length(g)
    log(g, t, _START, ALL, float(g.done + 1))

@jit
def request(g: Any, t: Any) -> Any:
    """Ask at t for a full grace period; returns the number of the one to wait for."""
    if g.active:
        return g.done + 2
    if not g.pending:
        if g.ticked:
            g.pending = 1
            g.gp_at = math.floor(t) + 1.0
        else:
            begin(g, t)
    return g.done + 1

@jit
def finish(g: Any, t: Any) -> None:
    """The running grace period ends at t: works and waiters it served get their time."""
    g.done += 1
    g.active = 0
    g.gp_at = INF
    log(g, t, _END, ALL, float(g.done))
    more = False
    at = t + g.invoke
    for i in range(g.cpus):
        changed = False
        for s in range(2 * i, 2 * i + 2):
            k = krw_at(g.p_krw, s)
            if k.state == WAITS and k.ready == INF:
                if k.need <= g.done:
                    k.ready = at + g.work_delay
                    changed = True
                else:
                    more = True
        if changed:
            touch(g, i)
    while g.mark_w < g.tail_w:
        waiter = waiter_at(g.p_waiters, g.mark_w % g.wait_cap)
        if waiter.need > g.done:
            more = True
            break
        waiter.wake = at
        g.mark_w += 1
    if more:
        begin(g, t)

@jit
def wait(g: Any, t: Any, cpu: Any, prod: Any, call: Any, win: Any, spell: Any) -> None:
    """A caller on `cpu` begins to wait at t for a call made at `call`."""
    log(g, t, _WAIT, cpu, 0.0)
    out = out_at(g.p_out, win)
    out.waits += 1
    if spell > 0:
        out.waits_spell += 1
        if spell == g.spell_id and not g.spell_waited:
            g.spell_waited = 1
            out_at(g.p_out, g.spell_win).spells_waited += 1
        elif spell == g.spell_id - 1 and not g.prev_waited:  # a stall outlasted its spell
            g.prev_waited = 1
            out_at(g.p_out, g.prev_win).spells_waited += 1
    if g.rcu_expedited:
        e = pending_new(g)
        e.what = WAKE
        e.cpu, e.prod, e.win, e.call, e.begin = cpu, prod, win, call, t
        heap_push(g, t + g.exp_median * math.exp(g.exp_sigma * normal(g.r_expedited)))
        return
    if g.tail_w - g.head_w >= g.wait_cap:
        g.error = FULL
        return
    k = waiter_at(g.p_waiters, g.tail_w % g.wait_cap)
    g.tail_w += 1
    k.need = request(g, t)
    k.cpu, k.prod, k.win, k.call, k.begin = cpu, prod, win, call, t
    k.wake = INF
