# SPDX-License-Identifier: GPL-2.0-only
"""A field that is said to move no answer moves none, and no slider that is shown moves such a field
alone.
"""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.model.allocator import Failure
from krcsim.model.memory import Memory
from krcsim.model.scenario import Scenario, as_dict, changed
from krcsim.model.unused_fields import CLASSES, unused_fields
from krcsim.results.quantities import answers
from krcsim.runs.replications import replicate
from krcsim.widgets import Pressure
from krcsim.widgets.controls import CONTROLS
from krcsim.widgets.explorer import Explorer
from tests.quick import mostly_slow
from tests.walk import EXPLORERS, choices, hasty, odd_files
from validation.scenarios import detailed_scenario, newer_scenario, random_scenario

WORLDS = [
    *(random_scenario(n) for n in range(24)),
    *(detailed_scenario(n) for n in range(24)),
    *(newer_scenario(n) for n in range(24)),
]
TRIED: dict[str, tuple[Any, ...]] = {
    **{
        f"allocator.{when}.{f.name}": (0.0, 0.3, 1.0)
        for when in ("calm", "episode")
        for f in fields(Failure)
    },
    **{f"memory.{f.name}": (17.0, 64.0, 3) for f in fields(Memory) if "lo" in f.metadata},
    "memory.hog": ("nowait", "atomic"),
    "memory.deferred_counts": (True, False),
    "memory.shrinker": (True, False),
    "remedy.double_page": (True, False),
    "remedy.refill_ms": (0.0, 3.0),
    "remedy.refill_backoff_ms": (0.0, 50.0),
    "remedy.shrinks_cache": (True, False),
    "allocator.episode_ms": (33.0,),
    "allocator.calm_ms": (44.0,),
    "allocator.start": ("calm", "stationary"),
    "remedy.cache_shared": (True, False),
    "remedy.block_entries": (3, 200),
    "remedy.nr_bkv_objs": (1, 7),
    "remedy.head_alloc": ("none", "atomic", "tryhard", "three_step"),
    "grace_period.mean_ms": (40.0,),
    "remedy.wake_work_ms": (0.0, 7.0),
    "remedy.own_cpu": (True, False),
}
SURE = [
    krcsim.load_scenario("small-world"),
    *(
        changed(krcsim.load_scenario("thread-as-posted"), **more)
        for more in (
            {"allocator.episode.page": 0.0, "allocator.calm.page": 0.0},
            {"workload.single_share": 0.0},
            {"remedy.page_class": "noretry", "allocator.episode.page_noretry": 0.5},
            {"allocator.episode.page": 1.0, "allocator.calm.page": 1.0, "remedy.cache_at_boot": 0},
        )
    ),
]


def run(s: Scenario) -> tuple[Any, ...]:
    runs = replicate(krcsim.changed(s, warmup_ms=200.0, horizon_ms=900.0), 1, 0, 3)
    return runs.counts, runs.wait_hist, runs.late_hist


@pytest.mark.parametrize(
    "number", mostly_slow(range(len(WORLDS) + len(SURE)), *range(0, len(WORLDS) + len(SURE), 4))
)
def test_an_unused_field_moves_no_count_of_any_run(number: int) -> None:
    s = [*WORLDS, *SURE][number]
    found = unused_fields(s)
    before, tried = run(s), 0
    for path in sorted(found):
        for value in TRIED.get(path, ()):
            try:
                other = changed(s, **{path: value})
            except KrcsimError:  # not a scenario
                continue
            if as_dict(other) == as_dict(s):
                continue
            tried += 1
            for a, b in zip(before, run(other), strict=True):
                assert np.array_equal(a, b), f"{path} = {value}: {found[path]}"
            assert (other.bytes_at_boot(), other.bytes_at_full()) == (
                s.bytes_at_boot(),
                s.bytes_at_full(),
            ), path
    assert tried > 0


