# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits by importance sampling: biased copies of a run.

They begin at certain places of a run: where the pool of a CPU is full and its next call may fail
(AT_CALL, AT_PLAN), or where an episode begins and it is not full (AT_EPISODE). Each copy is
followed until its CPU is at such a place again. A wait takes an empty pool, so that each wait lies
between two places. A copy biases the random draws
of that CPU's calls; its waits count with the ratio of the likelihoods. The run itself is never
biased, and knows of no copy (docs/methods.md).
"""

from krcsim.engine.batches import batches_ready_at
from krcsim.engine.biased_draws import p_failing_call
from krcsim.engine.calendar import earliest_cpu, heap_call_at, waiter_at
from krcsim.engine.call_source import make_plan
from krcsim.engine.codes import (
    ANY_CALL,
    AT_CALL,
    AT_EPISODE,
    AT_PLAN,
    BIASED,
    FORCED,
    NO_ERROR,
    SLAB,
    UNBIASED,
    UNEVENTFUL,
    VMALLOC,
)
from krcsim.engine.copying import copy_state, renew_streams
from krcsim.engine.event_loop import handle_next_event
from krcsim.engine.pointers import cpu_at, heap_node_at, real_at, tally_at
from krcsim.engine.random_streams import INF, uniform
from krcsim.engine.records import Cpu, World


def has_full_pool(world: World, cpu: Cpu) -> bool:
    """Whether the pool of a CPU is full, and no stalled call will take from it."""
    return cpu.nr_emergency - cpu.stalled_failing_calls >= world.pool_capacity


def may_fail_next(world: World, cpu_index: int) -> bool:
    """Whether the next event is a call on this CPU, with its pool full, that may get neither page
    nor rcu_head.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    if world.is_past_horizon or world.has_page_memory or not has_full_pool(world, cpu):
        return False
    if cpu.plan_last_kind == UNEVENTFUL or cpu.plan_could_be_biased:
        return False
    if not comes_first(world, cpu, cpu_index):
        return False

    slab_room = cpu.head_block_room[SLAB]
    vmalloc_room = cpu.head_block_room[VMALLOC]
    has_one_channel = not 0.0 < world.p_vmalloc < 1.0
    if cpu.plan_last_kind == ANY_CALL and has_one_channel and cpu.plan_calls > 1:
        # The planned call is the first that finds the block full.
        cpu.head_block_room[SLAB] = 0
        cpu.head_block_room[VMALLOC] = 0

    may_fail = p_failing_call(world, cpu) > 0.0
    cpu.head_block_room[SLAB] = slab_room
    cpu.head_block_room[VMALLOC] = vmalloc_room
    return may_fail


def comes_first(world: World, cpu: Cpu, cpu_index: int) -> bool:
    """Whether the planned call of a CPU comes before every other event."""
    at = cpu.call_at
    if at >= world.gp_event_at or at >= world.pressure_switches_at or at >= world.window_ends_at:
        return False
    if at >= cpu.monitor_at or at >= cpu.work_step_ends_at or at >= cpu.phase_ends_at:
        return False
    if at >= cpu.refill_at:
        return False
    if batches_ready_at(world, cpu_index) <= at:
        return False
    has_waiter = world.waiters_head < world.waiters_tail
    if has_waiter and waiter_at(world, world.waiters_head).wakes_at <= at:
        return False

    return world.heap_size == 0 or heap_node_at(world.heap_address, 0).at > at


def follow_copies(world: World, copy: World, cpu_index: int, where: int) -> None:
    """Make and follow all the copies of one place."""
    cpu_at(world.cpus_address, cpu_index).weighs_waits = 0
    for _ in range(world.copies_per_place):
        follow_copy(world, copy, cpu_index, where)


