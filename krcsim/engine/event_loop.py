# SPDX-License-Identifier: GPL-2.0-only
"""The event loop: what happens next, in time order, and in the order of docs/model.md at ties."""

import math
from typing import Any

from krcsim.engine import call_source, grace_periods, kfree_rcu, page_memory
from krcsim.engine.calendar import STOPPED, bin_of, first_cpu, heap_pop, log, pending_new, touch
from krcsim.engine.kfree_rcu import work_cost
from krcsim.engine.random_streams import INF, compile_module, exponential, part, uniform
from krcsim.engine.records import (
    ALL,
    BINS,
    BOOT,
    EPISODE_BEGINS,
    EPISODE_ENDS,
    FRESH,
    LIST,
    QUEUED,
    WAIT_ENDS,
    WAKE,
    count_at,
    cpu_at,
    held_at,
    krw_at,
    node_at,
    out_at,
    prod_at,
    real_at,
    tally_at,
)


def in_force(g: Any) -> None:
    """Set what calm or episode makes of the failure probabilities, as the calls need them."""
    f, k = g.fail, g.episode
    g.fp = f[k, 0] if g.array_path else 1.0
    g.fn, g.ff = f[k, 1], f[k, 5]
    # That a single-argument call gets no rcu_head at once; that it gets one, but no page.
    g.fh = (
        1.0
        if g.head_alloc == kfree_rcu.NONE
        else f[k, 4]
        if g.head_alloc == kfree_rcu.TRYHARD
        else f[k, 3]
    )
    g.dull_single = 0.0 if g.noretry else g.fp * (1.0 - g.fh)
    if g.pages:  # then answers are 0 or 1
        g.fp = g.fn = g.fh = g.ff = 0.5


def settle_all(g: Any, t: Any) -> None:
    """Account for all dull calls before t on all CPUs."""
    if g.settled < t:
        g.settled = t
        for i in range(g.cpus):
            call_source.settle(g, cpu_at(g.p_cpus, i), t)


def switch_pressure(g: Any, t: Any) -> None:
    """An episode of pressure begins or ends, for all CPUs."""
    settle_all(g, t)
    if g.pages:
        page_memory.episode_switches(g, t)
    out_at(g.p_out, g.win).episode_ms += t if g.episode else -t
    g.episode ^= 1
    in_force(g)
    if g.episode:
        g.episode_id += 1
        if g.win < g.by_episode:
            next_window(g, t)
        g.episode_waited, g.episode_win = 0, g.win
        out_at(g.p_out, g.win).episodes += 1
    log(g, t, EPISODE_BEGINS if g.episode else EPISODE_ENDS, ALL, float(g.episode_id))
    if g.random_episodes:
        g.episode_at = t + exponential(g.r_episode) * (g.episode_mean if g.episode else g.calm_mean)
    else:
        g.sched_i += 1
        g.episode_at = real_at(g.p_schedule, g.sched_i).x
    for i in range(g.cpus):
        # Only a CPU without room asks the allocator; but which it is may differ by channel.
        call_source.plan(g, cpu_at(g.p_cpus, i), i, t)


def next_window(g: Any, t: Any) -> None:
    """A window ends at t: close its sums; the next one begins, or the run ends."""
    settle_all(g, t)
    out = out_at(g.p_out, g.win)
    out.peak, out.area = max(out.peak, g.deferred), out.area + g.deferred * t
    out.episode_ms += g.episode * t
    if t >= g.horizon:
        g.late, g.window_at, g.episode_at = 1, INF, INF
        for i in range(g.cpus):
            out.drains_due += cpu_at(g.p_cpus, i).monitor_at < INF
    else:
        g.win, g.window_at = g.win + 1, g.horizon
        out = out_at(g.p_out, g.win)
        out.peak, out.area, out.episode_ms = (
            g.deferred,
            out.area - g.deferred * t,
            out.episode_ms - g.episode * t,
        )