def test_failures_are_unused_where_free_pages_decide_and_memory_where_failures_are_drawn() -> None:
    pages = unused_fields(krcsim.load_scenario("exhausted-guest"))
    drawn = unused_fields(krcsim.load_scenario("thread-as-posted"))
    assert {f"allocator.episode.{name}" for name in CLASSES} <= set(pages)
    # Its callers do not allocate, it has no page cache, and its reclaim calls no shrinker.
    assert {path for path in pages if path.startswith("memory.")} == {
        "memory.release",
        "memory.oom_frees_mib",
        "memory.oom_ms",
        "memory.reclaim_pages_s",
        "memory.priority",
    }
    assert {"memory.hog", "memory.deferred_counts"} <= set(drawn)
    assert not {
        "allocator.episode.page",
        "allocator.episode.head_atomic",
        "allocator.episode_ms",
    } & set(drawn)


def hidden(explorer: Explorer) -> set[str]:
    """The controls that are not shown."""
    return {path for path, widget in explorer.controls.items() if widget.layout.display == "none"}


def inputs(explorer: Explorer) -> list[Any]:
    """What moves the answers that an explorer shows: the fields of each world, without those that
    are unused there.
    """
    out = []
    for name, world in explorer.scenarios(explorer.scenario).items():
        without = unused_fields(world)
        flat = {
            f"{a}.{b}": v
            for a, sub in as_dict(world).items()
            if isinstance(sub, dict)
            for b, v in sub.items()
        }
        for when in ("calm", "episode"):
            flat |= {
                f"allocator.{when}.{k}": v for k, v in flat.pop(f"allocator.{when}", {}).items()
            }
        kept = {path: v for path, v in flat.items() if path not in without}
        out.append((name, kept, world.horizon_ms, world.bytes_at_boot(), world.bytes_at_full()))
    return out


@pytest.mark.parametrize("name", mostly_slow(EXPLORERS, "02"))
def test_every_slider_that_is_shown_moves_what_the_answers_come_from(
    name: str, tmp_path: Path
) -> None:
    """In settings that a random walk comes to."""
    explorer: Any = hasty(EXPLORERS[name], 0.0)(tmp_path)
    files, r = odd_files(tmp_path), random.Random(5)
    for _ in range(25):
        r.choice([*choices(explorer, files, r)])[1]()
        for path, control in explorer.controls.items():
            if path in hidden(explorer):
                continue
            was, before = control.value, inputs(explorer)
            control.value = r.choice([v for _, v in control.options if v != was])
            assert "Not possible" not in explorer.status.value
            if control.value != was:  # else it went back: nothing else was possible
                assert inputs(explorer) != before, (CONTROLS[path].label, was, control.value)


@pytest.mark.usefixtures("warm_engine")
@pytest.mark.parametrize("name", mostly_slow(EXPLORERS, "02"))
def test_a_slider_that_is_not_shown_moves_no_answer(name: str, tmp_path: Path) -> None:
    explorer: Any = hasty(EXPLORERS[name], 0.0)(tmp_path)
    for file in odd_files(tmp_path)[::9]:
        explorer.file.value = str(file)
        for path in sorted(hidden(explorer)):
            control = explorer.controls[path]
            was, before = control.value, explorer.scenario
            control.value = next(v for _, v in reversed(control.options) if v != was)
            if control.value == was:  # nothing else was possible
                continue
            after = explorer.scenario
            both = [
                replicate(changed(s, warmup_ms=100.0, horizon_ms=600.0), 1, 0, 2)
                for s in (before, after)
            ]
            assert np.array_equal(both[0].counts, both[1].counts), (file.stem, path)
            assert answers(both[0], before, 1) == answers(both[1], after, 1)
            control.value = was


def test_where_pages_decide_no_failure_is_offered_and_a_sentence_says_why(tmp_path: Path) -> None:
    explorer = Pressure(tmp_path, runs=())
    assert hidden(explorer) == {"allocator.episode.page", "allocator.episode.head"}
    assert "P(page fails), P(object fails): free pages decide what fails" in explorer.without.value
    explorer.controls["memory.hog"].value = "none"
    assert hidden(explorer) == set()
    assert explorer.without.value == ""
    explorer.controls["memory.hog"].value = "atomic"
    assert hidden(explorer) == {"allocator.episode.page", "allocator.episode.head"}
