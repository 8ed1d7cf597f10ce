# SPDX-License-Identifier: GPL-2.0-only
"""Channel, kind and luck of calls: which are dull, which hit, and how the luck of a tagged CPU is
biased.
"""

import math

from krcsim.engine.codes import ANY_CALL, BIASED, FORCED, SLAB, VMALLOC
from krcsim.engine.compiling import compile_module, part
from krcsim.engine.kfree_rcu import p_no_head
from krcsim.engine.random_streams import chance, uniform
from krcsim.engine.records import Cpu, World

Marks = tuple[int, bool, float, float]  # channel, single-argument, u_page, u_head


def p_by_channel(world: World, cpu: Cpu, channel: int) -> tuple[float, float]:
    """P(a call is of channel channel and dull), P(it is of channel channel and not dull)."""
    mine = 1.0 - world.p_vmalloc if channel == SLAB else world.p_vmalloc
    dull = 1.0
    if cpu.head_block_room[channel] <= 0:  # else it must end on the list
        caches = world.has_array_path and cpu.cached_pages[channel * world.has_channel_caches] > 0
        dull = (
            0.0
            if caches or world.misses_are_eventful
            else (1.0 - world.p_single) * world.p_page_fails
            + world.p_single * world.p_single_uneventful
        )
    return mine * dull, mine * (1.0 - dull)


def p_uneventful_biased(world: World, cpu: Cpu, dull: float) -> float:
    """P(a call is uneventful): as it is, or biased so that failures come sooner; then
    cpu.plan_log_ratio keeps account.
    """
    if (
        world.makes_copies
        and 1.0 - dull < p_eventful_at_least(world, cpu)
        and p_neither_page_nor_head(world, cpu, SLAB) + p_neither_page_nor_head(world, cpu, VMALLOC)
        > 0.0
    ):
        cpu.plan_could_be_biased = 1
        if cpu.bias and world.log_ratio <= world.max_log_ratio:
            cpu.p_eventful_biased = p_eventful_at_least(world, cpu)
            cpu.plan_log_ratio = math.log(dull / (1.0 - cpu.p_eventful_biased))
            return 1.0 - cpu.p_eventful_biased
    return dull


def p_eventful_at_least(world: World, cpu: Cpu) -> float:
    """How often a biased call is trouble at least: the fewer objects its pool has, the less
    often.
    """
    return world.p_eventful_biased * (cpu.nr_emergency + 2.0) / (world.pool_capacity + 2.0)


def p_neither_page_nor_head(world: World, cpu: Cpu, channel: int) -> float:
    """P(a call is of channel channel and gets neither page nor rcu_head: it takes from the pool or
    waits).
    """
    if cpu.head_block_room[channel] > 0 or (
        world.has_array_path and cpu.cached_pages[channel * world.has_channel_caches] > 0
    ):
        return 0.0
    mine = 1.0 - world.p_vmalloc if channel == SLAB else world.p_vmalloc
    return (
        mine
        * world.p_single
        * (world.p_noretry_page_fails if world.asks_noretry else world.p_page_fails)
        * p_no_head(world)
    )


def p_page_from_allocator(world: World, cpu: Cpu, channel: int) -> float:
    """P(a call is of this channel, finds neither room nor a cached page, and gets a page from
    the allocator).
    """
    if cpu.head_block_room[channel] > 0 or (
        world.has_array_path and cpu.cached_pages[channel * world.has_channel_caches] > 0
    ):
        return 0.0
    mine = 1.0 - world.p_vmalloc if channel == SLAB else world.p_vmalloc
    return mine * (
        (1.0 - world.p_single) * (1.0 - world.p_page_fails)
        + world.p_single
        * (1.0 - (world.p_noretry_page_fails if world.asks_noretry else world.p_page_fails))
    )


@part
def draw_call(world: World, cpu: Cpu) -> Marks:
    """Channel, kind and luck of the last call of a plan: ANY_CALL, or of a channel without room and
    not dull.
    """
    if cpu.bias:
        return draw_biased_call(world, cpu)
    return (
        draw_any_call(world, cpu)
        if cpu.plan_last_kind == ANY_CALL
        else draw_eventful_call(world, cpu)
    )


