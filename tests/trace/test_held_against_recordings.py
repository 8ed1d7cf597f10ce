# SPDX-License-Identifier: GPL-2.0-only
"""A scenario is held against what the kernel did, and refused where it does not reproduce that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.trace.evidence import Happened
from krcsim.trace.fit import Made
from krcsim.trace.intervals import Interval
from krcsim.trace.predicted import BLOCK, Against, Held, predicted_against_recorded
from krcsim.trace.rates import in_blocks, rate_of, seconds_of
from tests.quick import mostly_slow
from tests.trace.lines import CALL, event, of_lines
from tests.trace.test_archive import archive
from tests.trace.test_fit import made
from validation.recordings import KERNELS, folder, path_of

pytestmark = pytest.mark.usefixtures("warm_engine")
LOADS = ("poisson", "onoff", "bursts")
EVERY = [f"{kernel} {load}" for kernel in KERNELS.split() for load in LOADS]
EVERYTHING = [
    "runs of the monitor",
    "batches",
    "runs of the refill worker",
    "page requests of kfree_rcu()",
    "grace periods",
]


def read(which: str) -> Made:
    return krcsim.read_recordings(path_of(folder(), *which.split()))


@pytest.mark.parametrize("which", mostly_slow(EVERY, "6.1 poisson", "7.3 bursts"))
def test_recordings_of_kernels_are_reproduced(which: str) -> None:
    found = predicted_against_recorded(read(which))
    assert [row.name for row in found.rows] == EVERYTHING
    assert found.misses == ()
    assert found.not_recorded == (BLOCK,)
    found.require()


@pytest.mark.parametrize("which", mostly_slow(EVERY, "6.1 poisson", "7.3 bursts"))
def test_the_monitor_runs_as_often_as_predicted_within_5_percent(which: str) -> None:
    monitor = predicted_against_recorded(read(which)).rows[0]
    assert abs(monitor.predicted - monitor.recorded) <= max(0.05 * monitor.recorded, 0.01)


def test_the_fit_under_a_hog_is_refused_since_the_shrinker_is_missing() -> None:
    """It would say that far fewer calls wait than did."""
    reading = read("6.12 hog")
    found = predicted_against_recorded(reading)
    waits, calls = reading.evidence.counters["own_waits"], int(reading.evidence.calls.single.sum())
    assert (waits, calls) == (58, 15_646)
    estimate = krcsim.ask(reading.scenario, max_runs=256, budget=4e6).estimate
    assert estimate.hi is not None
    assert estimate.hi < 0.2 * waits / calls
    assert [row.name for row in found.misses] == ["page requests of kfree_rcu()"]
    assert found.misses[0].recorded > 20 * found.misses[0].predicted
    assert "Reclaim called the shrinker" in found.advice


def test_a_fit_of_another_rate_is_refused_and_what_misses_is_named() -> None:
    reading = read("6.1 poisson")
    wrong = replace(
        reading, scenario=krcsim.changed(reading.scenario, **{"workload.rate_hz": 3000.0})
    )
    found = predicted_against_recorded(wrong)
    assert not found.is_evidence
    assert found.misses[0].name in ("runs of the monitor", "batches")
    with pytest.raises(KrcsimError, match=f"Refused as evidence: of {found.misses[0].name} 0"):
        found.require()


def test_another_kernel_is_refused() -> None:
    """v5.9 drains every 20 ms, v6.1 when a block is full or after 5 s."""
    reading = read("6.1 poisson")
    wrong = replace(reading, scenario=krcsim.changed(reading.scenario, remedy="E1"))
    assert not predicted_against_recorded(wrong).is_evidence


def test_the_same_seed_predicts_the_same() -> None:
    reading = read("7.3 onoff")
    assert predicted_against_recorded(reading) == predicted_against_recorded(reading)
    assert predicted_against_recorded(reading, seed=5) != predicted_against_recorded(reading)


def test_pointers_a_block_are_compared_where_they_were_traced() -> None:
    reading = read("6.1 poisson")
    filled = replace(reading, evidence=replace(reading.evidence, block_pointers=(36, 9300)))
    (row,) = [row for row in predicted_against_recorded(filled).rows if row.name == BLOCK]
    assert row.is_reproduced
    assert row.predicted == pytest.approx(9300 / 36, rel=0.3)
    wrong = replace(reading, evidence=replace(reading.evidence, block_pointers=(3600, 36_000)))
    assert predicted_against_recorded(wrong).misses[0].name == BLOCK


def test_what_a_recording_does_not_show_is_said_and_is_no_evidence(tmp_path: Path) -> None:
    lines = [event(100.0 + n / 100, "kvf", CALL) for n in range(500)]
    found = predicted_against_recorded(made(of_lines(tmp_path, *lines)))
    assert found.rows == ()
    assert set(found.not_recorded) == {*EVERYTHING, BLOCK}
    assert not found.is_evidence
    assert "Nothing was compared" in found.text()
    with pytest.raises(KrcsimError, match="krcsim record"):
        found.require()


def test_a_recording_of_less_than_a_second_is_refused(tmp_path: Path) -> None:
    lines = [event(100.0 + n / 1000, "mon", "(kfree_rcu_monitor+0x0/0x10)") for n in range(50)]
    with pytest.raises(KrcsimError, match="record longer"):
        predicted_against_recorded(made(of_lines(tmp_path, *lines)))


@pytest.mark.parametrize(
    ("recorded", "predicted", "is_reproduced"),
    [
        ((1.0, 0.9, 1.1), (1.15, 1.05, 1.25), True),  # the intervals overlap
        ((1.0, 0.99, 1.01), (1.05, 1.04, 1.06), True),  # they do not, but it is near
        ((1.0, 0.9, 1.1), (1.3, 1.2, 1.4), False),
        ((0.0, 0.0, 0.1), (0.01, 0.0, 0.05), True),
        ((0.0, 0.0, 0.1), (1.0, 0.5, 1.5), False),
    ],
)
def test_intervals_decide_and_what_is_near_is_good_enough(
    recorded: tuple[float, ...], predicted: tuple[float, ...], is_reproduced: bool
) -> None:
    row = Held(
        "batches",
        "batches/s",
        recorded[0],
        Interval(*recorded[1:]),
        predicted[0],
        Interval(*predicted[1:]),
    )
    assert row.is_reproduced is is_reproduced
    assert Against((row,), (), 8).is_evidence is is_reproduced
    assert ("NO" in row.cells()) is not is_reproduced


def test_the_farthest_off_is_named_first() -> None:
    far, near = (
        Held(name, "1/s", 1.0, Interval(0.9, 1.1), value, Interval(value, value))
        for name, value in (("far", 9.0), ("near", 2.0))
    )
    found = Against((near, far), (), 8)
    assert [row.name for row in found.misses] == ["far", "near"]
    assert "of far 1 1/s" in found.sentence
    assert "it misses near, too" in found.sentence


def test_counts_without_times_may_have_begun_before_the_recording(tmp_path: Path) -> None:
    """What was counted outside is not known, so the rate is between two."""
    timeless = krcsim.read_recordings(archive(tmp_path)).evidence
    assert "monitor" not in timeless.ran
    earlier = replace(timeless, beyond_s=5.0)
    assert seconds_of(earlier, "monitor") == (10.0, 15.0)
    value, limits = rate_of(earlier, "monitor", 7)
    assert 7 / 15 < value < 7 / 10
    assert limits.low < rate_of(timeless, "monitor", 7)[1].low


def test_what_comes_by_a_timer_has_a_narrower_interval_than_a_poisson_law() -> None:
    evidence = read("6.1 poisson").evidence
    count = evidence.counters["monitor"]
    with_times = rate_of(evidence, "monitor", count)[1]
    without = rate_of(replace(evidence, ran={}), "monitor", count)[1]
    assert with_times.high - with_times.low < without.high - without.low


def test_blocks_hold_all_that_happened_in_the_recorded_time() -> None:
    happened = Happened(np.array([1000, 1500, 2999, 99_999]), np.array([1, 2, 3, 50]))
    blocks = in_blocks(happened, ((10.0, 30.0),), 10)
    assert blocks.tolist() == [1, 0, 2, 0, 0, 0, 0, 0, 0, 3]