def answered(g: Any, t: Any, e: Any) -> None:
    """The held-up call in `e` ends at t: its latency goes into the histogram."""
    ms = (t - e.call + g.call_cost) * g.tick_ms
    count_at(g.p_late_hist, e.win * BINS + bin_of(ms)).n += 1


def woken(g: Any, t: Any, e: Any) -> None:
    """The wait of the call in `e` is over at t: account for it; its caller may go on."""
    i, c, runs_at = e.cpu, cpu_at(g.p_cpus, e.cpu), t
    if g.closed:
        call_source.settle(g, c, t)
    if (
        g.bursty and c.wk and not g.closed
    ):  # a task that has slept long comes first, but for a block being freed
        runs_at = c.wk_at if c.wk_stage != LIST and t >= c.wk_pause else t
    elif g.bursty and c.wk:  # it gets the CPU after the works that are ready
        ahead = work_cost(g, c, c.wk_ptr.sum() - c.wk_size, c.wk_blk[LIST] - c.wk_wrappers)
        for s in kfree_rcu.queue_of(g, i):
            k = krw_at(g.p_krw, s)
            if k.state == QUEUED and k.cpu == i:
                ahead += work_cost(g, c, k.ptr.sum(), k.blk[LIST])
        runs_at = max(t, c.wk_at + ahead)
    if g.bursty:
        runs_at = c.awake_at = max(runs_at, c.awake_at) + g.wake_cost
    ms = (runs_at - e.begin) * g.tick_ms
    out_at(g.p_out, e.win).wait_ms += ms
    count_at(g.p_wait_hist, e.win * BINS + bin_of(ms)).n += 1
    if e.heard:
        tally_at(g.p_tally, e.win).wait_ms += g.weight * ms
        g.unanswered -= 1
    answered(g, runs_at, e)
    log(g, t, WAIT_ENDS, i, ms)
    if g.closed:
        call_source.resumed(g, c, i, t, runs_at, e)


def pending_ends(g: Any, t: Any) -> None:
    """A stall ends, and its call goes on; or an expedited wait is over."""
    heap_pop(g)
    e = pending_new(g)
    i, c = e.cpu, cpu_at(g.p_cpus, e.cpu)
    call_source.settle(g, c, t)
    if e.what == WAKE:
        woken(g, t, e)
        return
    waits = out_at(g.p_out, e.win).waits
    held = kfree_rcu.go_on(g, c, i, t, e)
    if not held:
        answered(g, t, e)
    if not held and g.closed:
        call_source.resumed(g, c, i, t, t, e)
    elif not held or out_at(g.p_out, e.win).waits > waits:  # else it stalls once more
        call_source.plan(g, c, i, t)


@part
def due(g: Any, i: Any, t: Any) -> Any:
    """Whether CPU i's monitor or a ready or running work is due at t."""
    c, a, b = cpu_at(g.p_cpus, i), krw_at(g.p_krw, 2 * i), krw_at(g.p_krw, 2 * i + 1)
    return c.monitor_at == t or a.ready_at == t or b.ready_at == t or c.wk_at == t


def maintenance(g: Any, i: Any, t: Any) -> None:
    """Handle what is due() on CPU i at t."""
    c, s = cpu_at(g.p_cpus, i), 2 * i
    if c.monitor_at == t:
        call_source.settle(g, c, t)
        kfree_rcu.monitor(g, c, i, t)
        call_source.plan(g, c, i, t)
    elif krw_at(g.p_krw, s).ready_at == t or krw_at(g.p_krw, s + 1).ready_at == t:
        batch_ready(g, s if krw_at(g.p_krw, s).ready_at == t else s + 1, t)
    else:
        works(g, i, t)


