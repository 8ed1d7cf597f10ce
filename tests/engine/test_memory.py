# SPDX-License-Identifier: GPL-2.0-only
"""Memory as pages: nothing is lost, marks follow the kernel's formula, and what contradicts itself
is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import FieldError
from krcsim.model.memory import Memory
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import load_scenario, toml_text
from krcsim.runs.arena import Arena
from krcsim.runs.replications import replicate
from tests.engine.test_properties import NUMBER, SEED, examples, short, total

GUEST = load_scenario("exhausted-guest")


def world(number: int, **fields: Any) -> Scenario:
    """A random world with little memory, a hog and a load."""
    memory = (
        dict(pressure="pages", mib=32.0, file_mib=4.0, hog_pages_s=1e5, load_pages_s=2e4) | fields
    )
    return changed(short(number), **{f"memory.{k}": v for k, v in memory.items()})


def pages(g: Any, cpus: np.ndarray[Any, Any]) -> float:
    """All pages that the engine knows of, wherever they are."""
    return float(
        g["free_pages"]
        + g["file_pages"]
        + g["hog_pages"]
        + g["object_pages"]
        + g["kfree_rcu_pages"]
        + cpus["pcp_pages"].sum()
    )


@examples(100)
@given(NUMBER, SEED, st.sampled_from(["none", "nowait", "atomic", "reserves"]), st.booleans())
def test_no_page_is_lost(number: int, seed: int, hog: str, skipping: bool) -> None:
    s = world(number, hog=hog)
    arena = Arena(s, every_call=not skipping)
    arena.run(seed, 0)
    free, file = s.memory.pages_at_boot()
    r = s.remedy
    caches = r.cache_at_boot * (1 if r.cache_shared else 2)
    boot = free + file + s.machine.cpus * (caches + s.memory.slab_pages)
    assert pages(arena.end, arena.arrays["cpus"]) == pytest.approx(boot)
    assert (
        min(
            arena.end[name]
            for name in ("free_pages", "file_pages", "hog_pages", "object_pages", "kfree_rcu_pages")
        )
        >= 0
    )


@examples(100)
@given(NUMBER, SEED)
def test_a_pointer_is_freed_or_still_deferred(number: int, seed: int) -> None:
    runs = replicate(world(number), seed, 0, 2)
    assert np.all(total(runs, "queued") >= total(runs, "freed"))


def test_calls_one_by_one_tell_the_same() -> None:
    means = [
        np.mean(replicate(GUEST, 1, 0, 12, every_call=every).of("waits", 1))
        for every in (False, True)
    ]
    assert means[0] == pytest.approx(means[1], rel=0.1)


def test_objects_that_wait_hold_memory_unless_the_loop_is_open() -> None:
    """Long grace periods, no hog: what waits to be freed is the pressure; without it nobody
    fails.
    """
    s = from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=2000.0,
            remedy="A1",
            allocator=dict(episodes="schedule", schedules=[[0.0, 1e9]]),
            grace_period=dict(kind="fixed", mean_ms=500.0),
            workload=dict(rate_hz=20_000.0, object_bytes=1024),
            memory=dict(
                pressure="pages", mib=32.0, hog="none", load_pages_s=1.0, kswapd_pages_s=0.0
            ),
        )
    )
    closed, opened = (
        replicate(changed(s, **{"memory.deferred_counts": on}), 1, 0, 2) for on in (True, False)
    )
    assert closed.of("page_fail", 1).sum() > 0
    assert opened.of("page_fail", 1).sum() == 0


def test_direct_reclaim_finds_the_page_cache() -> None:
    s = changed(
        GUEST, **{"memory.free_mib": 20.0, "memory.file_mib": 190.0, "memory.kswapd_pages_s": 0.0}
    )
    there, none = (replicate(x, 1, 0, 2) for x in (s, GUEST))
    assert there.of("waits", 1).sum() < none.of("waits", 1).sum()


@pytest.mark.parametrize(("mib", "kib"), [(223636 / 1024, 1850), (481300 / 1024, 2746)])
def test_marks_are_those_of_the_guest(mib: float, kib: int) -> None:
    """min_free_kbytes as the guests of 256 and 512 MiB show it; the kernel leaves a little out of
    the sum.
    """
    marks = Memory(mib=mib).marks()
    assert marks.nowait * 4 == pytest.approx(kib, rel=0.03)
    assert (marks.high / marks.nowait, marks.atomic / marks.nowait) == (0.5, 0.375)
    assert marks.low == pytest.approx(1.25 * marks.nowait)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (dict(mib=64.0, free_mib=65.0), "memory.free_mib"),
        (dict(mib=64.0, file_mib=65.0), "memory.file_mib"),
        (dict(hog="none", lead_ms=1.0), "memory.lead_ms"),
        (dict(hog="all"), "memory.hog"),
        (dict(slab_pages=-1), "memory.slab_pages"),
    ],
)
def test_what_contradicts_itself_is_refused(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(FieldError, match=name):
        Memory(**fields)


def test_a_world_of_pages_is_written_and_read_back() -> None:
    import tomllib

    assert from_dict(tomllib.loads(toml_text(GUEST))) == GUEST


def test_a_refill_worker_tops_the_cache_up_where_failures_are_drawn() -> None:
    s = changed(
        Scenario(), **{"allocator.episodes": "none", "remedy.nr_bkv_objs": 5, "horizon_ms": 4000.0}
    )
    plain, refilled = (
        replicate(changed(s, **{"remedy.refill": on}), 1, 0, 2) for on in (False, True)
    )
    assert refilled.of("cache_hits", 0).sum() > plain.of("cache_hits", 0).sum()
    assert refilled.of("page_ok", 0).sum() < plain.of("page_ok", 0).sum()
