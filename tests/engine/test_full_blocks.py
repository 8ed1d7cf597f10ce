# SPDX-License-Identifier: GPL-2.0-only
"""Drains since v5.11: who asks for pages, when the monitor comes again, and full blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from krcsim.engine.codes import CODE
from krcsim.model.scenario import Scenario, from_dict
from krcsim.runs.replications import event_log, replicate

HZ = 250
GRANULE = 64  # ticks of the timer wheel, for a timer of 504 to 4031 jiffies


def world(rate_hz: float, horizon_ms: float = 10_000.0, **more: Any) -> Scenario:
    """One CPU whose calls are of two arguments and get no page, with the drains of v6.1."""
    remedy = dict(
        head_alloc="none",
        double_page=False,
        expedited_drain=False,
        attach_to_pending=False,
        rearm="rest",
        drain_ms=5000.0,
        drain_full=True,
    )
    sections: dict[str, Any] = dict(
        machine=dict(cpus=1, hz=HZ),
        allocator=dict(episodes="none"),
        grace_period=dict(kind="fixed", mean_ms=10.0),
        workload=dict(
            rate_hz=rate_hz,
            single_share=0.0,
            call_instructions=0,
            wake_instructions=0,
            free_instructions=0,
        ),
    )
    for name, fields in more.items():
        if name != "remedy":
            sections[name] = sections[name] | fields
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=horizon_ms,
            remedy=remedy | more.get("remedy", {}),
            **sections,
        )
    )


def events(scenario: Scenario, name: str) -> Any:
    """The events of one name in one replication."""
    _, log, count = event_log(scenario, 3, events=400_000)
    assert count == len(log)
    return log[log["code"] == CODE[name]]


def test_light_traffic_is_drained_five_seconds_later_at_the_end_of_a_slot_of_the_wheel() -> None:
    armed = events(world(2.0, 400_000.0), "monitor armed")
    at, fires = armed["at"], armed["value"]
    assert len(fires) > 50
    assert np.array_equal(fires, ((np.floor(at) + 1250) // GRANULE + 1) * GRANULE)
    delay_ms = (fires - at) * 1000.0 / HZ
    assert delay_ms.min() > 5000.0
    assert delay_ms.max() <= 5000.0 + GRANULE * 1000.0 / HZ


@pytest.mark.parametrize(("hz", "latest_ms"), [(100, 5080.0), (250, 5256.0), (1000, 5512.0)])
def test_five_seconds_are_five_seconds_at_every_hz(hz: int, latest_ms: float) -> None:
    armed = events(world(2.0, 400_000.0, machine=dict(hz=hz)), "monitor armed")
    delay_ms = (armed["value"] - armed["at"]) * 1000.0 / hz
    assert delay_ms.min() > 5000.0
    assert delay_ms.max() <= latest_ms


@pytest.mark.parametrize("every_call", [False, True], ids=["skipping", "every call"])
def test_the_call_that_fills_a_block_pulls_the_monitor_to_the_second_tick(every_call: bool) -> None:
    scenario = world(300.0, 20_000.0)
    pulled = events(scenario, "monitor pulled forward")
    drained = events(scenario, "batch queued")
    assert len(pulled) == len(drained) > 5
    assert np.array_equal(pulled["queued"], [510] * len(pulled))
    assert np.array_equal(pulled["value"], np.floor(pulled["at"]) + 2)
    assert np.array_equal(drained["at"], pulled["value"])

    runs = replicate(world(300.0, 200_000.0), 1, 0, 2, every_call=every_call)
    per_s = runs.of("drains", 1).sum() / 2 / 200.0
    assert per_s == pytest.approx(300.0 / (510 + 1.5 / HZ * 300.0), rel=0.02)


def test_a_call_a_millisecond_drains_at_exactly_these_times() -> None:
    """Drains of a kernel whose blocks have 507 entries, calls at 1, 2, 3, ... ms."""
    scenario = world(
        1000.0,
        remedy=dict(block_entries=507),
        workload=dict(arrivals="periodic", phase="tick"),
    )
    drained = events(scenario, "batch queued")
    first_ms = 0.02  # the phase of a timetable that begins with a tick
    at_ms = drained["at"] * 1000.0 / HZ
    # The 507th call is made at 506.02 ms: two ticks later it is 512 ms, and so on.
    assert first_ms + 506 < 508
    assert at_ms[0] == 512.0
    assert np.array_equal(at_ms, 512.0 * np.arange(1, 20))
    assert drained["value"][0] == 512
    assert np.array_equal(drained["value"][1:], [512] * 18)


@pytest.mark.parametrize(
    ("single_share", "vmalloc_share", "page"), [(0.0, 0.0, 1.0), (1.0, 0.3, 0.0), (0.5, 0.5, 0.3)]
)
def test_blocks_of_both_channels_and_the_list_count_together(
    single_share: float, vmalloc_share: float, page: float
) -> None:
    scenario = world(
        3000.0,
        remedy=dict(double_page=True),
        allocator=dict(calm=dict(page=page)),
        workload=dict(single_share=single_share, vmalloc_share=vmalloc_share),
    )
    pulled = events(scenario, "monitor pulled forward")
    assert len(pulled) > 20
    assert np.array_equal(pulled["queued"], [510] * len(pulled))


def test_while_both_batches_are_busy_the_monitor_comes_again_two_ticks_later() -> None:
    rearmed = events(
        world(5000.0, grace_period=dict(mean_ms=500.0)),
        "monitor re-armed",
    )
    full = rearmed["queued"] >= 510
    assert full.sum() > 100
    assert np.array_equal(rearmed["value"][full], rearmed["at"][full] + 2)
    later = ((rearmed["at"][~full] + 1250) // GRANULE + 1) * GRANULE
    assert np.array_equal(rearmed["value"][~full], later)


def test_without_the_rule_a_flood_waits_for_the_drain_delay() -> None:
    scenario = world(3000.0, remedy=dict(drain_full=False))
    assert len(events(scenario, "monitor pulled forward")) == 0
    assert len(events(scenario, "batch queued")) == 1


def left_when_rearmed(rearm: str) -> Any:
    """The objects on the CPU whenever the monitor is set again; often one batch of two is busy."""
    scenario = world(
        100.0,
        60_000.0,
        remedy=dict(rearm=rearm, drain_full=False, drain_ms=0.0),
        grace_period=dict(mean_ms=35.0),
    )
    return events(scenario, "monitor re-armed")["queued"]


def test_a_busy_first_batch_sets_the_monitor_again_until_v5_13_only() -> None:
    assert (left_when_rearmed("left") == 0).any()
    assert (left_when_rearmed("rest") > 0).all()
    assert len(left_when_rearmed("rest")) > 5


def requests(single_share: float, **remedy: Any) -> tuple[float, float]:
    """Page requests, and page requests that failed, where half of them fail."""
    scenario = world(
        1000.0,
        remedy=remedy,
        allocator=dict(calm=dict(page=0.5)),
        workload=dict(single_share=single_share),
    )
    runs = replicate(scenario, 1, 0, 2)
    failed = runs.of("page_fail", 1).sum()
    return float(runs.of("page_ok", 1).sum() + failed), float(failed)


def test_calls_of_a_kind_that_does_not_ask_make_no_request() -> None:
    assert requests(0.0, double_page=False) == (0.0, 0.0)
    assert requests(1.0, page_class="cache") == (0.0, 0.0)
    assert requests(0.5, double_page=False, page_class="cache") == (0.0, 0.0)
    assert min(requests(0.0, double_page=True)) > 0.0
    assert min(requests(1.0, page_class="nowait")) > 0.0


def test_without_page_a_single_argument_call_of_v5_11_waits_and_sets_no_monitor() -> None:
    runs = replicate(
        world(500.0, remedy=dict(page_class="cache"), workload=dict(single_share=1.0)), 1, 0, 2
    )
    assert np.array_equal(runs.of("waits", 1), runs.of("single", 1))
    assert runs.of("drains", 1).sum() + runs.of("drains_due", 1).sum() == 0
