# SPDX-License-Identifier: GPL-2.0-only
"""Plans: how uneventful calls are skipped.

A call is uneventful if it only appends to a head block or, with a monitor already pending, to the
list; where a block's worth of objects brings the monitor forward (R49), the call that makes them so
many is the last of a plan, and is looked at. A plan is a number of calls of which all but the last
are uneventful. How many they are is drawn, and when the last is made; the others are accounted for
together, without an event for each.

What this does to the state of a run has the same law as taking each call by itself. Whether a call
is uneventful does not depend on when it is made, and the calls are independent. If another event
comes before the last call of a plan, the calls before that event are counted (those of a timetable)
or drawn (of Poisson calls, given their number, a binomial share), and a new plan is drawn where the
event has changed what is uneventful: nothing was used yet of what lay behind the event.

Three things are approximate. `Counters.area` takes the times of skipped Poisson calls at their mean
(settle_poisson_plan() in call_source.py). `Counters.peak` leaves a new peak out that would take
more calls than eight standard deviations above their mean (may_be_peak() in maintenance.py). The
uneventful calls of a burst take their mean CPU time each (mean_call_cost() in bursts.py).
"""

from krcsim.engine.barns import pcs_of
from krcsim.engine.biased_draws import draw_call, p_uneventful_biased
from krcsim.engine.call_draws import p_uneventful_and_eventful
from krcsim.engine.channels import total
from krcsim.engine.codes import (
    ANY_CALL,
    DONE,
    EVENTFUL,
    LIST,
    ONE,
    SLAB,
    UNEVENTFUL,
    VMALLOC,
    ZERO,
)
from krcsim.engine.kvfree_call import count_call, kvfree_call_rcu
from krcsim.engine.live_objects import call_with_new_object
from krcsim.engine.monitor import pull_monitor
from krcsim.engine.object_sizes import OF_ALL, OF_REFUSED, draw_size, spread_over_sizes
from krcsim.engine.page_memory import count_held_bytes, count_held_objects
from krcsim.engine.pointers import counters_at
from krcsim.engine.random_streams import INF, UNLIMITED, binomial, geometric
from krcsim.engine.ready_blocks import renew_cookies
from krcsim.engine.records import BLOCK_CHANNELS, CHANNELS, Cpu, World
from krcsim.engine.sheaf_plans import (
    count_calls_by_sheaf,
    draw_call_to_sheaf,
    draw_plan_with_sheaves,
    spread_over_caches,
)
from krcsim.engine.sheaves import kfree_rcu_sheaf, note_stored


def has_both_channels(world: World) -> bool:
    """Whether there are objects of the slab allocator and of vmalloc()."""
    return 0.0 < world.p_vmalloc < 1.0


