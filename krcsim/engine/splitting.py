# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits by splitting: where a run rarely runs out of pages, it goes on at each of several
levels of danger as several copies of less weight, one after another.

Each goes on until it falls below the level; the last of them goes on as the run (docs/methods.md).
"""

from collections.abc import Sequence

from krcsim.engine.biased_copies import (
    follow_copies,
    follow_copies_after_event,
    follow_copies_at_call,
)
from krcsim.engine.call_source import make_plan, settle_calls
from krcsim.engine.codes import AT_PLAN, NO_ERROR, ONE, ZERO
from krcsim.engine.copying import copy_counters, copy_state, renew_streams
from krcsim.engine.danger import measure_danger
from krcsim.engine.event_loop import boot, handle_next_event
from krcsim.engine.grace_periods import (
    count_lengths_passed,
    gp_end,
    length_at_quantile,
    p_longer_than,
)
from krcsim.engine.pointers import counters_at, cpu_at, real_at
from krcsim.engine.random_streams import INF, UNLIMITED, uniform
from krcsim.engine.records import World

PILOT_STEPS = 1_000_000  # the levels of a pilot may be far from right


def simulate_with_copies(worlds: Sequence[World]) -> None:
    """One replication, worlds[0], with its biased copies, worlds[1], and a copy for each level.

    The waits of a CPU in the run itself count until the first biased copies of that CPU begin; from
    then on those in its copies count instead.
    """
    world = worlds[0]
    copy = worlds[1]
    boot(world)
    world.weight = 1.0
    for cpu_index in range(world.nr_cpus):
        cpu_at(world.cpus_address, cpu_index).weighs_waits = 1

    is_split = world.max_plan_calls < UNLIMITED
    level = ZERO
    peak = -INF
    steps = 0

    while world.error == NO_ERROR:
        episodes = world.episode_number
        follow_copies_at_call(world, copy)
        is_going = handle_next_event(world)
        steps += 1
        if not world.has_page_memory:
            follow_copies_after_event(world, copy, episodes)

        if is_split:
            level, peak, is_going = follow_levels(worlds, level, peak, is_going)

        if not is_going or (world.peak_capacity > 0 and steps > PILOT_STEPS):
            break

    events = steps if is_split else world.events
    counters_at(world.counters_address, max(ONE, world.window)).events += events


def follow_levels(
    worlds: Sequence[World], level: int, peak: float, is_going: bool
) -> tuple[int, float, bool]:
    """After an event: pass levels upwards; or, if the run fell below levels, go on as the next copy
    from there.

    `level` is the highest level that the run has passed, `peak` its greatest danger since then.
    Returns both as they are now, and whether the run goes on.
    """
    world = worlds[0]
    passed = count_levels_passed(world, is_going)
    if world.level_count == 0:
        keep_danger(world, world.danger)

    if level < passed:
        level = pass_levels(worlds, level, passed)
        peak = world.danger
    peak = max(peak, world.danger)

    while level > passed:
        if level == world.level_count:
            keep_danger(world, peak)

        if worlds[1 + level].copies_left > 0:
            go_on_from_level(worlds, level)
            is_going = True
            passed = level
            peak = world.danger
        else:
            world.weight *= copies_of_level(world, level)
            level -= 1

    return level, peak, is_going


def copies_of_level(world: World, level: int) -> float:
    """As how many copies a run goes on at a level, counted from 1."""
    return real_at(world.levels_address, 2 * level - 1).x


def count_levels_passed(world: World, is_going: bool) -> int:
    """How many levels of danger the run has passed; World.danger is
    brought up to date.
    """
    world.danger = measure_danger(world) if is_going else -INF

    passed = 0
    while (
        passed < world.level_count and world.danger >= real_at(world.levels_address, 2 * passed).x
    ):
        passed += 1

    return passed


def keep_danger(world: World, danger: float) -> None:
    """Keep a measure of danger for the choice of levels."""
    if world.peak_count < world.peak_capacity:
        real_at(world.peaks_address, world.peak_count).x = danger
        world.peak_count += 1


def pass_levels(worlds: Sequence[World], level: int, passed: int) -> int:
    """The run passes levels upwards; at each it loses weight, and leaves a copy for those that go
    on there later.
    """
    world = worlds[0]
    while level < passed:
        level += 1
        copies = copies_of_level(world, level)
        world.weight /= copies

        kept = worlds[1 + level]
        copy_state(kept, world)
        copy_counters(kept, world)
        kept.copies_left = int(copies) - 1

    return level


def go_on_from_level(worlds: Sequence[World], level: int) -> None:
    """The run fell below a level: it goes on as the next copy from there."""
    world = worlds[0]
    kept = worlds[1 + level]
    kept.copies_left -= 1
    copy_state(world, kept)
    copy_counters(world, kept)
    renew_streams(world, world)

    # What lies ahead is drawn anew: the end of the grace period, and the plans.
    if world.gp_is_running and world.gp_event_at > world.now and world.reader_section == 0.0:
        p_left = p_longer_than(world, count_lengths_passed(world, world.now))
        quantile = 1.0 - p_left * uniform(world.gp_stream)
        world.gp_event_at = gp_end(world, world.gp_began_at, length_at_quantile(world, quantile))
    if not world.has_bursts:
        draw_plans_anew(world, worlds[1])


def draw_plans_anew(world: World, copy: World) -> None:
    """New plans for all CPUs, and the biased copies that begin at them."""
    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        had_copies = cpu.plan_could_be_biased  # those of this plan were made before
        settle_calls(world, cpu, world.now)
        make_plan(world, cpu, cpu_index, world.now)

        if cpu.starts_copies and not (had_copies or world.has_page_memory):
            follow_copies(world, copy, cpu_index, AT_PLAN)
        cpu.starts_copies = 0