def batch_ready(g: Any, s: Any, t: Any) -> None:
    """Batch s's callback was invoked: choose its CPU; its work starts if no other runs there."""
    k, x = krw_at(g.p_krw, s), s >> 1
    if (
        g.closed and g.bursty
    ):  # callbacks are invoked in order: a caller that asked before runs on before the work
        for j in range(g.head_w, g.mark_w):
            e = held_at(g.p_waiters, j % g.wait_cap)
            if e.cpu == x and e.wake == t and e.begin < k.asked:
                k.ready_at = t + g.wake_cost + prod_at(g.p_prods, e.prod).left * g.call_cost
        if k.ready_at > t:
            touch(g, x)
            return
    if g.nocb > 0.0 and uniform(g.r_foreign) < g.nocb:
        x = int(uniform(g.r_foreign) * (g.cpus - 1))
        x += x >= s >> 1
    k.state, k.cpu, k.since, k.ready_at = QUEUED, x, t, INF
    touch(g, s >> 1)
    c = cpu_at(g.p_cpus, x)
    if c.wk:
        return
    if g.bursty and g.free_cost > 0.0:
        call_source.settle(g, c, t)  # the work takes the CPU
    kfree_rcu.work_next(g, x, t)
    if g.free_cost <= 0.0:  # then freeing takes no time
        works(g, x, t)
    elif g.bursty:
        call_source.plan(g, c, x, t)
    else:
        touch(g, x)


def works(g: Any, x: Any, t: Any) -> None:
    """Steps of the work on CPU x end at t; then the next work, or back to calls."""
    c = cpu_at(g.p_cpus, x)
    # Only at a new peak does the exact number of deferred objects matter before a release. More
    # calls than eight standard deviations above the mean of those not yet counted have a
    # probability below 1e-14.
    more = g.rate_sum * t - g.rate_base
    if more > 0.0:
        more += 8.0 * math.sqrt(more) + 20.0
    if g.bursty or g.deferred + more >= out_at(g.p_out, g.win).peak:
        settle_all(g, t)
    exact = g.bursty or g.pages > 0
    while c.wk and c.wk_at <= t:
        to = x if g.to_worker else c.wk_owner
        o = cpu_at(g.p_cpus, to)
        # Pages may reach a CPU without room: then its plan must be drawn anew from here.
        anew = exact or o.known != FRESH
        if anew:
            call_source.settle(g, o, t)
        if exact:
            call_source.settle(g, c, t)
        kfree_rcu.work_step(g, x, t)
        kfree_rcu.work_next(g, x, t)
        if g.bursty and c.wk and math.floor(t) > math.floor(c.wk_began):
            call_source.let_in(g, c, t)
        if anew and (x != to or not g.bursty):
            call_source.plan(g, o, to, t)
    if g.bursty:
        call_source.plan(g, c, x, t)
    else:
        touch(g, x)


def readers_done(g: Any, t: Any) -> Any:
    """Whether the grace period ends at t; else it is looked at again when the next section ends
    that holds it up.
    """
    later = INF
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        call_source.settle(g, c, t)
        scan, busy_until = math.floor(g.gp_began) + 1.0, 0.0
        if c.wk:
            busy_until = c.wk_at + work_cost(
                g, c, c.wk_ptr.sum() - c.wk_size, c.wk_blk[LIST] - c.wk_wrappers
            )
        elif g.bursty and c.cur >= 0:
            busy_until = c.start + prod_at(g.p_prods, c.cur).left * c.cost
        grace_periods.read_on(g, c, scan - 1e-9)
        if 0.0 <= c.hold < scan:
            # The CPU passed between two sections, which is reported with the tick; a reader that
            # was preempted before counts as one that the grace period waits for
            # (rcu_preempt_ctxt_queue()).
            late = g.gp_began < c.section < scan
            c.hold = c.section_end if late and c.woke > c.section else -1.0
        if c.hold == t:  # it runs on when the CPU is free again
            c.hold = max(t, busy_until)
        if c.hold > t:
            later = min(later, c.hold)
    g.gp_at = later if later < INF else max(t, g.gp_end)
    return g.gp_at <= t