def draw_plan_length(world: World, cpu: Cpu) -> None:
    """Draw the number of calls of a plan and what is known of its last call."""
    cpu.plan_log_ratio = 0.0
    cpu.plan_could_be_biased = 0
    if world.sheaf_entries > 0 and not world.takes_every_call:
        draw_plan_with_sheaves(world, cpu, longest_plan(world, cpu))
        return

    channel = VMALLOC if world.p_vmalloc > 0.0 else SLAB
    room = cpu.head_block_room[channel]

    if world.takes_every_call or cpu.monitor_at == INF or is_each_call_eventful(world):
        cpu.plan_calls = 1
        cpu.plan_last_kind = ANY_CALL

    elif room > 0 and not has_both_channels(world):
        longest = longest_plan(world, cpu)
        cpu.plan_calls = min(room + 1, longest)
        cpu.plan_last_kind = ANY_CALL if room < longest else UNEVENTFUL

    elif has_both_channels(world):
        longest = min(
            cpu.head_block_room[SLAB] or UNLIMITED,
            cpu.head_block_room[VMALLOC] or UNLIMITED,
            longest_plan(world, cpu),
        )
        slab = p_uneventful_and_eventful(world, cpu, SLAB)[1]
        p_eventful = slab + p_uneventful_and_eventful(world, cpu, VMALLOC)[1]
        p_again = p_uneventful_biased(world, cpu, 1.0 - p_eventful)
        calls = geometric(cpu.call_stream, p_again)
        cpu.plan_calls = min(calls, longest)
        is_cut = calls > longest or calls == UNLIMITED
        cpu.plan_last_kind = UNEVENTFUL if is_cut else EVENTFUL

    elif p_uneventful_and_eventful(world, cpu, channel)[0] > 0.0:
        uneventful = p_uneventful_and_eventful(world, cpu, channel)[0]
        calls = geometric(cpu.call_stream, p_uneventful_biased(world, cpu, uneventful))
        longest = longest_plan(world, cpu)
        is_cut = calls > longest or calls == UNLIMITED
        cpu.plan_calls = min(calls, longest)
        cpu.plan_last_kind = UNEVENTFUL if is_cut else EVENTFUL

    else:
        cpu.plan_calls = 1
        cpu.plan_last_kind = ANY_CALL

    # R81: a call for whose object the slab pages have no place is eventful; of it, and of those
    # behind it, nothing is known.
    if world.has_live_objects and world.nr_sizes == 1:
        slots = pcs_of(world, cpu, ZERO).object_slots
        if cpu.plan_calls > slots:
            cpu.plan_calls = slots + 1
            cpu.plan_last_kind = ANY_CALL


def is_each_call_eventful(world: World) -> bool:
    """R81 and R115: whether calls are taken one by one since callers allocate objects for both
    channels, or of several sizes.
    """
    return world.has_live_objects > 0 and (has_both_channels(world) or world.nr_sizes > 1)


def longest_plan(world: World, cpu: Cpu) -> int:
    """R49: most calls of a plan: up to the one that makes the queued objects a block's worth."""
    longest = world.max_plan_calls
    if world.drains_full:
        left = world.block_entries - total(cpu.queued_objects)
        if left > 0:  # else the monitor runs within a tick or two already
            longest = min(longest, left)

    return longest


def count_uneventful_calls(world: World, cpu: Cpu, calls: int, time_sum: float) -> None:
    """R13 and R45: uneventful calls were made, at times that add up to time_sum."""
    if calls <= 0:
        return

    if world.has_ready_blocks:
        for number in range(CHANNELS):
            cpu.settled_objects[number] = -cpu.queued_objects[number]

    counters = counters_at(world.counters_address, world.window)
    world.deferred_objects += calls
    counters.queued += calls
    counters.area -= time_sum
    if world.nr_sizes == 1:
        count_held_objects(world, calls)
        if world.has_live_objects:
            pcs_of(world, cpu, ZERO).object_slots -= calls
    elif world.sheaf_entries == 0:
        count_held_bytes(world, spread_over_sizes(world, cpu, calls, OF_ALL, time_sum))
    world.log_ratio += calls * cpu.plan_log_ratio

    channel = VMALLOC if world.p_vmalloc > 0.0 else SLAB
    if world.sheaf_entries > 0:
        singles = spread_calls_over_sheaf(world, cpu, calls, time_sum)
    elif cpu.head_block_room[channel] > 0 and not has_both_channels(world):  # most frequent
        cpu.head_block_room[channel] -= calls
        cpu.queued_objects[channel] += calls
        singles = calls
        if world.p_single < 1.0:
            singles = binomial(cpu.call_stream, calls, world.p_single)
    else:
        slab = p_uneventful_and_eventful(world, cpu, SLAB)[0]
        vmalloc = p_uneventful_and_eventful(world, cpu, VMALLOC)[0]
        vmalloc_calls = binomial(cpu.call_stream, calls, vmalloc / (slab + vmalloc))
        singles = spread_uneventful_calls(world, cpu, calls - vmalloc_calls, vmalloc_calls)

    counters.single += singles
    counters.single_episode += singles * world.in_episode
    counters.double += calls - singles
    counters.double_episode += (calls - singles) * world.in_episode

    if world.has_ready_blocks:
        for number in range(CHANNELS):
            cpu.settled_objects[number] += cpu.queued_objects[number]