def draw_biased_call(world: World, cpu: Cpu) -> Marks:
    """As draw_call(), for a biased CPU: it gets neither page nor rcu_head with a higher
    probability, and world.log_ratio keeps account.

    Not while a fork has had more luck than it should, by e^most: so its weight goes no further than
    a step beyond that.
    """
    h0, h1 = p_neither_page_nor_head(world, cpu, SLAB), p_neither_page_nor_head(world, cpu, VMALLOC)
    hit, more, forced = (
        h0 + h1,
        p_by_channel(world, cpu, SLAB)[1] + p_by_channel(world, cpu, VMALLOC)[1],
        cpu.bias == FORCED,
    )
    if hit <= 0.0:
        return (
            draw_any_call(world, cpu)
            if cpu.plan_last_kind == ANY_CALL
            else draw_eventful_call(world, cpu)
        )
    bias, often = (
        world.log_ratio <= world.max_log_ratio or forced,
        cpu.p_eventful_biased if cpu.plan_log_ratio > 0.0 else more,
    )
    if cpu.plan_last_kind == ANY_CALL:
        often = 1.0 if forced else max(more, p_eventful_at_least(world, cpu)) if bias else more
        if often < 1.0 and uniform(cpu.call_stream) >= often:
            world.log_ratio += math.log((1.0 - more) / (1.0 - often))
            m = draw_any_call(world, cpu)
            while is_eventful(world, cpu, m[0], m[1], m[2], m[3]):
                m = draw_any_call(world, cpu)
            return m
    if often != more:
        world.log_ratio += math.log(more / often)
    # Trouble that decides is a hit or a page; the rest (say, an rcu_head after a stall) is left as
    # it is.
    page = p_page_from_allocator(world, cpu, SLAB) + p_page_from_allocator(world, cpu, VMALLOC)
    decides = (hit + page) / more
    to = (
        1.0
        if forced
        else max(decides, min(0.5, p_eventful_at_least(world, cpu) / often))
        if bias
        else decides
    )
    if uniform(cpu.call_stream) >= to:
        world.log_ratio += math.log((1.0 - decides) / (1.0 - to))
        m = draw_eventful_call(world, cpu)
        while is_decided(world, cpu, m[0], m[1], m[2], m[3]):
            m = draw_eventful_call(world, cpu)
        return m
    rho = hit / (hit + page)
    hit_to = 1.0 if forced else max(rho, world.p_hit_biased) if bias else rho
    world.log_ratio += math.log(decides / to)
    if uniform(cpu.call_stream) >= hit_to:
        world.log_ratio += math.log((1.0 - rho) / (1.0 - hit_to))
        channel = (
            VMALLOC
            if uniform(cpu.call_stream) * page >= p_page_from_allocator(world, cpu, SLAB)
            else SLAB
        )
        double, single_fails = (
            (1.0 - world.p_single) * (1.0 - world.p_page_fails),
            world.p_noretry_page_fails if world.asks_noretry else world.p_page_fails,
        )
        single = (
            uniform(cpu.call_stream) * (double + world.p_single * (1.0 - single_fails)) >= double
        )
        fails = single_fails if single else world.p_page_fails
        return (
            channel,
            single,
            fails + (1.0 - fails) * uniform(cpu.call_stream),
            uniform(cpu.call_stream),
        )
    world.log_ratio += math.log(rho / hit_to)
    if forced:
        cpu.bias = BIASED
        world.weight, world.log_ratio = world.weight * math.exp(world.log_ratio), 0.0
    channel = VMALLOC if uniform(cpu.call_stream) * hit >= h0 else SLAB
    fails = world.p_noretry_page_fails if world.asks_noretry else world.p_page_fails
    return (
        channel,
        True,
        fails * uniform(cpu.call_stream),
        p_no_head(world) * uniform(cpu.call_stream),
    )


def is_decided(
    world: World, cpu: Cpu, channel: int, single: bool, u_page: float, u_head: float
) -> bool:
    """Whether a call with these marks gets a page from the allocator, or neither page nor
    rcu_head.
    """
    page = u_page >= (
        world.p_noretry_page_fails if single and world.asks_noretry else world.p_page_fails
    )
    return p_neither_page_nor_head(world, cpu, channel) + p_page_from_allocator(
        world, cpu, channel
    ) > 0.0 and (page or (single and u_head < p_no_head(world)))


def is_eventful(
    world: World, cpu: Cpu, channel: int, single: bool, u_page: float, u_head: float
) -> bool:
    """Whether a call with these marks is not dull."""
    any_luck = world.misses_are_eventful or (
        world.has_array_path and cpu.cached_pages[channel * world.has_channel_caches] > 0
    )
    luck = u_page >= world.p_page_fails or (
        single and (world.asks_noretry or u_head < world.p_head_fails_at_first)
    )
    return p_by_channel(world, cpu, channel)[1] > 0.0 and bool(any_luck or luck)


@part
def draw_any_call(world: World, cpu: Cpu) -> Marks:
    """Marks of a call of which nothing is known."""
    r = cpu.call_stream
    return (
        VMALLOC if chance(r, world.p_vmalloc) else SLAB,
        chance(r, world.p_single),
        uniform(r),
        uniform(r),
    )


def draw_eventful_call(world: World, cpu: Cpu) -> Marks:
    """Marks of a call that is not dull."""
    r = cpu.call_stream
    t0, t1 = p_by_channel(world, cpu, SLAB)[1], p_by_channel(world, cpu, VMALLOC)[1]
    channel = VMALLOC if uniform(r) * (t0 + t1) >= t0 else SLAB
    u_page, u_head, u = uniform(r), uniform(r), uniform(r)
    if world.misses_are_eventful or (
        world.has_array_path and cpu.cached_pages[channel * world.has_channel_caches] > 0
    ):
        return channel, u < world.p_single, u_page, u_head
    double_page, single_page = (
        (1.0 - world.p_single) * (1.0 - world.p_page_fails),
        world.p_single * (1.0 - world.p_page_fails),
    )
    u *= double_page + world.p_single * (1.0 - world.p_single_uneventful)
    single = u >= double_page
    if not (single and world.asks_noretry):
        if u < double_page + single_page:
            u_page = world.p_page_fails + (1.0 - world.p_page_fails) * u_page
        else:
            u_page *= world.p_page_fails
            u_head *= world.p_head_fails_at_first
    return channel, single, u_page, u_head


compile_module()
