# SPDX-License-Identifier: GPL-2.0-only
"""Calls of a CPU whose random draws are biased: importance sampling (docs/methods.md).

A biased call is drawn in three steps: whether it is eventful; whether it gets either a page from
the allocator or neither page nor rcu_head (other eventful calls get a cached page, or an rcu_head
after a stall); and if so, whether it gets neither. Each step has a larger probability than the
model gives it, and World.log_ratio sums up the logarithms of the ratios of the two. While the ratio
of likelihoods is above e^max_log_ratio already no step is biased, so that a weight exceeds that by
one call at most.
"""

import math

from krcsim.engine.call_draws import (
    CallDraw,
    draw_any_call,
    draw_eventful_call,
    has_cached_page,
    p_neither_page_nor_head,
    p_page_from_allocator,
    p_single_page_fails,
    p_uneventful_and_eventful,
)
from krcsim.engine.codes import ANY_CALL, BIASED, FORCED, SLAB, VMALLOC
from krcsim.engine.kvfree_call import p_no_head, p_page_fails_at_once
from krcsim.engine.random_streams import uniform
from krcsim.engine.records import Cpu, World


def p_failing_call(world: World, cpu: Cpu) -> float:
    """P(a call gets neither page nor rcu_head)."""
    slab = p_neither_page_nor_head(world, cpu, SLAB)
    return slab + p_neither_page_nor_head(world, cpu, VMALLOC)


def p_eventful_call(world: World, cpu: Cpu) -> float:
    """P(a call is eventful)."""
    slab = p_uneventful_and_eventful(world, cpu, SLAB)[1]
    return slab + p_uneventful_and_eventful(world, cpu, VMALLOC)[1]


def p_eventful_at_least(world: World, cpu: Cpu) -> float:
    """How often a biased call is eventful at least: the fewer objects its pool has, the less
    often.
    """
    return world.p_eventful_biased * (cpu.nr_emergency + 2.0) / (world.pool_capacity + 2.0)


def p_uneventful_biased(world: World, cpu: Cpu, uneventful: float) -> float:
    """The probability with which to draw that a call is uneventful: the right one, or on a biased
    CPU a smaller one, so that failures come sooner; cpu.plan_log_ratio keeps account of that.
    """
    if (
        world.makes_copies
        and 1.0 - uneventful < p_eventful_at_least(world, cpu)
        and p_failing_call(world, cpu) > 0.0
    ):
        cpu.plan_could_be_biased = 1

        if cpu.bias and world.log_ratio <= world.max_log_ratio:
            cpu.p_eventful_biased = p_eventful_at_least(world, cpu)
            cpu.plan_log_ratio = math.log(uneventful / (1.0 - cpu.p_eventful_biased))
            return 1.0 - cpu.p_eventful_biased

    return uneventful


def draw_call(world: World, cpu: Cpu) -> CallDraw:
    """The last call of a plan of which nothing is known, or only that it is eventful."""
    if cpu.bias:
        return draw_biased_call(world, cpu)
    return draw_unbiased_call(world, cpu)


def draw_unbiased_call(world: World, cpu: Cpu) -> CallDraw:
    """The last call of a plan, with the probabilities of the model."""
    if cpu.plan_last_kind == ANY_CALL:
        return draw_any_call(world, cpu)
    return draw_eventful_call(world, cpu)


def draw_biased_call(world: World, cpu: Cpu) -> CallDraw:
    """As draw_call(), for a biased CPU: in three steps, each with a biased probability (see above);
    FORCED makes all three certain.
    """
    p_fails = p_failing_call(world, cpu)
    p_eventful = p_eventful_call(world, cpu)
    if p_fails <= 0.0:
        return draw_unbiased_call(world, cpu)

    is_forced = cpu.bias == FORCED
    is_biased = is_forced or world.log_ratio <= world.max_log_ratio

    # Is it eventful? If the plan was to end with an eventful call this was drawn with the plan.
    p_eventful_drawn = cpu.p_eventful_biased if cpu.plan_log_ratio > 0.0 else p_eventful
    if cpu.plan_last_kind == ANY_CALL:
        at_least = p_eventful_at_least(world, cpu)
        p_eventful_drawn = raise_probability(cpu, p_eventful, at_least, is_biased)
        if p_eventful_drawn < 1.0 and uniform(cpu.call_stream) >= p_eventful_drawn:
            world.log_ratio += math.log((1.0 - p_eventful) / (1.0 - p_eventful_drawn))
            return draw_uneventful_call(world, cpu)
    if p_eventful_drawn != p_eventful:
        world.log_ratio += math.log(p_eventful / p_eventful_drawn)

    # Does it get a page from the allocator, or neither page nor rcu_head? Other eventful calls,
    # such as those that get an rcu_head after a stall, are not biased further.
    p_page = p_page_from_allocator(world, cpu, SLAB) + p_page_from_allocator(world, cpu, VMALLOC)
    p_page_or_neither = (p_fails + p_page) / p_eventful
    at_least = min(0.5, p_eventful_at_least(world, cpu) / p_eventful_drawn)
    p_drawn = raise_probability(cpu, p_page_or_neither, at_least, is_biased)
    if not draw_step(world, cpu, p_page_or_neither, p_drawn):
        return draw_other_eventful_call(world, cpu)

    # Does it get neither page nor rcu_head?
    p_neither = p_fails / (p_fails + p_page)
    p_drawn = raise_probability(cpu, p_neither, world.p_hit_biased, is_biased)
    if not draw_step(world, cpu, p_neither, p_drawn):
        return draw_call_with_page(world, cpu, p_page)

    if is_forced:
        cpu.bias = BIASED
        world.weight = world.weight * math.exp(world.log_ratio)
        world.log_ratio = 0.0
    return draw_failing_call(world, cpu, p_fails)