def spread_calls_over_sheaf(world: World, cpu: Cpu, calls: int, time_sum: float) -> int:
    """R66 and R67: of uneventful calls a sheaf takes some, and the others go on; returns how many
    are single-argument.
    """
    stored, slab_calls, vmalloc_calls = count_calls_by_sheaf(world, cpu, calls)
    singles = binomial(cpu.call_stream, stored, world.p_single)
    if slab_calls + vmalloc_calls > 0:
        singles += spread_uneventful_calls(world, cpu, slab_calls, vmalloc_calls)

    each = time_sum / calls
    if world.nr_sizes == 1:
        note_stored(world, cpu, ZERO, stored, time_sum * stored / calls)
        return singles

    more = spread_over_caches(world, cpu, stored, each * stored)
    if slab_calls > 0:
        more += spread_over_sizes(world, cpu, slab_calls, OF_REFUSED, each * slab_calls)
    if vmalloc_calls > 0:
        more += spread_over_sizes(world, cpu, vmalloc_calls, OF_ALL, each * vmalloc_calls)
    count_held_bytes(world, more)
    return singles


def spread_uneventful_calls(world: World, cpu: Cpu, slab_calls: int, vmalloc_calls: int) -> int:
    """R13 to R17: uneventful calls go into blocks or on the list; returns how many are
    single-argument.
    """
    counters = counters_at(world.counters_address, world.window)
    singles = ZERO
    listed = ZERO
    for channel in range(BLOCK_CHANNELS):
        of_channel = vmalloc_calls if channel == VMALLOC else slab_calls
        into_block = of_channel * (cpu.head_block_room[channel] > 0)
        cpu.head_block_room[channel] -= into_block
        cpu.queued_objects[channel] += into_block
        singles += binomial(cpu.call_stream, into_block, world.p_single)
        listed += of_channel - into_block

    single = world.p_single * world.p_single_uneventful
    double = (1.0 - world.p_single) * world.p_double_page_fails
    wrapped = binomial(cpu.call_stream, listed, single / (single + double))
    cpu.queued_objects[LIST] += listed
    cpu.queued_wrappers += wrapped
    counters.list_pushes += listed
    counters.page_fail += wrapped * world.single_asks_page
    counters.page_fail += (listed - wrapped) * world.double_asks_page

    return singles + wrapped


def make_last_planned_call(
    world: World, cpu: Cpu, cpu_index: int, now: float, producer: int
) -> bool:
    """The last call of a plan is made, by a producer or by NOBODY; True if it stalls or waits and
    so holds up its producer, which it only does in a closed loop.
    """
    if not world.has_bursts:
        cpu.producer_woke_at = now

    if cpu.plan_last_kind == UNEVENTFUL:
        count_uneventful_calls(world, cpu, ONE, now)
        if world.has_ready_blocks:
            renew_cookies(cpu, now, now)
        if world.drains_full and cpu.monitor_at < INF:
            pull_monitor(world, cpu, cpu_index, now)
        return False

    if world.sheaf_entries > 0:
        channel, is_single, u_page, u_head, u_share, u_sheaf = draw_call_to_sheaf(world, cpu)
        if kfree_rcu_sheaf(world, cpu, cpu_index, now, channel, u_share, u_sheaf):
            count_call(world, is_single)
            return False
    else:
        channel, is_single, u_page, u_head = draw_call(world, cpu)
        if world.nr_sizes > 1:
            world.call_size = draw_size(world, cpu, OF_ALL)
    world.call_began_at = now
    if world.has_live_objects:
        outcome = call_with_new_object(
            world, cpu, cpu_index, now, channel, is_single, u_page, u_head, producer
        )
    else:
        outcome = kvfree_call_rcu(
            world, cpu, cpu_index, now, channel, is_single, u_page, u_head, producer
        )
    is_held = outcome != DONE and world.is_closed_loop > 0
    cpu.blocked_producers += is_held
    return is_held
