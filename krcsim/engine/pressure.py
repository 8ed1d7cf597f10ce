# SPDX-License-Identifier: GPL-2.0-only
"""Episodes of pressure, the probabilities that they put in force, and the windows of a run."""

from krcsim.engine.call_source import make_plan, settle_all
from krcsim.engine.codes import (
    ALL_CPUS,
    EPISODE_BEGINS,
    EPISODE_ENDS,
    FAILS_HEAD_ATOMIC,
    FAILS_HEAD_HIGH,
    FAILS_HEAD_RECLAIM,
    FAILS_PAGE,
    FAILS_PAGE_NORETRY,
    FAILS_SHEAF,
    HEAD_NONE,
    HEAD_TRYHARD,
    ONE,
)
from krcsim.engine.event_log import log_event
from krcsim.engine.page_memory import switch_hog
from krcsim.engine.pointers import counters_at, cpu_at, real_at
from krcsim.engine.random_streams import INF, exponential
from krcsim.engine.records import Counters, World


def set_probabilities_in_force(world: World) -> None:
    """R36, R46 and R47: set the probabilities of failure, as the calls need them, to those of calm
    or of an episode.
    """
    failures = world.failures
    state = world.in_episode

    world.p_page_fails = failures[state, FAILS_PAGE] if world.single_asks_page else 1.0
    world.p_double_page_fails = failures[state, FAILS_PAGE] if world.double_asks_page else 1.0
    world.p_noretry_page_fails = failures[state, FAILS_PAGE_NORETRY]
    world.p_head_fails_after_reclaim = failures[state, FAILS_HEAD_RECLAIM]

    world.p_head_fails_at_first = failures[state, FAILS_HEAD_ATOMIC]
    if world.head_alloc == HEAD_NONE:
        world.p_head_fails_at_first = 1.0
    elif world.head_alloc == HEAD_TRYHARD:
        world.p_head_fails_at_first = failures[state, FAILS_HEAD_HIGH]

    world.kmem_cache.p_sheaf_fails = failures[state, FAILS_SHEAF]
    world.p_single_uneventful = 0.0
    if not world.asks_noretry:
        world.p_single_uneventful = world.p_page_fails * (1.0 - world.p_head_fails_at_first)

    if world.has_page_memory:  # then a request's uniform number is 0 or 1
        has_no_path = world.has_array_path == 0
        world.p_page_fails = 0.5 if world.single_asks_page or has_no_path else 1.0
        world.p_double_page_fails = 0.5 if world.double_asks_page or has_no_path else 1.0
        world.p_noretry_page_fails = 0.5
        world.p_head_fails_at_first = 0.5
        world.p_head_fails_after_reclaim = 0.5
        world.kmem_cache.p_sheaf_fails = 0.5


def switch_pressure(world: World, now: float) -> None:
    """R36: an episode of pressure begins or ends, for all CPUs."""
    settle_all(world, now)
    if world.has_page_memory:
        switch_hog(world, now)

    counters = counters_at(world.counters_address, world.window)
    counters.episode_ms += now if world.in_episode else -now
    world.in_episode ^= 1
    set_probabilities_in_force(world)
    if world.in_episode:
        begin_episode(world, now)

    code = EPISODE_BEGINS if world.in_episode else EPISODE_ENDS
    log_event(world, now, code, ALL_CPUS, float(world.episode_number))

    if world.has_random_episodes:
        mean = world.episode_mean if world.in_episode else world.calm_mean
        world.pressure_switches_at = now + exponential(world.episode_stream) * mean
    else:
        world.schedule_index += 1
        world.pressure_switches_at = real_at(world.schedule_address, world.schedule_index).x

    # The plans were drawn with the old probabilities. A CPU with room in its head block asks for
    # nothing; but where there are two channels one may have room and the other not, so that all
    # plans are drawn anew.
    for cpu_index in range(world.nr_cpus):
        make_plan(world, cpu_at(world.cpus_address, cpu_index), cpu_index, now)


def begin_episode(world: World, now: float) -> None:
    """R2 and R36: an episode counts in the window of its begin, which it may begin itself."""
    world.episode_number += 1
    if world.window < world.windows_by_episode:
        end_window(world, now)

    world.episode_has_waited = 0
    world.episode_window = world.window
    counters_at(world.counters_address, world.window).episodes += 1


def end_run(world: World, now: float) -> None:
    """R86: the run ends here, long before its horizon; the rest of its windows is lost time."""
    counters = counters_at(world.counters_address, world.window)
    counters.lost_ms += world.window_ends_at - now
    if world.windows_by_episode == 0 and world.window == 0:
        steady = counters_at(world.counters_address, ONE)
        steady.lost_ms += world.horizon - world.warmup

    world.horizon = now
    end_window(world, now)


def end_window(world: World, now: float) -> None:
    """R2: close the sums of a window; the next one begins, or the run ends."""
    settle_all(world, now)
    counters = counters_at(world.counters_address, world.window)
    counters.peak = max(counters.peak, world.deferred_objects)
    counters.area = counters.area + world.deferred_objects * now
    counters.peak_bytes = max(counters.peak_bytes, world.deferred_bytes)
    counters.bytes_area += world.deferred_bytes * now
    counters.episode_ms += world.in_episode * now
    if world.sheaf_entries > 0:
        count_places(world, counters, now)

    if now >= world.horizon:
        world.is_past_horizon = 1
        world.window_ends_at = INF
        world.pressure_switches_at = INF
        for cpu_index in range(world.nr_cpus):
            counters.drains_due += cpu_at(world.cpus_address, cpu_index).monitor_at < INF
    else:
        world.window += 1
        world.window_ends_at = world.horizon
        counters = counters_at(world.counters_address, world.window)
        counters.peak = world.deferred_objects
        counters.area = counters.area - world.deferred_objects * now
        counters.peak_bytes = world.deferred_bytes
        counters.bytes_area -= world.deferred_bytes * now
        counters.episode_ms = counters.episode_ms - world.in_episode * now
        if world.sheaf_entries > 0:
            count_places(world, counters, -now)


def count_places(world: World, counters: Counters, time: float) -> None:
    """R72: what sheaves and batches hold at the end of a window, or with -time at its begin."""
    cache = world.kmem_cache
    counters.filling_area += cache.filling * time
    counters.in_flight_area += cache.in_flight * time
    counters.batches_area += cache.in_batches * time
    counters.in_flight_peak = max(counters.in_flight_peak, cache.in_flight)