def raise_probability(cpu: Cpu, p: float, at_least: float, is_biased: bool) -> float:
    """The probability with which a step is drawn, where p is right: certain if it is FORCED, and
    raised to `at_least` if it is biased.
    """
    if cpu.bias == FORCED:
        return 1.0
    return max(p, at_least) if is_biased else p


def draw_step(world: World, cpu: Cpu, p: float, p_drawn: float) -> bool:
    """Whether a step comes out true, drawn with probability p_drawn where p is right."""
    is_true = uniform(cpu.call_stream) < p_drawn
    if is_true:
        world.log_ratio += math.log(p / p_drawn)
    else:
        world.log_ratio += math.log((1.0 - p) / (1.0 - p_drawn))

    return is_true


def draw_uneventful_call(world: World, cpu: Cpu) -> CallDraw:
    """Draw calls until one is uneventful."""
    call = draw_any_call(world, cpu)
    while is_eventful(world, cpu, call[0], call[1], call[2], call[3]):
        call = draw_any_call(world, cpu)

    return call


def draw_other_eventful_call(world: World, cpu: Cpu) -> CallDraw:
    """Draw eventful calls until one gets no page from the allocator, but an rcu_head or a cached
    page.
    """
    call = draw_eventful_call(world, cpu)
    while gets_page_or_neither(world, cpu, call[0], call[1], call[2], call[3]):
        call = draw_eventful_call(world, cpu)

    return call


def draw_call_with_page(world: World, cpu: Cpu, p_page: float) -> CallDraw:
    """A call that gets a page from the allocator."""
    stream = cpu.call_stream
    slab = p_page_from_allocator(world, cpu, SLAB)
    channel = VMALLOC if uniform(stream) * p_page >= slab else SLAB

    p_single_fails = p_single_page_fails(world)
    double = (1.0 - world.p_single) * (1.0 - world.p_double_page_fails)
    single = world.p_single * (1.0 - p_single_fails)
    is_single = uniform(stream) * (double + single) >= double

    p_fails = p_single_fails if is_single else world.p_double_page_fails
    u_page = p_fails + (1.0 - p_fails) * uniform(stream)
    u_head = uniform(stream)
    return channel, is_single, u_page, u_head


def draw_failing_call(world: World, cpu: Cpu, p_fails: float) -> CallDraw:
    """A call that gets neither page nor rcu_head."""
    stream = cpu.call_stream
    slab = p_neither_page_nor_head(world, cpu, SLAB)
    channel = VMALLOC if uniform(stream) * p_fails >= slab else SLAB

    u_page = p_single_page_fails(world) * uniform(stream)
    u_head = p_no_head(world) * uniform(stream)
    return channel, True, u_page, u_head


def gets_page_or_neither(
    world: World, cpu: Cpu, channel: int, is_single: bool, u_page: float, u_head: float
) -> bool:
    """Whether a call with these draws gets a page from the allocator, or neither page nor
    rcu_head.
    """
    p_fails = p_single_page_fails(world) if is_single else world.p_double_page_fails
    gets_page = u_page >= p_fails
    has_neither = is_single and u_head < p_no_head(world)
    may_ask = (
        p_neither_page_nor_head(world, cpu, channel) + p_page_from_allocator(world, cpu, channel)
        > 0.0
    )

    return may_ask and (gets_page or has_neither)


def is_eventful(
    world: World, cpu: Cpu, channel: int, is_single: bool, u_page: float, u_head: float
) -> bool:
    """Whether a call with these draws is eventful."""
    if p_uneventful_and_eventful(world, cpu, channel)[1] <= 0.0:
        return False
    if world.misses_are_eventful or has_cached_page(world, cpu, channel):
        return True
    if u_page >= p_page_fails_at_once(world, is_single):
        return True

    return is_single and (world.asks_noretry > 0 or u_head < world.p_head_fails_at_first)