def follow_copy(world: World, copy: World, cpu_index: int, where: int) -> None:
    """Follow a copy with this CPU biased until the next place, and on until the waits that it found
    are over; these count. At some places no copy is made, by chance; the others weigh more.
    """
    p_copy = 1.0 if where == AT_EPISODE else world.p_copy_at_place
    if world.in_episode == 0 and world.pool_capacity > 0:
        p_copy *= world.p_copy_in_calm
    if p_copy < 1.0 and uniform(world.copy_stream) >= p_copy:
        return

    copy_state(copy, world)
    renew_streams(copy, world)
    copy.weight /= p_copy * world.copies_per_place
    copy.open_weighted_waits = 0
    copy.log_ratio = 0.0
    forget_weighted_waits(copy)

    cpu = cpu_at(copy.cpus_address, cpu_index)
    # A call that does not fail leads to no wait before the next place; but a caller that goes
    # on may call at once.
    is_forced = where == AT_CALL and not (copy.is_closed_loop and not copy.has_bursts)
    cpu.weighs_waits = 1
    cpu.bias = FORCED if is_forced else BIASED
    episodes = copy.episode_number
    if where != AT_CALL:
        make_plan(copy, cpu, cpu_index, cpu.plan_made_at)
        cpu.starts_copies = 0

    events = copy.events
    is_going = follow_to_next_place(copy, cpu, cpu_index, episodes)
    waited = cpu.bias == UNBIASED  # the bias ends with the first wait
    cpu.weighs_waits = 0
    cpu.bias = UNBIASED

    while is_going and copy.error == NO_ERROR and copy.open_weighted_waits > 0:
        is_going = handle_next_event(copy)

    world.error = max(world.error, copy.error)
    tally = tally_at(world.tallies_address, world.window)
    tally.copies += 1
    tally.hits += waited
    tally.events += copy.events - events


def forget_weighted_waits(copy: World) -> None:
    """Waits that began before the copy are not weighted by it when they end."""
    for cpu_index in range(copy.nr_cpus):
        cpu_at(copy.cpus_address, cpu_index).weighs_waits = 0

    for number in range(copy.waiters_head, copy.waiters_tail):
        waiter_at(copy, number).is_weighted = 0

    for position in range(copy.heap_size):
        heap_call_at(copy, position).is_weighted = 0


def follow_to_next_place(copy: World, cpu: Cpu, cpu_index: int, episodes: int) -> bool:
    """Follow a copy until its CPU is at such a place again, or a new episode begins; False if it
    came to its end. Of the copies whose episode ends only a share goes on into calm, where waits
    are few, with more weight.
    """
    is_going = True
    was_in_episode = copy.in_episode > 0

    while copy.error == NO_ERROR:
        is_going = handle_next_event(copy)
        if not is_going or copy.episode_number > episodes or cpu.starts_copies:
            break
        if earliest_cpu(copy) == cpu_index and may_fail_next(copy, cpu_index):
            break

        if (
            was_in_episode
            and copy.in_episode == 0
            and copy.open_weighted_waits == 0
            and copy.heap_size == 0
        ):
            if copy.p_copy_in_calm <= 0.0:
                break
            if uniform(copy.episode_stream) >= copy.p_copy_in_calm:
                break
            copy.weight = copy.weight / copy.p_copy_in_calm
            was_in_episode = False

    return is_going


def follow_copies_at_call(world: World, copy: World) -> None:
    """The copies that begin before an event: at a call that may fail."""
    cpu_index = earliest_cpu(world)
    if real_at(world.tournament_address, 1).x < INF and may_fail_next(world, cpu_index):
        follow_copies(world, copy, cpu_index, AT_CALL)


def follow_copies_after_event(world: World, copy: World, episodes: int) -> None:
    """The copies that begin after an event: at a new plan, or at a new episode."""
    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)

        if cpu.starts_copies or world.episode_number > episodes:
            where = AT_PLAN if cpu.starts_copies else AT_EPISODE
            cpu.weighs_waits = 0
            cpu.starts_copies = 0
            if where == AT_PLAN or not has_full_pool(world, cpu):
                follow_copies(world, copy, cpu_index, where)
