# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as the engine takes it: fields of engine.records.World, times in ticks (jiffies)."""

from typing import Any

from krcsim.engine.codes import HEAD_ALLOC, REARM, REFILL
from krcsim.engine.random_streams import UNLIMITED
from krcsim.model.constants import (
    KMALLOC_MAX_CACHE_BYTES,
    PAGE_BYTES,
    WRAPPER_BYTES,
    jiffies,
    sheaf_bytes,
    ticks,
)
from krcsim.model.memory import PAGES_PER_MIB
from krcsim.model.object_sizes import objects_in_page, pages_of_object
from krcsim.model.scenario import Scenario

TICK_PHASE_MS = 0.02  # a period of phase "tick" starts this long after a tick


def parameters_of(scenario: Scenario) -> dict[str, Any]:
    """All parameters of a world that the scenario decides, by the name of the field."""
    return {
        **_of_machine_and_remedy(scenario),
        **_of_workload(scenario),
        **_of_grace_periods(scenario),
        **_of_allocator(scenario),
        **_of_memory(scenario),
        **_of_feedback(scenario),
        **_of_sheaves(scenario),
        **_in_ticks(scenario, warmup=scenario.warmup_ms, horizon=scenario.horizon_ms),
        "tick_ms": 1000.0 / scenario.machine.hz,
        "max_plan_calls": UNLIMITED,
    }


def _in_ticks(scenario: Scenario, **times_ms: float) -> dict[str, float]:
    return {name: ticks(ms, scenario.machine.hz) for name, ms in times_ms.items()}


def _of_machine_and_remedy(scenario: Scenario) -> dict[str, Any]:
    machine = scenario.machine
    remedy = scenario.remedy
    return dict(
        nr_cpus=machine.cpus,
        p_offloaded=machine.nocb_share,
        head_alloc=HEAD_ALLOC[remedy.head_alloc],
        has_array_path=remedy.array_path,
        asks_noretry=remedy.page_class == "noretry",
        single_asks_page=remedy.page_class != "cache",
        double_asks_page=remedy.double_page,
        pool_capacity=remedy.nr_emergency_objs,
        has_channel_caches=not remedy.cache_shared,
        cache_capacity=remedy.nr_bkv_objs,
        pages_go_to_worker=remedy.page_return == "worker",
        drains_list_at_once=remedy.expedited_drain,
        rearm=REARM[remedy.rearm],
        attaches_to_pending=remedy.attach_to_pending,
        drain_jiffies=scenario.drain_jiffies,
        drains_full=remedy.drain_full,
        block_entries=remedy.block_entries,
        has_refill_worker=remedy.has_refill_worker,
        has_ready_blocks=remedy.ready_blocks,
        refill=REFILL[remedy.refill],
        refill_backoff=remedy.refill_backoff_ms > 0
        and jiffies(remedy.refill_backoff_ms, machine.hz),
        shrinks_cache=remedy.shrinks_cache or remedy.refill_backoff_ms > 0,
        **_in_ticks(scenario, work_delay=machine.work_delay_ms, refill_delay=remedy.refill_ms),
    )


def _of_workload(scenario: Scenario) -> dict[str, Any]:
    workload = scenario.workload
    hz = scenario.machine.hz
    base_rate = workload.rate_hz / hz
    if workload.arrivals == "onoff":
        base_rate *= (workload.on_ms + workload.off_ms) / workload.on_ms

    return dict(
        is_closed_loop=workload.loop != "open",
        catches_up=workload.loop == "catchup",
        reuse_capacity=workload.reusable_objects(),
        producers_per_cpu=workload.producers,
        has_bursts=workload.arrivals in ("periodic", "bursts"),
        burst_calls=workload.burst,
        has_random_gaps=workload.gap == "exponential",
        has_recorded_calls=workload.calls is not None,
        repeats_recording=workload.calls is not None and workload.calls.repeat,
        rate_pieces=len(workload.rate_factors()),
        reuse_follows_rate=bool(workload.rate_factors()) and workload.reuse_hz is None,
        is_poisson=workload.arrivals != "onoff",
        starts_after_tick=workload.phase == "tick",
        p_single=workload.single_share,
        p_vmalloc=workload.vmalloc_share,
        object_bytes=workload.object_bytes,
        base_rate=base_rate,
        period=ticks(workload.period_ms, hz) * workload.producers,
        **_in_ticks(
            scenario,
            on_mean=workload.on_ms,
            off_mean=workload.off_ms,
            phase=TICK_PHASE_MS,
            rate_period=workload.rate_period_ms or 0.0,
            recording_length=workload.calls.length_ms if workload.calls else 0.0,
            **workload.costs_ms(scenario.machine.instruction_ns),
        ),
    )


def _of_grace_periods(scenario: Scenario) -> dict[str, Any]:
    grace_period = scenario.grace_period
    return dict(
        gps_on_ticks=grace_period.kind == "ticks",
        rcu_expedited=grace_period.expedited,
        expedited_sigma=grace_period.expedited_sigma,
        invoke_delay=grace_period.invoke_ticks(),
        wakes_by_gp=scenario.remedy.wake == "gp",
        gps_end_at_once=scenario.gps_end_at_once(),
        background_rate=grace_period.background_hz / scenario.machine.hz,
        **_in_ticks(
            scenario,
            expedited_median=grace_period.expedited_median_ms,
            reader_section=grace_period.reader_ms,
            reader_gap=grace_period.reader_gap_ms,
            wake_work=scenario.remedy.wake_work_ms,
        ),
    )


