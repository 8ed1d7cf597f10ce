# SPDX-License-Identifier: GPL-2.0-only
"""Callers that allocate what they free: closed forms of rules R80 to R87, and nothing is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import FieldError
from krcsim.model.memory import PAGES_PER_MIB
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.arena import Arena
from krcsim.runs.replications import Replications, replicate
from tests.engine.test_memory import pages
from tests.engine.test_properties import NUMBER, SEED, examples
from validation.scenarios import feedback_scenario

WAIT_MS = 30.0
PAGE = 4096

# Every call waits, whatever memory there is, since nobody asks for anything.
ALL_WAIT = from_dict(
    dict(
        warmup_ms=0.0,
        horizon_ms=1000.0,
        machine=dict(cpus=1, instruction_ns=0.33),
        remedy=dict(base="A0", array_path=False, head_alloc="none"),
        allocator=dict(episodes="none"),
        grace_period=dict(kind="fixed", mean_ms=WAIT_MS),
        workload=dict(rate_hz=1000.0, object_bytes=PAGE, live_objects=100),
        memory=dict(pressure="pages", mib=32.0, hog="none", free_mib=24.0),
    )
)


def world(base: Scenario = ALL_WAIT, **fields: Any) -> Scenario:
    """A scenario with fields changed, the dot of a name written as two underscores."""
    return changed(base, **{name.replace("__", "."): value for name, value in fields.items()})


def runs_of(scenario: Scenario, runs: int = 4, *, every_call: bool = False) -> Replications:
    """A few replications."""
    return replicate(scenario, 7, 0, runs, every_call=every_call)


def all_pages(arena: Arena) -> float:
    """All pages that the engine knows of."""
    end = arena.end
    return pages(end, arena.arrays["cpus"]) + float(end["grown_pages"] + end["other_pages"])


@examples(60)
@given(NUMBER, SEED, st.booleans())
def test_no_page_is_lost_with_feedback(number: int, seed: int, skipping: bool) -> None:
    scenario = feedback_scenario(number)
    arena = Arena(scenario, every_call=not skipping)
    arena.run(seed, 0)
    remedy, cpus = scenario.remedy, scenario.machine.cpus
    caches = remedy.cache_at_boot * (1 if remedy.cache_shared else 2)
    at_boot = scenario.memory.mib * PAGES_PER_MIB + cpus * (caches + scenario.memory.slab_pages)
    assert all_pages(arena) == pytest.approx(at_boot)
    assert np.all(arena.arrays["pcs"]["object_slots"] >= 0)
    assert arena.end["free_pages"] >= 0


@pytest.mark.parametrize("every_call", [False, True])
def test_without_frees_exactly_what_fits_into_memory_is_allocated(every_call: bool) -> None:
    """Nothing is freed before the OOM: the pages above min at boot, four objects a page."""
    scenario = world(
        workload__object_bytes=1024, grace_period__mean_ms=1000.0, memory__free_mib=4.0
    )
    live, marks = scenario.workload.live_pages(), scenario.memory.marks()
    free = 4.0 * PAGES_PER_MIB - live - np.ceil(marks.nowait)
    runs = runs_of(world(scenario, workload__rate_hz=20_000.0), every_call=every_call)
    assert np.all(runs.of("ooms", 1) == 1)
    assert np.all(runs.of("single", 1) == 4 * free)


def test_an_oom_takes_sixteen_rounds_in_vain() -> None:
    scenario = world(
        remedy="E1",
        grace_period__mean_ms=1000.0,
        memory__free_mib=2.0,
        allocator__stall_sigma=0.0,
        workload__loop="closed",
    )
    runs = runs_of(scenario)
    round_ms = scenario.memory.round_instructions * scenario.machine.instruction_ns * 1e-6
    assert np.all(runs.of("stalls", 1) == 1)
    assert runs.of("stall_ms", 1) == pytest.approx(16 * round_ms)


def test_time_after_the_oom_is_lost_and_is_no_time_of_the_rates() -> None:
    runs = runs_of(world(remedy="E1", grace_period__mean_ms=1000.0, memory__free_mib=2.0))
    lost_ms, calls = runs.of("lost_ms", 1), runs.of("single", 1)
    assert np.all(lost_ms > 0)
    assert calls.sum() / (1000.0 - lost_ms).sum() == pytest.approx(1.0, rel=0.2)


def test_an_oom_in_the_boot_window_loses_the_steady_one() -> None:
    scenario = world(remedy="E1", grace_period__mean_ms=1000.0, memory__free_mib=2.0)
    runs = runs_of(world(scenario, warmup_ms=900.0))
    assert np.all(runs.of("ooms", 0) == 1)
    assert np.all(runs.of("lost_ms", 1) == pytest.approx(100.0))
    assert np.all(runs.of("single", 1) == 0)


def test_a_kill_frees_memory_and_the_run_goes_on() -> None:
    scenario = world(
        remedy="E1",
        grace_period__mean_ms=1000.0,
        memory__free_mib=2.0,
        memory__oom_frees_mib=1.0,
        memory__oom_ms=10.0,
        workload__loop="closed",
    )
    runs = runs_of(scenario)
    assert np.all(runs.of("lost_ms", 1) == 0)
    seen = runs.of("ooms", 1)
    assert np.all(seen >= 2)
    # Each kill but the last, of which the time may be over, brings 256 pages, an object each.
    fewest = 256 * (seen - 1)
    assert np.all(runs.of("single", 1) >= fewest)


@pytest.mark.parametrize("growth_pages_s", [16.0, 66.0])
def test_every_wait_asks_for_what_grows_meanwhile(growth_pages_s: float) -> None:
    """The gain is growth * W / pages of an object, W = 1.5 grace periods; each frees a page."""
    runs = runs_of(
        world(workload__growth_pages_s=growth_pages_s, memory__mib=400.0, memory__free_mib=390.0), 8
    )
    gain = runs.of("pages_asked", 1).sum() / runs.of("pages_released", 1).sum()
    mean_wait_s = runs.of("wait_ms", 1).sum() / runs.of("waits", 1).sum() / 1000.0
    assert mean_wait_s == pytest.approx(1.5 * WAIT_MS / 1000.0, rel=0.03)
    assert gain == pytest.approx(growth_pages_s * mean_wait_s, rel=0.1)


def test_above_a_gain_of_one_memory_runs_out_and_below_it_does_not() -> None:
    """W = 45 ms: 11 pages/s make a gain of 0.5, and 67 of 3."""
    below, above = (
        runs_of(world(horizon_ms=6000.0, workload__growth_pages_s=growth))
        for growth in (11.0, 67.0)
    )
    assert below.of("ooms", 1).sum() == 0
    assert np.all(above.of("ooms", 1) == 1)


def test_a_run_away_ends_when_the_free_pages_are_gone() -> None:
    """Gain 3 at 1000 calls/s of a page each: 2000 pages/s are missing, of those above min."""
    scenario = world(horizon_ms=9000.0, workload__growth_pages_s=3.0 / 0.045)
    runs = runs_of(scenario)
    free = 24.0 * PAGES_PER_MIB - 100 - scenario.memory.marks().nowait
    held = 45.0  # objects of calls that wait
    ended_ms = 9000.0 - runs.of("lost_ms", 1).mean()
    assert ended_ms == pytest.approx(1000.0 * (free - held) / 2000.0, rel=0.1)


def test_small_objects_release_the_share_of_their_pages() -> None:
    scenario = world(workload__object_bytes=512, memory__release=0.25)
    runs = runs_of(scenario)
    freed = runs.of("waits", 1)
    assert runs.of("pages_released", 1) == pytest.approx(freed * 0.25 / 8, rel=0.1)


def test_objects_of_a_page_release_all_of_it() -> None:
    scenario = world(memory__release=0.25)
    assert scenario.release_share(4096) == 1.0
    assert scenario.release_share(512) == 0.25


def test_without_release_the_slab_pages_of_the_peak_are_enough() -> None:
    """Nothing becomes free, and the next objects find room: no more is taken than at the peak."""
    scenario = world(workload__object_bytes=512, memory__release=0.0, horizon_ms=4000.0)
    arena = Arena(scenario)
    arena.run(3, 0)
    in_use = 100 + 1.5 * WAIT_MS  # live, and those of calls that wait
    assert arena.end["object_pages"] <= np.ceil((in_use + 50) / 8)
    assert arena.arrays["counters"]["pages_released"][1] == 0


def test_deferred_pages_come_back_by_the_share_where_callers_do_not_allocate() -> None:
    """R43 and R80: of the pages that a drain makes spare half is free; the next objects take the
    rest.
    """
    base = world(
        workload__live_objects=0,
        workload__object_bytes=512,
        workload__rate_hz=10_000.0,
        workload__single_share=0.0,
        memory__hog="nowait",
        horizon_ms=3000.0,
    )
    whole, half = (
        runs_of(world(base, memory__release=share)).of("pages_released", 1).sum()
        for share in (0.99, 0.5)
    )
    assert half / whole == pytest.approx(0.5 / 0.99, rel=0.02)


def test_a_double_argument_caller_without_an_object_makes_no_call() -> None:
    scenario = world(
        remedy="E1",
        grace_period__mean_ms=1000.0,
        memory__free_mib=2.0,
        workload__single_share=0.0,
    )
    runs = runs_of(scenario)
    made, failed = runs.of("double", 1), runs.of("failed_allocations", 1)
    assert np.all(failed > 0)
    assert np.all(runs.of("stalls", 1) == 0)
    assert (made + failed).mean() == pytest.approx(1000.0, rel=0.1)


@pytest.mark.parametrize("stalls", [1, 4, 16])
def test_stalls_share_what_reclaim_finds(stalls: int) -> None:
    """R85: C = 2,000 pages/s and stalls of 4 ms: 8 pages for all of them, so 8/n each."""
    scenario = from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=3000.0,
            machine=dict(cpus=stalls),
            remedy=dict(
                base="E1", page_class="noretry", nr_bkv_objs=0, cache_at_boot=0, block_entries=1
            ),
            allocator=dict(episodes="none", stall_ms=4.0, stall_sigma=0.0),
            grace_period=dict(kind="fixed", mean_ms=0.001),
            workload=dict(rate_hz=20_000.0, loop="closed", object_bytes=PAGE),
            memory=dict(
                pressure="pages",
                mib=64.0,
                free_mib=0.0,
                file_mib=64.0,
                hog="reserves",
                hog_pages_s=1e8,
                hog_ms=1e-3,
                kswapd_pages_s=0.0,
                reclaim_pages_s=2000.0,
            ),
        )
    )
    scenario = world(scenario, allocator__episodes="schedule", allocator__schedules=[[0.0, 1e9]])
    runs = runs_of(scenario, 2)
    each = runs.of("pages_reclaimed", 1).sum() / runs.of("stalls", 1).sum()
    assert each == pytest.approx(8.0 / stalls, rel=0.1)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (dict(workload__live_objects=0), "memory.hog"),
        (dict(workload__live_objects=10_000), "workload.live_objects"),
        (dict(workload__live_objects=0, workload__growth_pages_s=1.0), "workload.growth_pages_s"),
        (dict(memory__release=1.5), "memory.release"),
        (dict(memory__oom_ms=0.0), "memory.oom_ms"),
    ],
)
def test_feedback_that_contradicts_itself_is_refused(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(FieldError, match=name):
        world(**fields)
