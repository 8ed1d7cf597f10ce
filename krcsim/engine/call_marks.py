# SPDX-License-Identifier: GPL-2.0-only
"""Channel, kind and luck of calls: which are dull, which hit, and how the luck of a tagged CPU is
biased.
"""

import math
from typing import Any

from krcsim.engine.kfree_rcu import no_head
from krcsim.engine.random_streams import chance, compile_module, part, uniform
from krcsim.engine.records import BIASED, FORCED, FRESH, SLAB, VMALLOC


def shares(g: Any, c: Any, ch: Any) -> Any:
    """P(a call is of channel ch and dull), P(it is of channel ch and not dull)."""
    mine = 1.0 - g.vmalloc if ch == SLAB else g.vmalloc
    dull = 1.0
    if c.room[ch] <= 0:  # else it must end on the list
        caches = g.array_path and c.cache[ch * g.own_cache] > 0
        dull = 0.0 if caches or g.no_dull else (1.0 - g.single) * g.fp + g.single * g.dull_single
    return mine * dull, mine * (1.0 - dull)


def sooner(g: Any, c: Any, dull: Any) -> Any:
    """P(a call is dull), as it is or, for a tagged CPU, biased so that trouble comes sooner; c.odds
    keeps account.
    """
    if g.rare and 1.0 - dull < least(g, c) and hits(g, c, SLAB) + hits(g, c, VMALLOC) > 0.0:
        c.raised = 1
        if c.tagged and g.log_lr <= g.most:
            c.often = least(g, c)
            c.odds = math.log(dull / (1.0 - c.often))
            return 1.0 - c.often
    return dull


def least(g: Any, c: Any) -> Any:
    """How often a biased call is trouble at least: the fewer objects its pool has, the less
    often.
    """
    return g.least * (c.nr_emergency + 2.0) / (g.pool_cap + 2.0)


def hits(g: Any, c: Any, ch: Any) -> Any:
    """P(a call is of channel ch and gets neither page nor rcu_head: it takes from the pool or
    waits).
    """
    if c.room[ch] > 0 or (g.array_path and c.cache[ch * g.own_cache] > 0):
        return 0.0
    mine = 1.0 - g.vmalloc if ch == SLAB else g.vmalloc
    return mine * g.single * (g.fn if g.noretry else g.fp) * no_head(g)


def had(g: Any, c: Any, ch: Any) -> Any:
    """P(a call is of channel ch, finds neither room nor a cached page, and gets a page from the
    allocator).
    """
    if c.room[ch] > 0 or (g.array_path and c.cache[ch * g.own_cache] > 0):
        return 0.0
    mine = 1.0 - g.vmalloc if ch == SLAB else g.vmalloc
    return mine * (
        (1.0 - g.single) * (1.0 - g.fp) + g.single * (1.0 - (g.fn if g.noretry else g.fp))
    )


@part
def marks(g: Any, c: Any) -> Any:
    """Channel, kind and luck of the last call of a plan: FRESH, or of a channel without room and
    not dull.
    """
    if c.tagged:
        return biased(g, c)
    return fresh(g, c) if c.known == FRESH else trouble(g, c)