def _of_allocator(scenario: Scenario) -> dict[str, Any]:
    allocator = scenario.allocator
    return dict(
        failures=[allocator.calm.resolved(), allocator.episode.resolved()],
        stall_sigma=allocator.stall_sigma,
        has_random_episodes=allocator.episodes == "exponential",
        starts_stationary=allocator.start == "stationary",
        **_in_ticks(
            scenario,
            stall_median=allocator.stall_ms,
            episode_mean=allocator.episode_ms,
            calm_mean=allocator.calm_ms,
        ),
    )


def _of_memory(scenario: Scenario) -> dict[str, Any]:
    memory = scenario.memory
    machine = scenario.machine
    as_pages = memory.pressure == "pages"
    pcp_batch, pcp_high = memory.pcp()
    free_pages, file_pages = memory.pages_at_boot()
    marks = memory.marks()
    round_ms = memory.round_instructions * machine.instruction_ns * 1e-6

    return dict(
        has_page_memory=as_pages,
        misses_are_eventful=as_pages or scenario.remedy.has_refill_worker,
        has_shrinker=as_pages and memory.shrinker,
        deferred_objects_count=(
            as_pages and memory.deferred_counts and scenario.workload.live_objects == 0
        ),
        has_hog=memory.hog != "none",
        hog_mark=memory.hog_mark(),
        pcp_batch=pcp_batch,
        pcp_high=pcp_high,
        slab_page_objects=PAGE_BYTES // WRAPPER_BYTES[machine.arch],
        slab_pages_kept=memory.slab_pages,
        free_pages_at_boot=free_pages,
        file_pages_at_boot=file_pages,
        hog_rate=memory.hog_pages_s / machine.hz,
        load_rate=memory.load_pages_s / machine.hz,
        kswapd_rate=memory.kswapd_pages_s / machine.hz,
        min_wmark=marks.nowait,
        gfp_high_mark=marks.high,
        gfp_atomic_mark=marks.atomic,
        low_wmark=marks.low,
        high_wmark=marks.full,
        **_in_ticks(
            scenario,
            hog_sleep=memory.hog_ms,
            hog_lead=memory.lead_ms,
            reclaim_round=round_ms,
        ),
    )


def _of_feedback(scenario: Scenario) -> dict[str, Any]:
    memory, workload = scenario.memory, scenario.workload
    hz = scenario.machine.hz
    free_pages, file_pages = memory.pages_at_boot()
    as_pages = memory.pressure == "pages"
    has_live_objects = as_pages and workload.live_objects > 0

    return dict(
        has_live_objects=has_live_objects,
        release_share=min(scenario.release_share(size) for size, _ in workload.sizes),
        has_growth=has_live_objects and workload.growth_pages_s > 0,
        growth_rate=workload.growth_pages_s / hz,
        reclaim_rate=memory.reclaim_pages_s / hz if as_pages else 0.0,
        reclaim_priority=memory.priority,
        oom_frees_pages=memory.oom_frees_mib * PAGES_PER_MIB,
        other_pages_at_boot=memory.mib * PAGES_PER_MIB - free_pages - file_pages,
        **_in_ticks(scenario, oom_delay=memory.oom_ms),
    )


def _of_sheaves(scenario: Scenario) -> dict[str, Any]:
    remedy = scenario.remedy
    machine = scenario.machine
    cache = dict(
        barn_full=remedy.barn_full,
        barn_empty=remedy.barn_empty,
        node_cpus=scenario.node_cpus,
        nr_nodes=-(-machine.cpus // scenario.node_cpus),
        sheaf_share=scenario.sheaf_share,
        share_of_slab=scenario.sheaf_share_of_slab,
        reuse_rate=scenario.reuse_hz / machine.hz,
        **_in_ticks(scenario, laziness=scenario.grace_period.lazy_ms),
    )
    sizes = [size for size, _ in scenario.workload.sizes]
    return {
        "sheaf_entries": scenario.sheaf_entries,
        "nr_sizes": len(sizes),
        "nr_caches": max(1, sum(size <= KMALLOC_MAX_CACHE_BYTES for size in sizes)),
    } | {f"kmem_cache.{name}": cache[name] for name in cache}


def sizes_of(scenario: Scenario) -> dict[str, list[int | float]]:
    """The parameters of each size of objects, as ObjectSize has them."""
    workload = scenario.workload
    sizes = [size for size, _ in workload.sizes]
    entries = [scenario.sheaf_entries_of(size) for size in sizes]
    return dict(
        object_bytes=[*sizes],
        share=[share for _, share in workload.sizes],
        objects_per_page=[objects_in_page(size) for size in sizes],
        pages_per_object=[pages_of_object(size) for size in sizes],
        release_share=[scenario.release_share(size) for size in sizes],
        live_objects=[*workload.live_of_sizes()],
        sheaf_capacity=[*entries],
        page_sheaves=[PAGE_BYTES // sheaf_bytes(one) for one in entries],
    )
