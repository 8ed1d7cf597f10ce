# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits: forks of a run, each from where a CPU's pool is full and its next call may hit, until
it is so again.

A wait takes an empty pool, so each lies in one of these stretches. A fork copies the run and biases
the luck of that CPU's calls; its waits count with the ratio of the likelihoods. The run itself is
never biased, and knows of no fork.

Where it seldom runs out of pages, it is split: at each of several levels of danger() it goes on as
several copies of less weight, one after another, until they fall below the level; the last of them
goes on as the run.
"""

import math
from typing import Any

import numba

from krcsim.engine import event_loop
from krcsim.engine.calendar import first_cpu
from krcsim.engine.call_marks import hits
from krcsim.engine.call_source import plan, settle
from krcsim.engine.event_loop import boot, step
from krcsim.engine.grace_periods import above, lasted, length_of
from krcsim.engine.random_streams import BIG, INF, compile_module, next64, uniform
from krcsim.engine.records import (
    BIASED,
    CPU,
    DULL,
    FORCED,
    FRESH,
    GLOBAL,
    HELD,
    KRW,
    OUT,
    PRODUCER,
    QUEUED,
    REAL,
    SLAB,
    VMALLOC,
    WAITS,
    cpu_at,
    held_at,
    krw_at,
    move,
    node_at,
    out_at,
    real_at,
    tally_at,
)

GLOBAL_BYTES, CPU_BYTES, KRW_BYTES, PRODUCER_BYTES, HELD_BYTES, OUT_BYTES, REAL_BYTES = (
    dtype.itemsize for dtype in (GLOBAL, CPU, KRW, PRODUCER, HELD, OUT, REAL)
)
PILOT_STEPS, WINDOWS = 1_000_000, 2
AT_CALL, AT_PLAN, AT_EPISODE = 0, 1, 2  # where a fork begins


def copy(to: Any, g: Any) -> None:
    """Make `to` the state that g is in; it keeps its own arrays."""
    cpus, krw, prods, waiters, pending = to.p_cpus, to.p_krw, to.p_prods, to.p_waiters, to.p_pending
    nodes, tree, me = to.p_nodes, to.p_tree, to.p_self
    a, b, c, d, noted = to.r_fork.a, to.r_fork.b, to.r_fork.c, to.r_fork.d, to.peaks_n
    out, wait_hist, late_hist, tally = to.p_out, to.p_wait_hist, to.p_late_hist, to.p_tally
    move(me, g.p_self, GLOBAL_BYTES)
    to.p_cpus, to.p_krw, to.p_prods, to.p_waiters, to.p_pending = cpus, krw, prods, waiters, pending
    to.p_nodes, to.p_tree, to.p_self, to.log_cap = nodes, tree, me, 0
    to.p_out, to.p_wait_hist, to.p_late_hist, to.p_tally = out, wait_hist, late_hist, tally
    to.r_fork.a, to.r_fork.b, to.r_fork.c, to.r_fork.d, to.peaks_n = a, b, c, d, noted
    move(cpus, g.p_cpus, CPU_BYTES * g.cpus)
    move(krw, g.p_krw, KRW_BYTES * 2 * g.cpus)
    out_at(out, g.win).peak = out_at(
        g.p_out, g.win
    ).peak  # works() compares with it: not that of an earlier copy
    move(tree, g.p_tree, REAL_BYTES * 2 * g.leaves)
    if g.bursty:
        move(prods, g.p_prods, PRODUCER_BYTES * g.cpus * g.producers)
    for j in range(g.head_w, g.tail_w):
        slot = (j % g.wait_cap) * HELD_BYTES
        move(waiters + slot, g.p_waiters + slot, HELD_BYTES)
    for j in range(g.heap_n):  # the same order; the slots are those of `to`
        mine, its = node_at(nodes, j), node_at(g.p_nodes, j)
        mine.at = its.at
        move(pending + mine.slot * HELD_BYTES, g.p_pending + its.slot * HELD_BYTES, HELD_BYTES)


def reseed(f: Any, g: Any) -> None:
    """Give the copy f random numbers of its own."""
    for r in (f.r_episode, f.r_gp, f.r_foreign, f.r_expedited):
        renew(r, g.r_fork)
    for i in range(f.cpus):
        c = cpu_at(f.p_cpus, i)
        renew(c.arrivals, g.r_fork)
        renew(c.marks, g.r_fork)
        renew(c.stalls, g.r_fork)


def renew(r: Any, of: Any) -> None:
    """A new state for a stream, out of another."""
    r.a, r.b, r.c, r.d = next64(of), next64(of), next64(of), next64(of)


def chance_at(g: Any, i: Any) -> Any:
    """Whether the next event is a call on CPU i, with its pool full, that may hit."""
    c = cpu_at(g.p_cpus, i)
    t = c.call_at
    if g.late or g.pages or c.nr_emergency - c.doomed < g.pool_cap or c.known == DULL or c.raised:
        return False
    if not (
        t < g.gp_at
        and t < g.episode_at
        and t < g.window_at
        and t < c.monitor_at
        and t < c.wk_at
        and t < c.phase_at
    ):
        return False
    if krw_at(g.p_krw, 2 * i).ready_at <= t or krw_at(g.p_krw, 2 * i + 1).ready_at <= t:
        return False
    if g.head_w < g.tail_w and held_at(g.p_waiters, g.head_w % g.wait_cap).wake <= t:
        return False
    if g.heap_n > 0 and node_at(g.p_nodes, 0).at <= t:
        return False
    s0, s1 = c.room[0], c.room[1]
    if c.known == FRESH and not 0.0 < g.vmalloc < 1.0 and c.n > 1:  # by then the block is full
        c.room[SLAB] = c.room[VMALLOC] = 0
    may = hits(g, c, SLAB) + hits(g, c, VMALLOC) > 0.0
    c.room[SLAB], c.room[VMALLOC] = s0, s1
    return may


def fork(g: Any, f: Any, i: Any, where: Any) -> None:
    """Follow a copy of g with CPU i biased until the next such place; its waits count."""
    share = g.share if where != AT_EPISODE else 1.0
    share *= g.calm_share if g.episode == 0 and g.pool_cap > 0 else 1.0
    if share < 1.0 and uniform(g.r_fork) >= share:
        return
    copy(f, g)
    reseed(f, g)
    f.weight /= share * g.repeat
    for j in range(f.cpus):
        cpu_at(f.p_cpus, j).heard = 0
    for j in range(f.head_w, f.tail_w):
        held_at(f.p_waiters, j % f.wait_cap).heard = 0
    for j in range(f.heap_n):
        held_at(f.p_pending, node_at(f.p_nodes, j).slot).heard = 0
    c = cpu_at(f.p_cpus, i)
    # A call that does not hit leads to no wait before the next such place; but a caller that goes
    # on may call at once.
    forced = where == AT_CALL and not (f.closed and not f.bursty)
    c.heard, c.tagged = 1, FORCED if forced else BIASED
    f.unanswered, f.log_lr, episodes = 0, 0.0, f.episode_id
    if where != AT_CALL:
        plan(f, c, i, c.plan_at)
        c.planned = 0
    going, pressed, begun = True, f.episode > 0, f.events
    while f.error == 0:
        going = step(f)
        if (
            not going
            or f.episode_id > episodes
            or c.planned
            or (first_cpu(f) == i and chance_at(f, i))
        ):
            break
        if (
            pressed and f.episode == 0 and f.unanswered == 0 and f.heap_n == 0
        ):  # few go on into calm, where waits are few
            if f.calm_share <= 0.0 or uniform(f.r_episode) >= f.calm_share:
                break
            f.weight, pressed = f.weight / f.calm_share, False
    hit = c.tagged == 0  # the bias ends with its first wait
    c.heard, c.tagged = 0, 0
    while going and f.error == 0 and f.unanswered > 0:
        going = step(f)
    g.error = max(g.error, f.error)
    out = tally_at(g.p_tally, g.win)
    out.forks += 1
    out.hits += hit
    out.events += f.events - begun


def danger(g: Any) -> Any:
    """How near a CPU is to need a page when none is cached: about the log of its probability. Any
    measure is right.

    What it takes is that a grace period lasts so long, and that so many calls come until its pages
    return.
    """
    worst, less = -INF, 0.0 if g.episode > 0 else g.calm_danger
    if g.late or less == -INF:
        return worst
    after, k0 = g.invoke + g.work_delay, lasted(g, g.now) if g.active else 0
    for i in range(g.cpus):
        c, t = cpu_at(g.p_cpus, i), cpu_at(g.p_cpus, i).plan_at
        drain_at = c.monitor_at if c.monitor_at < INF else t + g.drain
        free, next_one, ready = False, True, INF
        for s in range(2 * i, 2 * i + 2):
            k = krw_at(g.p_krw, s)
            free |= k.state != WAITS or k.ready_at < drain_at
            ready = min(ready, k.ready_at)
            next_one &= not (
                k.state == WAITS and k.blk[SLAB] + k.blk[VMALLOC] > 0 and k.need == g.done + 1
            )
        wait, passed, busy = g.now - t + after, k0, 0.0
        if next_one or not g.active:
            wait, passed = wait + (0.5 * g.gp_mean if g.active else 1.0), 0
        if not free:  # perhaps still at the drain, which then comes one later
            busy = 0.0 if ready < INF else odds(g, 1.0, drain_at - t, wait, passed, INF)
            drain_at += g.drain
        for ch in range(2):
            share = 1.0 - g.vmalloc if ch == SLAB else g.vmalloc
            if share > 0.0:
                pages = c.cache[ch * g.own_cache] + (
                    c.wk_blk[ch] if c.wk_owner == i else 0
                )  # cached, or as good as
                soon, away = 0, 0
                for s in range(2 * i, 2 * i + 2):
                    k = krw_at(g.p_krw, s)
                    pages += k.blk[ch] * (k.state == QUEUED)
                    soon += k.blk[ch] * (k.ready_at < INF)
                    away += k.blk[ch] * (k.state == WAITS and k.ready_at == INF)
                rate, room, kept = (
                    share * (g.base_rate if g.bursty else c.rate),
                    c.room[ch],
                    min(pages, g.cache_cap),
                )
                come = rate * max(0.0, drain_at - t)
                used = max(0.0, math.ceil((come - room) / g.block))
                if soon > 0:
                    fit = g.block * (kept - used) if drain_at < ready else room + g.block * kept
                    worst = max(
                        worst, beyond(rate * (ready - (drain_at if drain_at < ready else t)), fit)
                    )
                    kept = min(pages + soon, g.cache_cap)
                if away > 0:
                    worst = max(
                        worst, odds(g, rate, room + g.block * kept, wait, passed, drain_at - t)
                    )
                for u in (used, used + 1.0):  # pages used by then, or one more
                    more = beyond(come, room + g.block * (u - 1.0))
                    if free and away > 0:  # what is away comes after the drain only
                        fit = g.block * (kept - u)
                        worst = max(
                            worst, more + odds(g, rate, fit, wait + t - drain_at, passed, g.drain)
                        )
                    fit = g.block * (
                        min(pages + soon + away, g.cache_cap) - u
                    )  # for the next batch's grace period
                    worst = max(worst, more + busy + odds(g, rate, fit, 1.0 + after, 0, INF))
    return worst + less


def odds(g: Any, rate: Any, fit: Any, wait: Any, passed: Any, most: Any) -> Any:
    """About log P(more calls than fit come in `wait` and what k lengths leave of a grace period, or
    in `most`).
    """
    best, since, all_of = -INF, g.now - g.gp_began if passed > 0 else 0.0, above(g, passed)
    for k in range(passed, g.gp_n):
        come = rate * min(most, wait + real_at(g.p_gp_ticks, k).x - since)
        if come > 0.0 and above(g, k) > 0.0:
            best = max(best, math.log(above(g, k) / all_of) + beyond(come, fit))
            if come >= fit:
                break
    return best


def beyond(come: Any, fit: Any) -> Any:
    """About log P(more calls come than fit), where `come` are expected."""
    return -0.5 * (fit - come) ** 2 / (come + 1.0) if fit > come else 0.0


def level_of(g: Any, going: Any) -> Any:
    """How many levels of danger g has passed; its measure is kept in g.score."""
    g.score, n = danger(g) if going else -INF, 0
    while n < g.levels and g.score >= real_at(g.p_levels, 2 * n).x:
        n += 1
    return n


def noted(g: Any, score: Any) -> None:
    """Keep a measure of danger for the choice of levels."""
    if g.peaks_n < g.peaks_cap:
        real_at(g.p_peaks, g.peaks_n).x = score
        g.peaks_n += 1


def fork_here(g: Any, f: Any, i: Any, where: Any) -> None:
    """All the forks of one place."""
    cpu_at(g.p_cpus, i).heard = 0
    for _ in range(g.repeat):
        fork(g, f, i, where)


def forks(g: Any, f: Any, episodes: Any) -> None:
    """The forks that begin after a step: at a new plan, or at a new episode."""
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        if c.planned or g.episode_id > episodes:
            where = AT_PLAN if c.planned else AT_EPISODE
            c.heard = c.planned = 0
            if where == AT_PLAN or c.nr_emergency - c.doomed < g.pool_cap:
                fork_here(g, f, i, where)


def simulate(worlds: Any) -> None:
    """One replication, worlds[0], with its forks, worlds[1], and a copy for each level; until the
    first fork of a CPU its waits count as they come.
    """
    g, f = worlds[0], worlds[1]
    boot(g)
    g.weight, level, steps, peak = 1.0, 0, 0, -INF
    for i in range(g.cpus):
        cpu_at(g.p_cpus, i).heard = 1
    while g.error == 0:
        i, episodes = first_cpu(g), g.episode_id
        if real_at(g.p_tree, 1).x < INF and chance_at(g, i):
            fork_here(g, f, i, AT_CALL)
        going = step(g)
        steps += 1
        if not g.pages:
            forks(g, f, episodes)
        if g.look < BIG:
            to = level_of(g, going)
            if g.levels == 0:
                noted(g, g.score)
            while level < to:
                peak = g.score
                level += 1
                g.weight /= real_at(g.p_levels, 2 * level - 1).x
                copy(worlds[1 + level], g)
                move(worlds[1 + level].p_out, g.p_out, OUT_BYTES * WINDOWS)
                worlds[1 + level].left = int(real_at(g.p_levels, 2 * level - 1).x) - 1
            peak = max(peak, g.score)
            while level > to:
                if level == g.levels:
                    noted(g, peak)
                w = worlds[1 + level]
                if w.left > 0:
                    w.left -= 1
                    copy(g, w)
                    move(g.p_out, w.p_out, OUT_BYTES * WINDOWS)
                    reseed(g, g)
                    if g.active and g.gp_at > g.now and g.reader == 0.0:
                        left = above(g, lasted(g, g.now))
                        g.gp_at = g.gp_began + length_of(g, 1.0 - left * uniform(g.r_gp))
                    if not g.bursty:  # what lies ahead is drawn anew
                        for i in range(g.cpus):
                            c = cpu_at(g.p_cpus, i)
                            known = (
                                c.raised
                            )  # then the forks of this plan were made before the copy
                            settle(g, c, g.now)
                            plan(g, c, i, g.now)
                            if c.planned and not (known or g.pages):
                                fork_here(g, f, i, AT_PLAN)
                            c.planned = 0
                    going, to, peak = True, level, g.score
                else:
                    g.weight *= real_at(g.p_levels, 2 * level - 1).x
                    level -= 1
        if not going or (
            g.peaks_cap > 0 and steps > PILOT_STEPS
        ):  # levels of a pilot may be far from right
            break
    out_at(g.p_out, max(1, g.win)).events += g.events if g.look == BIG else steps


compile_module()


def compiled(sources: int) -> Any:
    """The entry point, cached on disk; numba's cache key holds `sources`, a digest, but not the
    functions called.
    """

    @numba.njit(nogil=True, error_model="numpy", cache=True)  # type: ignore[untyped-decorator]
    def run(worlds: Any) -> Any:
        if len(worlds) > 1:
            simulate(worlds)
        else:
            event_loop.simulate(worlds[0])
        return sources

    return run
