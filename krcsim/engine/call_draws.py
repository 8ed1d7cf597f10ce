# SPDX-License-Identifier: GPL-2.0-only
"""What a call is and whether its requests fail: probabilities, and draws from them (rules R4 and
R20 of docs/model.md).

Whether a call is eventful is defined in plans.py.
"""

from krcsim.engine.codes import SLAB, VMALLOC
from krcsim.engine.kvfree_call import p_no_head, p_page_fails_at_once
from krcsim.engine.random_streams import INF, chance, uniform
from krcsim.engine.records import Cpu, World

CallDraw = tuple[int, bool, float, float]  # channel, single-argument or not, u_page, u_head


def p_channel(world: World, channel: int) -> float:
    """R4: P(a call concerns an object of this channel)."""
    return 1.0 - world.p_vmalloc if channel == SLAB else world.p_vmalloc


def p_kind_is_refused(world: World) -> float:
    """R66: P(a call has a slab object of a kind that no sheaf takes)."""
    return (1.0 - world.p_vmalloc) * (1.0 - world.kmem_cache.sheaf_share)


def p_memory_is_refused(world: World, cpu: Cpu) -> float:
    """R67: P(a call finds no sheaf and gets none), where the plan was drawn for such calls."""
    if not cpu.plan_finds_no_sheaf:
        return 0.0
    takes = (1.0 - world.p_vmalloc) * world.kmem_cache.sheaf_share
    return takes * world.kmem_cache.p_sheaf_fails


def p_behind_sheaves(world: World, cpu: Cpu, channel: int) -> float:
    """P(a call concerns an object of this channel that no sheaf takes)."""
    if world.sheaf_entries == 0 or channel == VMALLOC:
        return p_channel(world, channel)
    return p_kind_is_refused(world) + p_memory_is_refused(world, cpu)


def p_single_page_fails(world: World) -> float:
    """R15: P(a single-argument call gets no page from the allocator, at once or after a stall)."""
    return world.p_noretry_page_fails if world.asks_noretry else world.p_page_fails


def has_cached_page(world: World, cpu: Cpu, channel: int) -> bool:
    """R14: whether a call without room would find a page in the cache."""
    cache = channel * world.has_channel_caches
    return world.has_array_path > 0 and cpu.cached_pages[cache] > 0


def p_uneventful_and_eventful(world: World, cpu: Cpu, channel: int) -> tuple[float, float]:
    """P(a call is of this channel and uneventful), P(it is of this channel and eventful)."""
    share = p_behind_sheaves(world, cpu, channel)
    uneventful = 1.0

    # A call that finds no room in the head block is uneventful only if it ends on the list. (A
    # refill worker makes all misses eventful: has_refill_worker implies misses_are_eventful.)
    if cpu.head_block_room[channel] <= 0:
        if has_cached_page(world, cpu, channel) or world.misses_are_eventful:
            uneventful = 0.0
        else:
            double = (1.0 - world.p_single) * world.p_double_page_fails
            uneventful = double + world.p_single * world.p_single_uneventful
    if world.sheaf_entries > 0 and cpu.monitor_at == INF:  # it would arm the monitor
        uneventful = 0.0

    return share * uneventful, share * (1.0 - uneventful)


def p_neither_page_nor_head(world: World, cpu: Cpu, channel: int) -> float:
    """P(a call is of this channel and gets neither page nor rcu_head: it takes from the pool, or
    waits).
    """
    if cpu.head_block_room[channel] > 0 or has_cached_page(world, cpu, channel):
        return 0.0

    single = p_channel(world, channel) * world.p_single
    return single * p_single_page_fails(world) * p_no_head(world)


def p_page_from_allocator(world: World, cpu: Cpu, channel: int) -> float:
    """P(a call is of this channel, finds neither room nor a cached page, and gets a page from the
    allocator).
    """
    if cpu.head_block_room[channel] > 0 or has_cached_page(world, cpu, channel):
        return 0.0

    double = (1.0 - world.p_single) * (1.0 - world.p_double_page_fails)
    single = world.p_single * (1.0 - p_single_page_fails(world))
    return p_channel(world, channel) * (double + single)


def draw_any_call(world: World, cpu: Cpu) -> CallDraw:
    """A call of which nothing is known."""
    stream = cpu.call_stream
    channel = VMALLOC if chance(stream, world.p_vmalloc) else SLAB
    is_single = chance(stream, world.p_single)
    u_page = uniform(stream)
    u_head = uniform(stream)

    return channel, is_single, u_page, u_head


def draw_eventful_call(world: World, cpu: Cpu) -> CallDraw:
    """A call that is eventful."""
    stream = cpu.call_stream
    slab = p_uneventful_and_eventful(world, cpu, SLAB)[1]
    vmalloc = p_uneventful_and_eventful(world, cpu, VMALLOC)[1]

    channel = VMALLOC if uniform(stream) * (slab + vmalloc) >= slab else SLAB
    u_page = uniform(stream)
    u_head = uniform(stream)
    kind = uniform(stream)
    arms_monitor = world.sheaf_entries > 0 and cpu.monitor_at == INF
    if world.misses_are_eventful or arms_monitor or has_cached_page(world, cpu, channel):
        return channel, kind < world.p_single, u_page, u_head

    double_page = (1.0 - world.p_single) * (1.0 - world.p_double_page_fails)
    single_page = world.p_single * (1.0 - world.p_page_fails)
    kind *= double_page + world.p_single * (1.0 - world.p_single_uneventful)

    is_single = kind >= double_page
    if not (is_single and world.asks_noretry):
        if kind < double_page + single_page:
            p_fails = p_page_fails_at_once(world, is_single)
            u_page = p_fails + (1.0 - p_fails) * u_page
        else:
            u_page *= world.p_page_fails
            u_head *= world.p_head_fails_at_first

    return channel, is_single, u_page, u_head
