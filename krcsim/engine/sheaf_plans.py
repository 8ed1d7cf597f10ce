# SPDX-License-Identifier: GPL-2.0-only
"""Plans where there are sheaves: which calls only append, to a sheaf or behind it (plans.py says
what a plan is).

A call is uneventful if a sheaf takes its object without being full then, or if no sheaf takes it
and it is uneventful behind. A CPU that has no sheaf to fill looks at each call; but if new sheaves
are mostly refused, and there is no empty one, those that are refused go on as others do.

Where objects have several sizes, each has a sheaf of its own. A plan skips calls of those sizes of
which more than one call is due before their sheaf is full, and is not longer than the room in any
of these sheaves; calls of the other sizes are looked at. So a size that is rare cuts no plan short.
"""

from krcsim.engine.barns import finds_no_empty_sheaf, pcs_of
from krcsim.engine.call_draws import (
    draw_any_call,
    draw_eventful_call,
    p_kind_is_refused,
    p_memory_is_refused,
    p_uneventful_and_eventful,
)
from krcsim.engine.codes import ANY_CALL, EVENTFUL, SLAB, UNEVENTFUL, VMALLOC, ZERO
from krcsim.engine.object_sizes import (
    OF_ALL,
    OF_REFUSED,
    defer_objects,
    draw_size,
    draw_size_of_call,
)
from krcsim.engine.pointers import counters_at, size_at
from krcsim.engine.random_streams import UNLIMITED, binomial, chance, geometric, uniform
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_records import NO_SHEAF
from krcsim.engine.sheaves import note_stored

# Channel, single-argument or not, u_page, u_head, u_share, u_sheaf.
SheafCallDraw = tuple[int, bool, float, float, float, float]

# From this probability of failure on, requests of new sheaves that fail are skipped.
MOSTLY = 0.5


def p_sheaf_takes(world: World) -> float:
    """R66: P(a call has an object of a kind that sheaves take)."""
    return (1.0 - world.p_vmalloc) * world.kmem_cache.sheaf_share


def sheaf_room(world: World, cpu: Cpu, size: int) -> int:
    """R67: how many objects of a size the sheaf of a CPU takes without being full; 0 if there is
    none.
    """
    filled = pcs_of(world, cpu, size).rcu_free
    if filled == NO_SHEAF:
        return 0
    return size_at(world.sizes_address, size).sheaf_capacity - 1 - filled


def p_size_takes(world: World, size: int) -> float:
    """R113: P(a call has an object of this size, and of a kind that its sheaf takes)."""
    share = size_at(world.sizes_address, size).share
    return (1.0 - world.p_vmalloc) * share * world.kmem_cache.share_of_slab


def p_skipped(world: World, cpu: Cpu) -> float:
    """R67: P(a call is one that a sheaf takes, of those that the plan skips)."""
    if world.nr_sizes == 1:
        return p_sheaf_takes(world) * (sheaf_room(world, cpu, ZERO) > 0)

    skipped = 0.0
    for size in range(world.nr_caches):
        skipped += p_size_takes(world, size) * pcs_of(world, cpu, size).is_skipped
    return skipped


def choose_skipped_sizes(world: World, cpu: Cpu) -> int:
    """R113: the sizes of which a new plan skips calls; most calls that it may have so."""
    longest = UNLIMITED
    for size in range(world.nr_caches):
        room = sheaf_room(world, cpu, size)
        is_skipped = room * p_size_takes(world, size) >= 1.0
        pcs_of(world, cpu, size).is_skipped = is_skipped
        if is_skipped:
            longest = min(longest, room)
    return longest


def draw_plan_with_sheaves(world: World, cpu: Cpu, longest: int) -> None:
    """Draw the number of calls of a plan, `longest` at most where calls go on behind sheaves, and
    what is known of its last call; as draw_plan_length().
    """
    p_takes = p_sheaf_takes(world)
    cpu.plan_finds_no_sheaf = 0
    cpu.plan_calls = 1
    cpu.plan_last_kind = ANY_CALL

    if world.nr_sizes > 1:
        room = choose_skipped_sizes(world, cpu)
    else:
        room = sheaf_room(world, cpu, ZERO)
        if pcs_of(world, cpu, ZERO).rcu_free == NO_SHEAF and p_takes > 0.0:
            mostly_fails = world.kmem_cache.p_sheaf_fails >= MOSTLY and not world.has_page_memory
            if not (mostly_fails and finds_no_empty_sheaf(world, cpu, ZERO)):
                return
            cpu.plan_finds_no_sheaf = 1

        if p_takes >= 1.0 and not cpu.plan_finds_no_sheaf:  # the most frequent case
            cpu.plan_calls = min(room + 1, world.max_plan_calls)
            cpu.plan_last_kind = ANY_CALL if room < world.max_plan_calls else UNEVENTFUL
            return

    longest = min(
        room or UNLIMITED,
        cpu.head_block_room[SLAB] or UNLIMITED,
        cpu.head_block_room[VMALLOC] or UNLIMITED,
        longest,
    )
    blocks = p_uneventful_and_eventful(world, cpu, SLAB)[0]
    blocks += p_uneventful_and_eventful(world, cpu, VMALLOC)[0]
    calls = geometric(cpu.sheaf_stream, p_skipped(world, cpu) + blocks)
    cpu.plan_calls = min(calls, longest)
    is_cut = calls > longest or calls == UNLIMITED
    cpu.plan_last_kind = UNEVENTFUL if is_cut else EVENTFUL


