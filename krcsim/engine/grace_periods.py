# SPDX-License-Identifier: GPL-2.0-only
"""The grace-period machine: one for all batches and waiters of a run."""

import math
from typing import Any

from krcsim.engine.calendar import FULL, heap_push, log, touch
from krcsim.engine.random_streams import INF, compile_module, normal, uniform
from krcsim.engine.records import (
    ALL,
    GP_ENDS,
    GP_STARTS,
    WAIT_BEGINS,
    WAITS,
    WAKE,
    cpu_at,
    held_at,
    krw_at,
    node_at,
    out_at,
    prod_at,
    real_at,
    tally_at,
)


def begin(g: Any, t: Any) -> None:
    """A grace period starts at t; its length is one draw from the table."""
    length = length_of(g, uniform(g.r_gp))
    g.active, g.pending, g.gp_at, g.gp_began = 1, 0, t + length, t
    if g.reader > 0.0:  # a scan comes with the tick
        g.gp_at, g.gp_end = math.floor(t) + 1.0, math.floor(t) + length
        for i in range(g.cpus):
            c = cpu_at(g.p_cpus, i)
            read_on(g, c, t)
            c.hold = c.section_end if c.section <= t else 0.0
    log(g, t, GP_STARTS, ALL, float(g.done + 1))


def length_of(g: Any, u: Any) -> Any:
    """The length in ticks of which the table's distribution first reaches u."""
    lo, hi = 0, g.gp_n - 1
    while lo < hi:
        mid = (lo + hi) >> 1
        if real_at(g.p_gp_cdf, mid).x < u:
            lo = mid + 1
        else:
            hi = mid
    return real_at(g.p_gp_ticks, lo).x


def lasted(g: Any, t: Any) -> Any:
    """How many lengths of the table, the shortest first, the running grace period has passed at
    t.
    """
    k = 0
    while k < g.gp_n - 1 and g.gp_began + real_at(g.p_gp_ticks, k).x <= t:
        k += 1
    return k


def above(g: Any, k: Any) -> Any:
    """P(a grace period is longer than the first k lengths of the table)."""
    return 1.0 - real_at(g.p_gp_cdf, k - 1).x if k > 0 else 1.0


def read_on(g: Any, c: Any, t: Any) -> None:
    """The reader of CPU c goes on to t: its section is then that in progress, or the next (two
    wake-ups in between).
    """
    while c.section_end <= t:
        c.section = after_burst(g, c, c.section_end + g.reader_gap + 2.0 * g.wake_cost)
        c.section_end = after_burst(g, c, c.section + g.reader)


def after_burst(g: Any, c: Any, t: Any) -> Any:
    """From t on, the first time when calls at fixed gaps leave the CPU to the reader."""
    if (
        g.bursty
        and not g.exp_gap
        and g.producers == 1
        and not c.blocked
        and g.burst * c.cost < g.period
    ):
        since = (t - prod_at(g.p_prods, c.first_prod).due - g.wake_cost) % g.period
        t += max(0.0, g.burst * c.cost - since)
    return t


def needed(g: Any) -> Any:
    """The number of the first grace period that starts after now: the running one began too
    early.
    """
    return g.done + 1 + g.active


def request(g: Any, t: Any) -> Any:
    """Ask at t for a full grace period; returns the number of the one to wait for."""
    need = needed(g)
    if g.ticked and not (g.active or g.pending):
        g.pending, g.gp_at = 1, math.floor(t) + 1.0
    elif not (g.active or g.pending):
        begin(g, t)
    return need


def finish(g: Any, t: Any) -> None:
    """The running grace period ends at t: works and waiters it served get their time."""
    g.done += 1
    g.active, g.gp_at = 0, INF
    log(g, t, GP_ENDS, ALL, float(g.done))
    at, more = (math.floor(t) if g.ticked else t) + g.invoke, False
    for s in range(2 * g.cpus):
        k = krw_at(g.p_krw, s)
        more |= k.state == WAITS and k.need > g.done
        if k.state == WAITS and k.need <= g.done and k.ready_at == INF:
            k.ready_at = at + g.work_delay
            touch(g, s >> 1)
    while g.mark_w < g.tail_w and held_at(g.p_waiters, g.mark_w % g.wait_cap).need <= g.done:
        held_at(g.p_waiters, g.mark_w % g.wait_cap).wake = at
        g.mark_w += 1
    if more or g.mark_w < g.tail_w:
        begin(g, t)


def wait(g: Any, t: Any, e: Any) -> None:
    """The caller in `e`, the slot of pending_new(), begins to wait at t."""
    log(g, t, WAIT_BEGINS, e.cpu, 0.0)
    out, e.heard = out_at(g.p_out, e.win), 0
    out.waits += 1
    if g.rare:
        heard(g, cpu_at(g.p_cpus, e.cpu), e)
    if e.episode > 0:
        out.waits_episode += 1
        if not e.episode_waited:
            out_at(g.p_out, e.episode_win).episodes_waited += 1
            episode_waited(g, e.episode)
    if g.rcu_expedited:
        e.what, e.begin = WAKE, t + g.bursty * g.call_cost
        heap_push(g, t + g.exp_median * math.exp(g.exp_sigma * normal(g.r_expedited)))
    elif g.tail_w - g.head_w >= g.wait_cap:
        g.error = FULL
    else:
        k = held_at(g.p_waiters, g.tail_w % g.wait_cap)
        g.tail_w += 1
        k.cpu, k.prod, k.win, k.call, k.begin = (
            e.cpu,
            e.prod,
            e.win,
            e.call,
            t + g.bursty * g.call_cost,
        )
        k.need, k.wake, k.heard = request(g, t), INF, e.heard


def episode_waited(g: Any, episode: Any) -> None:
    """A call of this episode waits, the first one: calls of it that are made later, or still stall,
    are not another.
    """
    g.episode_waited |= g.episode_id == episode
    for j in range(g.heap_n):
        e = held_at(g.p_pending, node_at(g.p_nodes, j).slot)
        e.episode_waited |= e.episode == episode


def heard(g: Any, c: Any, e: Any) -> None:
    """A wait on CPU c, where forks are made: it counts with its weight, and luck is no longer
    biased.
    """
    if c.heard:
        g.weight *= math.exp(g.log_lr)
        g.log_lr, c.tagged = 0.0, 0
        out = tally_at(g.p_tally, e.win)
        out.waits += g.weight
        out.waits_episode += g.weight * (e.episode > 0)
        g.unanswered, e.heard = g.unanswered + 1, 1


compile_module()
