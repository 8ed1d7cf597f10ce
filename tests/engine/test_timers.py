# SPDX-License-Identifier: GPL-2.0-only
"""When the monitor runs: the drain delay in jiffies, and how the timer wheel rounds it up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.constants import drain_jiffies, fqs_jiffies, milliseconds, ticks
from krcsim.model.scenario import Scenario, from_dict
from krcsim.runs.replications import event_log

Log = np.ndarray[Any, Any]


def traffic(hz: int, jiffies: int = 0, rate_hz: float = 50.0, **remedy: Any) -> Scenario:
    """One CPU, random call times, no pressure."""
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=10_000.0,
            machine=dict(cpus=1, hz=hz),
            remedy=dict(base="A1", drain_jiffies=jiffies, **remedy),
            allocator=dict(episodes="none"),
            workload=dict(rate_hz=rate_hz),
        )
    )


def log_of(scenario: Scenario) -> Log:
    """All events of one replication."""
    _, log, count = event_log(scenario, 3, events=100_000)
    assert count == len(log)
    return log


def only(log: Log, name: str) -> Log:
    """The events of one name."""
    return np.asarray(log[log["code"] == CODE[name]])


def armed(scenario: Scenario) -> tuple[Log, Log]:
    """When monitors were armed, and for when, in ticks; at least twenty."""
    events = only(log_of(scenario), "monitor armed")
    assert len(events) > 20
    return events["at"], events["value"]


def test_a_drain_of_five_jiffies_at_250_hz_fires_at_the_sixth_tick() -> None:
    at, fires = armed(traffic(hz=250))
    assert np.array_equal(fires, np.floor(at) + 6)


def test_a_drain_at_250_hz_takes_20_to_24_ms() -> None:
    at, fires = armed(traffic(hz=250))
    delay_ms = (fires - at) * 4.0
    assert 20.0 < delay_ms.min() < 20.5
    assert 23.5 < delay_ms.max() <= 24.0


@pytest.mark.parametrize(("hz", "jiffies"), [(100, 2), (250, 5), (300, 6), (1000, 20)])
def test_the_drain_of_hz_by_50_jiffies_fires_a_tick_after_its_last(hz: int, jiffies: int) -> None:
    at, fires = armed(traffic(hz=hz))
    assert np.array_equal(fires, np.floor(at) + jiffies + 1)


@pytest.mark.parametrize("hz", [100, 250, 300, 1000])
def test_a_batch_is_queued_at_the_tick_its_monitor_was_armed_for(hz: int) -> None:
    log = log_of(traffic(hz=hz))
    fires = only(log, "monitor armed")["value"]
    queued = only(log, "batch queued")["at"]
    assert len(queued) > 30
    assert np.array_equal(queued, fires[: len(queued)])
    assert len(fires) - len(queued) <= 1  # the last may lie behind the horizon


@pytest.mark.parametrize("hz", [24, 49, 50, 99, 100, 250, 300, 1000])
def test_hz_by_50_is_rounded_down_but_at_least_one_jiffy(hz: int) -> None:
    assert drain_jiffies(hz) == max(1, int(hz / 50))


@pytest.mark.parametrize("jiffies", [1, 5, 61, 62])
def test_a_timer_below_63_jiffies_is_exact_to_a_jiffy(jiffies: int) -> None:
    at, fires = armed(traffic(hz=1000, jiffies=jiffies))
    assert np.array_equal(fires, np.floor(at) + jiffies + 1)


@pytest.mark.parametrize("jiffies", [63, 80, 200])
def test_a_timer_of_63_jiffies_or_more_fires_at_the_next_multiple_of_8(jiffies: int) -> None:
    at, fires = armed(traffic(hz=1000, jiffies=jiffies))
    expiry = np.floor(at) + jiffies
    assert np.all(fires % 8 == 0)
    assert np.all((fires > expiry) & (fires <= expiry + 8))


def test_timers_of_63_jiffies_or_more_end_in_every_way_of_rounding() -> None:
    """From 1 to 8 ticks late, so the rounding is not that of one lucky phase."""
    at, fires = armed(traffic(hz=1000, jiffies=80))
    assert set(fires - np.floor(at) - 80) == set(range(1, 9))


@pytest.mark.parametrize(("jiffies", "multiple"), [(503, 8), (504, 64), (4031, 64), (4032, 512)])
def test_longer_timers_round_up_to_coarser_multiples(jiffies: int, multiple: int) -> None:
    at, fires = armed(traffic(hz=10_000, jiffies=jiffies, rate_hz=1000.0))
    expiry = np.floor(at) + jiffies
    assert np.all(fires % multiple == 0)
    assert np.all((fires > expiry) & (fires <= expiry + multiple))


@pytest.mark.parametrize(
    ("jiffies", "shift"), [(5, 0), (62, 0), (63, 3), (80, 3), (503, 3), (504, 6), (4032, 9)]
)
def test_a_level_of_the_wheel_begins_at_63_of_its_buckets(jiffies: int, shift: int) -> None:
    at, fires = armed(traffic(hz=10_000, jiffies=jiffies, rate_hz=1000.0))
    assert np.array_equal(fires, (((np.floor(at) + jiffies) // (1 << shift)) + 1) * (1 << shift))


def test_a_monitor_that_leaves_a_rest_comes_again_after_a_drain_delay() -> None:
    """Both batches are in flight when grace periods outlast the drain."""
    world = from_dict(
        dict(
            machine=dict(cpus=1),
            remedy=dict(base="A1", rearm="left", attach_to_pending=False),
            allocator=dict(episodes="none"),
            grace_period=dict(kind="fixed", mean_ms=100.0),
            workload=dict(rate_hz=5000.0),
        )
    )
    rearmed = only(log_of(world), "monitor re-armed")
    assert len(rearmed) > 30
    assert np.array_equal(rearmed["value"], np.floor(rearmed["at"]) + 6)


QUEUED = ("batch queued", "joined a pending batch")


def rearmed_after_queueing(rearm: str) -> int:
    """How often a monitor queued something and was re-armed, where calls use blocks or the list."""
    world = from_dict(
        dict(
            machine=dict(cpus=1),
            remedy=dict(base="A1", rearm=rearm, block_entries=1, nr_bkv_objs=0),
            allocator=dict(episodes="none", calm=dict(page=0.5)),
            grace_period=dict(kind="fixed", mean_ms=150.0),
            workload=dict(rate_hz=100.0, single_share=0.0),
        )
    )
    log = log_of(world)
    taken = np.concatenate([only(log, name)["at"] for name in QUEUED])
    return int(np.isin(only(log, "monitor re-armed")["at"], taken).sum())


def test_the_monitor_of_2020_comes_again_only_if_it_could_queue_nothing() -> None:
    assert rearmed_after_queueing("unqueued") == 0


def test_the_later_monitor_comes_again_if_it_left_anything() -> None:
    assert rearmed_after_queueing("left") > 0


@pytest.mark.parametrize(
    ("hz", "cpus", "jiffies"),
    [(100, 1, 1), (250, 4, 1), (251, 4, 2), (300, 4, 2), (501, 4, 3), (1000, 4, 3), (250, 512, 3)],
)
def test_scans_come_every_jiffy_or_later_where_ticks_are_short_or_cpus_many(
    hz: int, cpus: int, jiffies: int
) -> None:
    assert fqs_jiffies(hz, cpus) == jiffies


@pytest.mark.parametrize("hz", [24, 100, 250, 300, 1000, 10_000])
def test_jiffies_become_milliseconds_and_back(hz: int) -> None:
    assert ticks(milliseconds(7, hz), hz) == pytest.approx(7)
    assert milliseconds(hz, hz) == 1000.0