def biased(g: Any, c: Any) -> Any:
    """As marks(), for a tagged CPU: it hits (see hits()) with a higher chance, and g.log_lr keeps
    account.

    Not while a fork has had more luck than it should, by e^most: so its weight goes no further than
    a step beyond that.
    """
    h0, h1 = hits(g, c, SLAB), hits(g, c, VMALLOC)
    hit, more, forced = (
        h0 + h1,
        shares(g, c, SLAB)[1] + shares(g, c, VMALLOC)[1],
        c.tagged == FORCED,
    )
    if hit <= 0.0:
        return fresh(g, c) if c.known == FRESH else trouble(g, c)
    bias, often = g.log_lr <= g.most or forced, c.often if c.odds > 0.0 else more
    if c.known == FRESH:
        often = 1.0 if forced else max(more, least(g, c)) if bias else more
        if often < 1.0 and uniform(c.marks) >= often:
            g.log_lr += math.log((1.0 - more) / (1.0 - often))
            m = fresh(g, c)
            while is_trouble(g, c, m[0], m[1], m[2], m[3]):
                m = fresh(g, c)
            return m
    if often != more:
        g.log_lr += math.log(more / often)
    # Trouble that decides is a hit or a page; the rest (say, an rcu_head after a stall) is left as
    # it is.
    page = had(g, c, SLAB) + had(g, c, VMALLOC)
    decides = (hit + page) / more
    to = 1.0 if forced else max(decides, min(0.5, least(g, c) / often)) if bias else decides
    if uniform(c.marks) >= to:
        g.log_lr += math.log((1.0 - decides) / (1.0 - to))
        m = trouble(g, c)
        while is_decided(g, c, m[0], m[1], m[2], m[3]):
            m = trouble(g, c)
        return m
    rho = hit / (hit + page)
    hit_to = 1.0 if forced else max(rho, g.choice) if bias else rho
    g.log_lr += math.log(decides / to)
    if uniform(c.marks) >= hit_to:
        g.log_lr += math.log((1.0 - rho) / (1.0 - hit_to))
        ch = VMALLOC if uniform(c.marks) * page >= had(g, c, SLAB) else SLAB
        double, single_fails = (1.0 - g.single) * (1.0 - g.fp), g.fn if g.noretry else g.fp
        single = uniform(c.marks) * (double + g.single * (1.0 - single_fails)) >= double
        fails = single_fails if single else g.fp
        return ch, single, fails + (1.0 - fails) * uniform(c.marks), uniform(c.marks)
    g.log_lr += math.log(rho / hit_to)
    if forced:
        c.tagged = BIASED
        g.weight, g.log_lr = g.weight * math.exp(g.log_lr), 0.0
    ch = VMALLOC if uniform(c.marks) * hit >= h0 else SLAB
    fails = g.fn if g.noretry else g.fp
    return ch, True, fails * uniform(c.marks), no_head(g) * uniform(c.marks)


def is_decided(g: Any, c: Any, ch: Any, single: Any, u_page: Any, u_head: Any) -> Any:
    """Whether a call with these marks gets a page from the allocator, or neither page nor
    rcu_head.
    """
    page = u_page >= (g.fn if single and g.noretry else g.fp)
    return hits(g, c, ch) + had(g, c, ch) > 0.0 and (page or (single and u_head < no_head(g)))


def is_trouble(g: Any, c: Any, ch: Any, single: Any, u_page: Any, u_head: Any) -> Any:
    """Whether a call with these marks is not dull."""
    any_luck = g.no_dull or (g.array_path and c.cache[ch * g.own_cache] > 0)
    luck = u_page >= g.fp or (single and (g.noretry or u_head < g.fh))
    return shares(g, c, ch)[1] > 0.0 and (any_luck or luck)


@part
def fresh(g: Any, c: Any) -> Any:
    """Marks of a call of which nothing is known."""
    r = c.marks
    return VMALLOC if chance(r, g.vmalloc) else SLAB, chance(r, g.single), uniform(r), uniform(r)


def trouble(g: Any, c: Any) -> Any:
    """Marks of a call that is not dull."""
    r = c.marks
    t0, t1 = shares(g, c, SLAB)[1], shares(g, c, VMALLOC)[1]
    ch = VMALLOC if uniform(r) * (t0 + t1) >= t0 else SLAB
    u_page, u_head, u = uniform(r), uniform(r), uniform(r)
    if g.no_dull or (g.array_path and c.cache[ch * g.own_cache] > 0):
        return ch, u < g.single, u_page, u_head
    double_page, single_page = (1.0 - g.single) * (1.0 - g.fp), g.single * (1.0 - g.fp)
    u *= double_page + g.single * (1.0 - g.dull_single)
    single = u >= double_page
    if not (single and g.noretry):
        if u < double_page + single_page:
            u_page = g.fp + (1.0 - g.fp) * u_page
        else:
            u_page *= g.fp
            u_head *= g.fh
    return ch, single, u_page, u_head


compile_module()