def boot(g: Any) -> None:
    """The state at time 0: sources, pressure and the first events."""
    g.gp_at, g.episode_at = INF, real_at(g.p_schedule, 0).x
    if g.random_episodes:
        at_once = g.stationary and uniform(g.r_episode) < g.episode_mean / (
            g.episode_mean + g.calm_mean
        )
        g.episode_at = 0.0 if at_once else exponential(g.r_episode) * g.calm_mean
    g.noretry &= g.array_path  # else nobody asks for pages
    in_force(g)
    page_memory.boot(g)
    g.window_at = g.horizon if g.by_episode else g.warmup
    log(g, 0.0, BOOT, ALL, 0.0)
    for i in range(g.cpus):
        c = cpu_at(g.p_cpus, i)
        c.monitor_at = c.call_at = c.phase_at = c.wk_at = INF
        c.cur, c.on, c.first_prod = -1, 1, i * g.producers
        krw_at(g.p_krw, 2 * i).ready_at = krw_at(g.p_krw, 2 * i + 1).ready_at = INF
        if g.reader > 0.0:
            # The harness starts its clock with a grace period's end: on the tick after a section's.
            c.section_end = -uniform(g.r_gp) * (1.0 if g.tick_phase else g.reader + g.reader_gap)
            c.section = c.section_end - g.reader
        if g.bursty:
            phase = g.phase if g.tick_phase else uniform(c.arrivals) * g.period / g.producers
            for j in range(g.producers):
                p = prod_at(g.p_prods, c.first_prod + j)
                p.due = phase + j * g.period / g.producers
                p.ready = p.due + g.wake_cost
                p.left = g.burst
        else:
            if not g.poisson:
                c.on = 1 if uniform(c.arrivals) < g.on_mean / (g.on_mean + g.off_mean) else 0
                c.phase_at = exponential(c.arrivals) * (g.on_mean if c.on else g.off_mean)
            call_source.set_rate(g, c)
        call_source.plan(g, c, i, 0.0)


def step(g: Any) -> Any:
    """Handle what comes next: an event, or the end of a window; False if nothing is left to
    come.
    """
    i = first_cpu(g)
    at_cpu = real_at(g.p_tree, 1).x if not g.late else INF
    at_wake = held_at(g.p_waiters, g.head_w % g.wait_cap).wake if g.head_w < g.tail_w else INF
    at_pending = node_at(g.p_nodes, 0).at if g.heap_n > 0 else INF
    t = min(g.gp_at, at_cpu, at_wake, at_pending, g.episode_at)
    if g.late:
        if g.head_w == g.tail_w and g.heap_n == 0:
            return False
    elif t >= g.window_at:
        g.now = g.window_at
        next_window(g, g.window_at)
        return True
    g.now = t
    g.events += 1
    if (g.events & 1023) == 0 and count_at(g.p_stop, 0).n:
        g.error = STOPPED
    if g.gp_at > t and at_cpu == t and due(g, i, t):
        maintenance(g, i, t)
    elif g.gp_at == t or at_wake == t or at_pending == t or g.episode_at == t:
        seldom(g, t, at_wake, at_pending)
    else:
        call_source.source_event(g, i, t)
    return True


def seldom(g: Any, t: Any, at_wake: Any, at_pending: Any) -> None:
    """What concerns no CPU alone happens at t; apart from step(), whose start would pay for each
    call in here.
    """
    if g.gp_at == t and g.active:
        if g.reader <= 0.0 or readers_done(g, t):
            grace_periods.finish(g, t)
    elif g.gp_at == t:
        grace_periods.begin(g, t)
    elif at_wake == t:
        g.head_w += 1
        woken(g, t, held_at(g.p_waiters, (g.head_w - 1) % g.wait_cap))
    elif at_pending == t:
        pending_ends(g, t)
    else:
        switch_pressure(g, t)


def simulate(g: Any) -> None:
    """One replication, from boot until every call made before the horizon is answered."""
    boot(g)
    while g.error == 0 and step(g):
        pass
    out_at(g.p_out, max(1, g.win)).events += g.events


compile_module()
