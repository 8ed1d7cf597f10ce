# SPDX-License-Identifier: GPL-2.0-only
"""A larger reserve in the same world: the first wait never comes earlier, but more calls may wait,
and longer.

All runs take calls one by one in an open loop, so that two sizes share their world until they first
differ. What docs/model.md says of scenarios in which more hurts is computed here, and looked up
there.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.engine.codes import CODE
from krcsim.model.remedy import Remedy
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import event_log
from tests.engine.test_properties import NUMBER, SEED, examples, short

SIZES = st.integers(0, 6)
MORE = st.integers(1, 8)
WORLDS = range(400)  # of which docs/model.md counts those in which more hurts


def sized(world: Scenario, what: str, n: int, full: bool) -> Scenario:
    """The world with a pool of n objects, or a cache of n pages, full or empty at boot."""
    pool = dict(nr_emergency_objs=n, emergency_at_boot=n * full)
    pages = dict(nr_bkv_objs=n, cache_at_boot=n * full)
    reserve: dict[str, Any] = pool if what == "pool" else pages
    return replace(world, remedy=replace(world.remedy, **reserve))


def opened(number: int, **overrides: Any) -> Scenario:
    """A random world in an open loop."""
    return changed(short(number), **{"workload.loop": "open", "workload.producers": 1} | overrides)


def waited(world: Scenario, seed: int) -> tuple[float, int, float]:
    """When the first wait began (in ticks), how many there were, and their time in ms."""
    runs, log, n = event_log(world, seed, events=1 << 18, every_call=True)
    assert n == len(log)
    begun = log["at"][log["code"] == CODE["wait begins"]]
    first = float(begun[0]) if len(begun) else math.inf
    return first, len(begun), float(sum(runs.of("wait_ms", window)[0] for window in (0, 1)))


def compared(
    world: Scenario, seed: int, what: str, few: int, many: int, full: bool
) -> list[tuple[float, int, float]]:
    """waited() with the smaller and with the larger reserve."""
    return [waited(sized(world, what, n, full), seed) for n in (few, many)]


@examples(200)
@given(NUMBER, SEED, SIZES, MORE, st.booleans())
def test_a_larger_pool_never_makes_the_first_wait_earlier(
    number: int, seed: int, few: int, more: int, full: bool
) -> None:
    """Until a call finds the smaller pool empty, the two differ in its level alone; a wrapper kept
    costs no time.
    """
    world = opened(number, **{"workload.list_free_instructions": 0.0})
    (first, *_), (later, *_) = compared(world, seed, "pool", few, few + more, full)
    assert later >= first


@examples(200)
@given(NUMBER, SEED, SIZES, MORE, st.booleans())
def test_more_pages_never_make_the_first_wait_earlier_where_nothing_is_listed(
    number: int, seed: int, few: int, more: int, full: bool
) -> None:
    """As in v5.9: a failed page request of a single-argument call is a wait, and its success is a
    cached page.
    """
    plain = Remedy(
        head_alloc="none", block_entries=short(number).remedy.block_entries, rearm="left"
    )
    world = opened(number, **{"remedy": plain, "workload.single_share": 1.0})
    (first, *_), (later, *_) = compared(world, seed, "pages", few, few + more, full)
    assert later >= first


def starved(**sections: Any) -> Scenario:
    """One CPU under pressure from time 0 on, CPU time for nothing, calls on a timetable."""
    world: dict[str, Any] = dict(
        warmup_ms=0.0,
        machine=dict(cpus=1, instruction_ns=0.0),
        allocator=dict(
            episodes="schedule", schedules=[[0.0, 1e9]], episode=dict(page=1.0, head=1.0)
        ),
        workload=dict(arrivals="bursts", phase="tick"),
    )
    for name, fields in sections.items():
        world[name] = world.get(name, {}) | fields if isinstance(fields, dict) else fields
    return from_dict(world)


# No chance in it: every request fails, and a grace period is one scan.
POOL = starved(
    horizon_ms=49.5,
    remedy=dict(
        base="A1",
        head_alloc="none",
        array_path=False,
        nr_bkv_objs=0,
        drain_jiffies=4,
        attach_to_pending=False,
    ),
    workload=dict(rate_hz=1000 / 4.5),
)
# The luck of a page request is that of its call, whatever the reserve.
BLOCKS = starved(
    horizon_ms=31.5,
    remedy=dict(base="E1", block_entries=3),
    allocator=dict(episode=dict(page=0.5)),
    grace_period=dict(kind="fixed", mean_ms=10.0),
    workload=dict(rate_hz=1000 / 4.5),
)
# No chance in it either, and no early drain: bursts of five calls, and a pool of as many objects.
BURSTS = starved(
    horizon_ms=2123.75,
    remedy=dict(
        base="A0",
        array_path=False,
        nr_bkv_objs=0,
        drain_jiffies=1,
        attach_to_pending=False,
        expedited_drain=False,
        rearm="left",
    ),
    allocator=dict(schedules=[[125.0, 1e9]], calm=dict(page=1.0)),
    grace_period=dict(kind="fixed", mean_ms=46.0),
    workload=dict(burst=5, rate_hz=1000 / 10.25),
)
WORSE = {
    "POOL": (POOL, "pool", 2, 3),
    "BLOCKS": (BLOCKS, "pages", 0, 1),
    "BURSTS": (BURSTS, "pool", 4, 5),
}


@cache
def said() -> str:
    """docs/model.md in one line."""
    text = Path(__file__).parents[2] / "docs" / "model.md"
    return " ".join(text.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("name", WORSE)
def test_the_worlds_in_which_more_hurts_are_told_as_they_are(name: str) -> None:
    world, what, few, many = WORSE[name]
    (_, n, ms), (_, more, longer) = compared(world, 0, what, few, many, full=True)
    assert more > n
    assert longer > ms
    assert (
        f"{n} wait{'s' * (n > 1)} of {ms:.2f} ms in all become {more} of {longer:.2f} ms" in said()
    )


def test_the_third_object_finds_both_batches_busy_and_is_not_drained_at_once() -> None:
    """The cause told for the pool: its early drain fails, and its timer then holds back those
    behind it.
    """
    logs = [
        event_log(sized(POOL, "pool", n, True), 0, events=1000, every_call=True)[1] for n in (2, 3)
    ]
    rearmed = [log["at"][log["code"] == CODE["monitor re-armed"]] for log in logs]
    batches = [log[log["code"] == CODE["batch queued"]]["value"].max() for log in logs]
    assert len(rearmed[0]) == 0
    assert len(rearmed[1]) == 1
    assert batches == [1, 3]


@pytest.mark.slow
def test_how_often_more_hurts_is_told_as_it_is() -> None:
    """Random worlds on a timetable: a full pool of two against one of four, and as many pages."""
    timed = [w for w in map(opened, WORLDS) if w.workload.arrivals in ("periodic", "bursts")]
    counts = []
    for what in ("pool", "pages"):
        pairs = [
            compared(w, 1, what, 2, 4, full=True)
            for w in timed
            if what == "pool" or w.remedy.array_path
        ]
        counts += [
            sum(a != b for a, b in pairs),
            sum(b[1] > a[1] for a, b in pairs),
            sum(b[2] > a[2] + 1e-6 for a, b in pairs),
        ]
    pool, pages = (
        f"{d} scenarios that it changes, calls wait more often in {n} and longer in all in {t}"
        for d, n, t in (counts[:3], counts[3:])
    )
    assert pool in said(), counts
    assert pages in said(), counts