def share_behind_sheaves(world: World, cpu: Cpu) -> float:
    """R66: the share of the objects of uneventful calls that no sheaf takes."""
    taken = p_skipped(world, cpu)
    behind = p_uneventful_and_eventful(world, cpu, SLAB)[0]
    behind += p_uneventful_and_eventful(world, cpu, VMALLOC)[0]
    return behind / (taken + behind) if behind > 0.0 else 0.0


def count_calls_by_sheaf(world: World, cpu: Cpu, calls: int) -> tuple[int, int, int]:
    """R66 and R67: of so many uneventful calls, how many objects a sheaf took, and of the others
    how many are slab and how many vmalloc objects; the others are counted.
    """
    taken = p_skipped(world, cpu)
    slab = p_uneventful_and_eventful(world, cpu, SLAB)[0]
    vmalloc = p_uneventful_and_eventful(world, cpu, VMALLOC)[0]
    if slab + vmalloc <= 0.0:
        return calls, ZERO, ZERO

    stored = binomial(cpu.sheaf_stream, calls, taken / (taken + slab + vmalloc))
    rest = calls - stored
    vmalloc_calls = binomial(cpu.sheaf_stream, rest, vmalloc / (slab + vmalloc))

    memory = p_memory_is_refused(world, cpu)
    if memory > 0.0:
        memory = memory / (memory + p_kind_is_refused(world))
    no_memory = binomial(cpu.sheaf_stream, rest - vmalloc_calls, memory)

    counters = counters_at(world.counters_address, world.window)
    counters.refused_memory += no_memory
    counters.sheaf_requests += no_memory
    counters.refused_kind += rest - no_memory
    return stored, rest - vmalloc_calls, vmalloc_calls


def spread_over_caches(world: World, cpu: Cpu, stored: int, time_sum: float) -> int:
    """R113: sheaves take the objects of so many uneventful calls, each that of its size; their
    bytes.
    """
    left = p_skipped(world, cpu)
    more = 0
    rest = stored
    for size in range(world.nr_caches):
        p_takes = p_size_takes(world, size) * pcs_of(world, cpu, size).is_skipped
        objects = rest
        if p_takes < left:
            objects = binomial(cpu.size_stream, rest, p_takes / left)
        rest -= objects
        left -= p_takes
        if objects > 0:
            note_stored(world, cpu, size, objects, time_sum * objects / stored)
            more += defer_objects(world, size, objects, time_sum * objects / stored)
    return more


def draw_size_looked_at(world: World, cpu: Cpu) -> int:
    """R113: the size of an object that a sheaf takes, of those of which the plan skips no call."""
    left = 0.0
    for size in range(world.nr_caches):
        left += p_size_takes(world, size) * (1 - pcs_of(world, cpu, size).is_skipped)

    left *= uniform(cpu.size_stream)
    drawn = 0
    for size in range(world.nr_caches):
        if left > 0.0 and not pcs_of(world, cpu, size).is_skipped:
            drawn = size
            left -= p_size_takes(world, size)
    return drawn


def draw_call_to_sheaf(world: World, cpu: Cpu) -> SheafCallDraw:
    """R66: the last call of a plan of which nothing is known, or only that it is eventful."""
    u_share = uniform(cpu.sheaf_stream)
    u_sheaf = uniform(cpu.sheaf_stream)
    if cpu.plan_last_kind == ANY_CALL:
        channel, is_single, u_page, u_head = draw_any_call(world, cpu)
        if world.nr_sizes > 1:
            world.call_size = draw_size_of_call(world, cpu, channel, u_share)
        return channel, is_single, u_page, u_head, u_share, u_sheaf

    if world.nr_sizes > 1:
        return draw_eventful_call_of_sizes(world, cpu, u_sheaf)

    stored = p_sheaf_takes(world) * (sheaf_room(world, cpu, ZERO) == 0)
    if cpu.plan_finds_no_sheaf:
        stored -= p_memory_is_refused(world, cpu)
    blocks = p_uneventful_and_eventful(world, cpu, SLAB)[1]
    blocks += p_uneventful_and_eventful(world, cpu, VMALLOC)[1]

    if uniform(cpu.sheaf_stream) * (stored + blocks) < stored:
        is_single = chance(cpu.call_stream, world.p_single)
        return SLAB, is_single, 1.0, 1.0, 0.0, 1.0

    channel, is_single, u_page, u_head = draw_eventful_call(world, cpu)
    memory = p_memory_is_refused(world, cpu)
    if u_share * (memory + p_kind_is_refused(world)) < memory:
        return channel, is_single, u_page, u_head, 0.0, 0.0
    return channel, is_single, u_page, u_head, 1.0, u_sheaf


def draw_eventful_call_of_sizes(world: World, cpu: Cpu, u_sheaf: float) -> SheafCallDraw:
    """R113: an eventful call where objects have several sizes: a sheaf takes its object, and all
    else is open; or it goes on behind the sheaves.
    """
    looked_at = p_sheaf_takes(world) - p_skipped(world, cpu)
    blocks = p_uneventful_and_eventful(world, cpu, SLAB)[1]
    blocks += p_uneventful_and_eventful(world, cpu, VMALLOC)[1]

    if uniform(cpu.sheaf_stream) * (looked_at + blocks) < looked_at:
        world.call_size = draw_size_looked_at(world, cpu)
        is_single = chance(cpu.call_stream, world.p_single)
        u_page = uniform(cpu.call_stream)
        return SLAB, is_single, u_page, uniform(cpu.call_stream), 0.0, u_sheaf

    channel, is_single, u_page, u_head = draw_eventful_call(world, cpu)
    world.call_size = draw_size(world, cpu, OF_ALL if channel == VMALLOC else OF_REFUSED)
    return channel, is_single, u_page, u_head, 1.0, u_sheaf
