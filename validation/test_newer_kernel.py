# SPDX-License-Identifier: GPL-2.0-only
"""A newer kernel, really built and booted: what its own kfree_rcu() does is what its sources say.

One CPU and virtual time, so that nothing depends on the load of the host.
"""

from __future__ import annotations

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.guest.boot import Boot, Row
from krcsim.guest.mainline.build import ready
from krcsim.guest.mainline.measure import Measured, run_as_far
from krcsim.guest.mainline.series import SERIES
from tests.needs import QEMU

pytestmark = pytest.mark.slow

ALWAYS = "arrival=1 period_us=1000 burst=10 dur_ms=200 settle_ms=0"
JOBS = {
    "slab, no page": f"{ALWAYS} objsize=64 p_page_ppm=1000000",
    "4096 bytes, no page": f"{ALWAYS} objsize=4096 p_page_ppm=1000000",
    "vmalloc, no page": f"{ALWAYS} objsize=4096 vmalloc_pct=100 p_page_ppm=1000000",
    "8193 bytes, no page": f"{ALWAYS} objsize=8193 p_page_ppm=1000000",
    "refused, two arguments": f"{ALWAYS} double_pct=100 p_page_ppm=1000000 p_sheaf_ppm=1000000",
    "half of the pages": "period_us=1000 burst=10 dur_ms=1000 vmalloc_pct=50 double_pct=30 "
    "p_page_ppm=500000 p_sheaf_ppm=500000",
    "two calls": "period_us=1000 dur_ms=50 total=2 double_pct=100 vmalloc_pct=100 settle_ms=8000",
    "new sheaves": "own_cache=1 preobj=1 total=3000 double_pct=100 period_us=1000 dur_ms=4000 "
    "settle_ms=0",
}


@pytest.fixture(scope="module")
def measured() -> Measured:
    if not QEMU.here():
        pytest.skip(QEMU.reason())
    try:
        build = ready(SERIES["7.3"])
    except KrcsimError as exc:
        if "look at the network" not in str(exc):
            raise
        pytest.skip(f"Linux 7.3 cannot be downloaded here: {exc}")
    return run_as_far(build, [f"{line} seed=1" for line in JOBS.values()], Boot())


@pytest.fixture(scope="module")
def rows(measured: Measured) -> dict[str, Row]:
    return dict(zip(JOBS, measured.rows, strict=True))


def test_the_kernel_is_what_was_asked_for_and_lacks_nothing(measured: Measured) -> None:
    assert measured.notes == ()
    assert measured.origin.patch.startswith("7.3.")
    assert measured.rows[0]["release"] == measured.origin.kernel


@pytest.mark.parametrize("name", JOBS)
def test_every_call_goes_one_way(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    ways = sum(row[way] for way in ("waits", "in_sheaf", "in_bulk", "in_vmalloc", "in_list"))
    assert row["calls"] == ways > 0
    assert row["held_after_barrier"] == 0


@pytest.mark.parametrize("name", ["slab, no page", "4096 bytes, no page"])
def test_slab_objects_go_into_sheaves_and_no_call_waits(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    assert row["in_sheaf"] == row["calls"]
    assert (row["waits"], row["page_try"], row["monitors"]) == (0, 0, 0)


@pytest.mark.parametrize("name", ["vmalloc, no page", "8193 bytes, no page"])
def test_what_no_sheaf_takes_waits_when_no_page_is_had(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    assert row["waits"] == row["calls"] == row["page_fail"]
    assert row["wait_p50_us"] < 1000  # on one CPU a grace period of 7.x ends at once


def test_calls_with_two_arguments_never_ask_for_a_page_and_never_wait(
    rows: dict[str, Row],
) -> None:
    row = rows["refused, two arguments"]
    assert row["in_list"] == row["calls"]
    assert (row["waits"], row["page_try"]) == (0, 0)


def test_a_wait_is_a_page_that_was_made_to_fail(rows: dict[str, Row]) -> None:
    row = rows["half of the pages"]
    assert row["waits"] == row["page_fail"] > 0
    assert 0 < row["sheaf_refused"] < row["sheaf_offered"]


def test_light_traffic_is_drained_after_5_s_and_a_granule_of_the_timer_wheel(
    rows: dict[str, Row],
) -> None:
    (drained_us,) = rows["two calls"]["monitor_us"]
    assert 5.0e6 < drained_us <= 5.0e6 + 64 * 4000 + 8000


def test_a_sheaf_is_asked_for_until_the_barn_has_empty_ones(rows: dict[str, Row]) -> None:
    row = rows["new sheaves"]
    assert (row["sheaves"], row["sheaf_largest"]) == (50, 60)
    assert 10 <= row["sheaf_requests"] <= 13  # the barn keeps 10 full ones
