# SPDX-License-Identifier: GPL-2.0-only
"""Objects of several sizes against pencil and paper: bytes, sheaves of their own, slab pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.engine.records import COUNTERS
from krcsim.model.constants import PAGE_BYTES
from krcsim.model.memory import PAGES_PER_MIB
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.results.quantities import answers
from krcsim.runs.arena import Arena
from krcsim.runs.replications import Replications, replicate
from tests.engine.test_feedback import all_pages
from tests.engine.test_feedback import world as feedback
from tests.engine.test_properties import NUMBER, SEED, examples
from tests.engine.test_sheaves import BOTH_MODES, RANDOM, STEADY, counted
from tests.engine.test_sheaves import world as sheaf_world
from validation.scenarios import sized_scenario

MIXED = [[64, 0.7], [1024, 0.2], [16384, 0.1]]
MEAN_BYTES = 0.7 * 64 + 0.2 * 1024 + 0.1 * 16384

# Blocks only, single calls, none of which waits.
BLOCKS = from_dict(
    dict(
        warmup_ms=0.0,
        horizon_ms=4000.0,
        machine=dict(cpus=2),
        remedy=dict(base="E1"),
        allocator=dict(episodes="none"),
        grace_period=dict(kind="fixed", mean_ms=10.0),
        workload=dict(rate_hz=5000.0, object_sizes=MIXED),
    )
)


def sheaves(sizes: list[list[float]], **workload: Any) -> Scenario:
    """Calls at random times, 5000 a second on each of two CPUs."""
    return sheaf_world(
        workload=RANDOM | dict(rate_hz=5000.0, object_sizes=sizes) | workload,
        machine=dict(cpus=2),
        length_ms=8000.0,
    )


def binomially(found: float, trials: float, share: float) -> bool:
    """Whether a number of successes lies within 4.5 standard deviations."""
    return bool(abs(found - trials * share) <= 4.5 * np.sqrt(trials * share * (1.0 - share)) + 1)


def test_equal_sizes_are_one_size_and_draw_nothing() -> None:
    one = changed(BLOCKS, **{"workload.object_sizes": None, "workload.object_bytes": 192})
    same = changed(BLOCKS, **{"workload.object_sizes": [[192, 0.25], [192, 3.0], [64, 0.0]]})
    assert same == one
    assert replicate(same, 1, 0, 1).of("peak_bytes", STEADY).sum() == 0


def test_sizes_change_bytes_and_nothing_else_where_nothing_looks_at_them() -> None:
    """A new slab page costs nothing here; all else is the same to the bit."""
    base = changed(BLOCKS, **{"workload.slab_instructions": 0.0, "remedy.page_return": "batch"})
    alike = changed(base, **{"workload.object_sizes": None})
    runs, others = (replicate(s, 4, 0, 3, every_call=True) for s in (base, alike))
    for name in COUNTERS:
        if name not in ("peak_bytes", "bytes_area"):
            assert runs.of(name, STEADY).tolist() == others.of(name, STEADY).tolist(), name


@BOTH_MODES
def test_deferred_bytes_are_the_deferred_objects_times_their_mean_size(every_call: bool) -> None:
    runs = replicate(BLOCKS, 2, 0, 40, every_call=every_call)
    found = answers(runs, BLOCKS, STEADY, ["mean_bytes", "mean_objects"])
    mean_objects = found["mean_objects"].value
    assert mean_objects is not None
    assert found["mean_bytes"].value == pytest.approx(mean_objects * MEAN_BYTES, rel=0.01)


def test_the_most_bytes_lie_between_those_of_alike_and_of_large_objects() -> None:
    runs = replicate(BLOCKS, 2, 0, 10)
    peaks = runs.of("peak_bytes", STEADY)
    assert np.all(peaks > runs.of("peak", STEADY) * MEAN_BYTES * 0.9)
    assert np.all(peaks < runs.of("peak", STEADY) * 16384)
    found = answers(runs, BLOCKS, STEADY, ["peak_bytes"])
    assert found["peak_bytes"].value == pytest.approx(peaks.mean())


def bytes_in_sheaves(arena: Arena) -> int:
    """Bytes in sheaves that are being filled, and in full ones that wait."""
    sizes, pcs, barns = (arena.arrays[name] for name in ("sizes", "pcs", "barns"))
    caches = int(arena.end["nr_caches"])
    held = 0
    for size in range(caches):
        filling = np.maximum(0, pcs["rcu_free"][size :: len(sizes)]).sum()
        of_cache = barns[size::caches]
        full = of_cache["waits_for_next"] + of_cache["waits_for_later"] + of_cache["coming_back"]
        lazy = pcs["lazy"][size :: len(sizes)].sum()
        objects = filling + (full.sum() + lazy) * sizes["sheaf_capacity"][size]
        held += int(objects * sizes["object_bytes"][size])
    return held


@examples(60)
@given(NUMBER, SEED, st.booleans())
def test_bytes_are_those_of_the_objects_that_are_deferred(
    number: int, seed: int, every_call: bool
) -> None:
    scenario = sized_scenario(number)
    arena = Arena(scenario, every_call=every_call)
    arena.run(seed, 0)
    sizes = arena.arrays["sizes"]
    held = int((sizes["behind"] * sizes["object_bytes"]).sum())
    if scenario.remedy.sheaves:
        held += bytes_in_sheaves(arena)
    assert arena.end["deferred_bytes"] == held
    assert np.all(sizes["behind"] >= 0)
    assert arena.arrays["counters"]["peak_bytes"].max() >= held


@examples(40)
@given(NUMBER, SEED, st.booleans())
def test_no_page_is_lost_with_several_sizes(number: int, seed: int, every_call: bool) -> None:
    scenario = sized_scenario(4 * number + 3)  # with feedback
    arena = Arena(scenario, every_call=every_call)
    arena.run(seed, 0)
    remedy, cpus = scenario.remedy, scenario.machine.cpus
    caches = remedy.cache_at_boot * (1 if remedy.cache_shared else 2)
    at_boot = scenario.memory.mib * PAGES_PER_MIB + cpus * (caches + scenario.memory.slab_pages)
    assert all_pages(arena) == pytest.approx(at_boot)
    assert np.all(arena.arrays["pcs"]["object_slots"] >= 0)


# ---- sheaves


@BOTH_MODES
def test_each_size_fills_sheaves_of_its_own_capacity(every_call: bool) -> None:
    """60 pointers of small objects, 4 of those of a page; each CPU has one of either open."""
    scenario = sheaves([[64, 3.0], [4096, 1.0]])
    runs = replicate(scenario, 3, 0, 4, every_call=every_call)
    calls = runs.of("double", STEADY).sum()
    full = runs.of("sheaves_full", STEADY).sum()
    assert counted(runs, "sheaf_stored", "refused_kind") == [calls, 0]
    assert full == pytest.approx(calls * (0.75 / 60 + 0.25 / 4), rel=0.01)


@BOTH_MODES
def test_a_further_size_means_a_further_sheaf_that_is_being_filled(every_call: bool) -> None:
    """Each holds from 0 to 59 objects, each as long: 29.5 on average."""
    for sizes, several in (([[64, 1]], 1), ([[64, 1], [96, 1], [128, 1]], 3)):
        scenario = sheaves(sizes)
        runs = replicate(scenario, 5, 0, 6, every_call=every_call)
        found = answers(runs, scenario, STEADY, ["filling_objects"])["filling_objects"].value
        assert found == pytest.approx(2 * 29.5 * several, rel=0.03)


@BOTH_MODES
def test_objects_that_are_in_no_slab_page_go_behind_the_sheaves(every_call: bool) -> None:
    scenario = sheaves([[64, 6], [8192, 3], [8193, 1]], sheaf_share=0.5)
    runs = replicate(scenario, 6, 0, 4, every_call=every_call)
    calls, taken = counted(runs, "double", "sheaf_stored")
    assert binomially(taken, calls, 0.9 * 0.5)
    assert counted(runs, "refused_kind") == [calls - taken]
    share_behind = np.array([0.6 * 0.5, 0.3 * 0.5, 0.1]) / 0.55
    arena = Arena(changed(scenario, **{"grace_period.mean_ms": 1e5}), every_call=every_call)
    arena.run(1, 0)  # nothing comes back
    behind = arena.arrays["sizes"]["behind"]
    for found, share in zip(behind, share_behind, strict=True):
        assert binomially(found, behind.sum(), share)


@BOTH_MODES
def test_a_rare_size_holds_its_objects_longer_and_so_more_bytes(every_call: bool) -> None:
    """By Little's law: what a sheaf holds while it is filled does not depend on how often that is,
    so that the bytes of a rare large size count as much as those of a frequent small one.
    """
    scenario = sheaves([[64, 99], [192, 1]])
    scenario = changed(scenario, **{"grace_period.mean_ms": 1e-3, "horizon_ms": 60_000.0})
    runs = replicate(scenario, 7, 0, 4, every_call=every_call)
    found = answers(runs, scenario, STEADY, ["mean_bytes"])["mean_bytes"].value
    assert found == pytest.approx(2 * 29.5 * (64 + 192), rel=0.1)


@BOTH_MODES
@pytest.mark.parametrize("arrivals", ["poisson", "periodic"])
def test_allocations_find_the_main_sheaf_of_their_size_empty(
    arrivals: str, every_call: bool
) -> None:
    """No sheaf comes back, so each is filled from slab pages, when the last object is taken."""
    sizes = [[64, 3], [4096, 1]]
    scenario = sheaves(sizes, arrivals=arrivals, sheaf_share=0.0, reuse_hz=2000.0)
    refills = counted(replicate(scenario, 8, 0, 1, every_call=every_call), "slab_refills")[0]
    allocations = 2 * 2000.0 * 8.0
    expected = allocations * (0.75 / 60 + 0.25 / 4)
    assert abs(refills - expected) <= 4.5 * np.sqrt(allocations * 0.25) / 4 + 4


@BOTH_MODES
def test_skipping_and_single_steps_have_the_same_law(every_call: bool) -> None:
    """A size that is rare, one that fills its sheaf fast, and some calls behind the sheaves."""
    scenario = sheaves([[64, 90], [3000, 9], [4096, 1]], sheaf_share=0.8, vmalloc_share=0.1)
    runs = replicate(scenario, 20 + every_call, 0, 20, every_call=every_call)
    calls, taken, full = counted(runs, "double", "sheaf_stored", "sheaves_full")
    assert binomially(taken, calls, 0.9 * 0.8)
    assert full == pytest.approx(taken * (0.9 / 60 + 0.09 / 12 + 0.01 / 4), rel=0.02)


# ---- memory as pages


def test_callers_that_wait_give_back_what_their_size_gives_back() -> None:
    """A quarter of small objects, all of large ones; a page has eight of 512 bytes."""
    sizes = {"workload.object_sizes": [[512, 3], [8192, 1]], "memory.release": 0.25}
    runs = replicate(changed(feedback(), **sizes), 7, 0, 4)
    freed = runs.of("waits", STEADY)
    expected = freed * (0.75 * 0.25 / 8 + 0.25 * 2)
    assert runs.of("pages_released", STEADY).sum() == pytest.approx(expected.sum(), rel=0.1)


def test_live_objects_hold_the_slab_pages_of_their_sizes() -> None:
    sizes = {"workload.object_sizes": [[512, 1], [8192, 1]], "workload.live_objects": 100}
    scenario = changed(feedback(), **sizes, horizon_ms=1e-3)
    arena = Arena(scenario)
    arena.run(1, 0)
    assert scenario.workload.live_pages() == 7 + 50 * 2
    assert 107 <= arena.end["object_pages"] <= 110


@BOTH_MODES
def test_deferred_objects_hold_the_pages_of_their_bytes(every_call: bool) -> None:
    scenario = changed(
        BLOCKS,
        **{
            "memory.pressure": "pages",
            "memory.hog": "none",
            "memory.load_pages_s": 1.0,
            "memory.mib": 400.0,
            "memory.free_mib": 300.0,
            "workload.rate_hz": 1000.0,
            "grace_period.mean_ms": 1e5,
        },
    )
    arena = Arena(scenario, every_call=every_call)
    arena.run(1, 0)
    held = -(-int(arena.end["deferred_bytes"]) // PAGE_BYTES)
    assert arena.end["object_pages"] == held
    objects = arena.end["deferred_objects"]
    spread = 4900 * np.sqrt(objects)  # bytes; 4900 is the standard deviation of a size
    assert abs(arena.end["deferred_bytes"] - objects * MEAN_BYTES) <= 4.5 * spread


def sums(runs: Replications) -> dict[str, float]:
    """What is compared between bursts and single calls."""
    return {name: float(runs.of(name, STEADY).sum()) for name in ("double", "sheaf_stored")}


@pytest.mark.parametrize("arrivals", ["bursts", "onoff"])
def test_other_sources_draw_sizes_alike(arrivals: str) -> None:
    scenario = sheaves(
        [[64, 9], [9000, 1]], arrivals=arrivals, burst=1 + 9 * (arrivals == "bursts")
    )
    found = sums(replicate(scenario, 9, 0, 4))
    assert binomially(found["sheaf_stored"], found["double"], 0.9)
