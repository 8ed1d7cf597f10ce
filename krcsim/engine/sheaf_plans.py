# SPDX-License-Identifier: GPL-2.0-only
"""Plans where there are sheaves: which calls only append, to a sheaf or behind it (plans.py says
what a plan is).

A call is uneventful if a sheaf takes its object without being full then, or if no sheaf takes it
and it is uneventful behind. A CPU that has no sheaf to fill looks at each call; but if new sheaves
are mostly refused, and there is no empty one, those that are refused go on as others do.
"""

from krcsim.engine.barns import finds_no_empty_sheaf
from krcsim.engine.call_draws import (
    draw_any_call,
    draw_eventful_call,
    p_kind_is_refused,
    p_memory_is_refused,
    p_uneventful_and_eventful,
)
from krcsim.engine.codes import ANY_CALL, EVENTFUL, SLAB, UNEVENTFUL, VMALLOC, ZERO
from krcsim.engine.pointers import counters_at
from krcsim.engine.random_streams import UNLIMITED, binomial, chance, geometric, uniform
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_records import NO_SHEAF

# Channel, single-argument or not, u_page, u_head, u_share, u_sheaf.
SheafCallDraw = tuple[int, bool, float, float, float, float]

# From this probability of failure on, requests of new sheaves that fail are skipped.
MOSTLY = 0.5


def p_sheaf_takes(world: World) -> float:
    """R66: P(a call has an object of a kind that sheaves take)."""
    return (1.0 - world.p_vmalloc) * world.kmem_cache.sheaf_share


def sheaf_room(world: World, cpu: Cpu) -> int:
    """R67: how many objects the sheaf of a CPU takes without being full; 0 if there is none."""
    if cpu.pcs.rcu_free == NO_SHEAF:
        return 0
    return world.sheaf_entries - 1 - cpu.pcs.rcu_free


def draw_plan_with_sheaves(world: World, cpu: Cpu, longest: int) -> None:
    """Draw the number of calls of a plan, `longest` at most where calls go on behind sheaves, and
    what is known of its last call; as draw_plan_length().
    """
    p_takes = p_sheaf_takes(world)
    room = sheaf_room(world, cpu)
    cpu.plan_finds_no_sheaf = 0
    cpu.plan_calls = 1
    cpu.plan_last_kind = ANY_CALL

    if cpu.pcs.rcu_free == NO_SHEAF and p_takes > 0.0:
        mostly_fails = world.kmem_cache.p_sheaf_fails >= MOSTLY and not world.has_page_memory
        if not (mostly_fails and finds_no_empty_sheaf(world, cpu)):
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
    calls = geometric(cpu.sheaf_stream, p_takes * (room > 0) + blocks)
    cpu.plan_calls = min(calls, longest)
    is_cut = calls > longest or calls == UNLIMITED
    cpu.plan_last_kind = UNEVENTFUL if is_cut else EVENTFUL


def share_behind_sheaves(world: World, cpu: Cpu) -> float:
    """R66: the share of the objects of uneventful calls that no sheaf takes."""
    taken = p_sheaf_takes(world) * (sheaf_room(world, cpu) > 0)
    behind = p_uneventful_and_eventful(world, cpu, SLAB)[0]
    behind += p_uneventful_and_eventful(world, cpu, VMALLOC)[0]
    return behind / (taken + behind) if behind > 0.0 else 0.0


def count_calls_by_sheaf(world: World, cpu: Cpu, calls: int) -> tuple[int, int, int]:
    """R66 and R67: of so many uneventful calls, how many objects a sheaf took, and of the others
    how many are slab and how many vmalloc objects; the others are counted.
    """
    taken = p_sheaf_takes(world) * (sheaf_room(world, cpu) > 0)
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


def draw_call_to_sheaf(world: World, cpu: Cpu) -> SheafCallDraw:
    """R66: the last call of a plan of which nothing is known, or only that it is eventful."""
    u_share = uniform(cpu.sheaf_stream)
    u_sheaf = uniform(cpu.sheaf_stream)
    if cpu.plan_last_kind == ANY_CALL:
        channel, is_single, u_page, u_head = draw_any_call(world, cpu)
        return channel, is_single, u_page, u_head, u_share, u_sheaf

    stored = p_sheaf_takes(world) * (sheaf_room(world, cpu) == 0)
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
