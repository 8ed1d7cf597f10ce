# SPDX-License-Identifier: GPL-2.0-only
"""From recordings of machines that are known to scenarios: intervals hold the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario_file import load_scenario
from krcsim.trace import arrivals
from krcsim.trace.arrivals import phases_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made, make
from krcsim.trace.value import ASSUMED, LIMIT
from tests.quick import mostly_slow
from tests.trace.lines import CALL, event, of_lines
from tests.trace.simulated import BEGIN_S, Truth, recorded

BASE = "thread-as-posted"
WORLDS = {
    "poisson": Truth(requests_hz=200),
    "bursts": Truth(arrivals="bursts", burst=8, episode_page=0.95, requests_hz=200),
    "onoff": Truth(arrivals="onoff", requests_hz=200, rate_hz=300),
    "phone": Truth(
        arrivals="onoff", on_ms=30, off_ms=90, rate_hz=200, cpus=4, requests_hz=60,
        episode_ms=1000, calm_ms=4000,
    ),
    "few": Truth(
        rate_hz=5, episode_page=0.5, episode_noretry=0.3, requests_hz=100, episode_ms=200,
        calm_ms=1000,
    ),
}  # fmt: skip


def made(evidence: Evidence) -> Made:
    return make(evidence, load_scenario(BASE), BASE)


def truths(truth: Truth) -> dict[str, float]:
    """The true value of each field."""
    return {
        "workload.rate_hz": truth.rate_hz,
        "workload.single_share": truth.single_share,
        "workload.vmalloc_share": truth.vmalloc_share,
        "workload.burst": truth.burst,
        "workload.on_ms": truth.on_ms,
        "workload.off_ms": truth.off_ms,
        "allocator.episode_ms": truth.episode_ms,
        "allocator.calm_ms": truth.calm_ms,
        "allocator.calm.page": truth.calm_page,
        "allocator.episode.page": truth.episode_page,
        "allocator.episode.page_noretry": truth.episode_noretry,
        "allocator.stall_ms": truth.stall_ms,
        "allocator.stall_sigma": truth.stall_sigma,
        "grace_period.lengths_ms": truth.grace_period_ms,
    }


@pytest.mark.slow
def test_intervals_hold_the_truth() -> None:
    """Each kind of field over all worlds: nine in ten at least, and no world is left out."""
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for truth in WORLDS.values():
        for seed in range(30):
            found = made(recorded(truth, 1000 + seed))
            for field, true in truths(truth).items():
                if field in found.values and (limits := found.values[field].limits):
                    asked[field] += 1
                    held[field] += limits.low <= true <= limits.high
    assert set(asked) == set(truths(Truth()))
    assert {
        field: held[field] / asked[field] for field in asked if held[field] < 0.9 * asked[field]
    } == {}


@pytest.mark.parametrize("world", mostly_slow(WORLDS, "onoff"))
def test_the_kind_of_arrivals_is_known(world: str) -> None:
    truth = WORLDS[world]
    found = made(recorded(truth, 5)).scenario.workload
    assert found.arrivals == truth.arrivals
    assert found.burst == truth.burst


def test_longer_recordings_have_narrower_intervals() -> None:
    short, long = (
        made(recorded(replace(WORLDS["few"], seconds=seconds), 3)).values["allocator.calm_ms"]
        for seconds in (20.0, 200.0)
    )
    assert short.limits is not None
    assert long.limits is not None
    assert long.limits.high / long.limits.low < short.limits.high / short.limits.low


@pytest.mark.parametrize(("on_s", "off_s"), [(0.05, 0.15), (0.3, 0.7), (0.02, 2.0)])
def test_phases_are_those_whose_dispersion_was_seen(on_s: float, off_s: float) -> None:
    """The dispersion of counts of phases, by its formula, leads back to the phases."""
    mean_hz = 250.0
    r = 1 / on_s + 1 / off_s

    def dispersion(window_s: float) -> float:
        weight = 1 / r - (1 - np.exp(-r * window_s)) / (r * r * window_s)
        return float(1 + 2 * mean_hz * off_s / on_s * weight)

    found = phases_of(mean_hz, dispersion(0.01), dispersion(1.0), 0.01, 1.0)
    assert found == pytest.approx((on_s, off_s), rel=1e-6)


def test_requests_of_which_none_failed_are_a_limit_and_not_0() -> None:
    truth = Truth(seconds=30.0, calm_page=0.0, episode_page=0.0, episode_noretry=0.0)
    found = made(recorded(truth, 1))
    value = found.values["allocator.calm.page"]
    tries = int(value.evidence.split(" requests")[0].replace(",", ""))
    assert value.kind == LIMIT
    assert value.value == pytest.approx(3.0 / tries, rel=0.01)
    assert found.scenario.allocator.calm.page == value.value


def test_no_episode_in_a_minute_makes_calm_at_least_so_long() -> None:
    truth = Truth(calm_page=0.0, episode_page=0.0, episode_noretry=0.0)
    value = made(recorded(truth, 1)).values["allocator.calm_ms"]
    assert value.kind == LIMIT
    assert value.value == pytest.approx(20_000.0, rel=0.01)


def test_what_was_not_recorded_stays_assumed_and_says_so(tmp_path: Path) -> None:
    lines = [event(100.0 + n / 100, "kvf", CALL) for n in range(500)]
    found = made(of_lines(tmp_path, *lines))
    base = load_scenario(BASE)
    for field, value in (
        ("allocator.calm_ms", base.allocator.calm_ms),
        ("allocator.episode.page", base.allocator.episode.page),
        ("machine.hz", base.machine.hz),
        ("workload.vmalloc_share", base.workload.vmalloc_share),
    ):
        explained = found.explained(field)
        assert (explained.kind, explained.value) == (ASSUMED, value)
        assert explained.evidence


def test_an_unknown_field_is_refused_with_the_nearest(tmp_path: Path) -> None:
    found = made(of_lines(tmp_path, event(1.0, "kvf", CALL)))
    with pytest.raises(KrcsimError, match=r"did you mean workload\.rate_hz"):
        found.explained("workload.rate")


def test_a_recording_without_a_call_is_a_limit_of_the_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("#@krcsim-recording 1\n#@armed calls\n#@span 5 35\n#@end\n")
    from krcsim.trace.reading import read

    value = made(read([path])).values["workload.rate_hz"]
    assert value.kind == LIMIT
    assert value.value == pytest.approx(0.1, rel=0.01)


def test_lost_events_widen_the_interval_of_the_rate(tmp_path: Path) -> None:
    lines = [event(100.0 + n / 100, "kvf", CALL) for n in range(500)]
    whole = made(of_lines(tmp_path, *lines)).values["workload.rate_hz"]
    lossy = made(of_lines(tmp_path, *lines, "CPU:0 [LOST 500 EVENTS]")).values["workload.rate_hz"]
    assert whole.limits is not None
    assert lossy.limits is not None
    assert lossy.limits.high == pytest.approx(2 * whole.limits.high)
    assert lossy.limits.low == whole.limits.low


def test_a_request_that_tries_harder_never_fails_more_often() -> None:
    truth = Truth(seconds=30.0, episode_page=0.3, episode_noretry=0.9)
    found = made(recorded(truth, 2))
    episode = found.scenario.allocator.episode
    assert episode.page_noretry == episode.page
    assert any("cannot fail" in note for note in found.notes)


def test_episodes_do_not_begin_at_the_start_of_the_clock() -> None:
    """Times are those of the machine since its boot; only differences matter."""
    assert recorded(Truth(seconds=10.0), 1).spans[0][0] == BEGIN_S


def test_one_busy_cpu_among_many_is_noted() -> None:
    evidence = recorded(Truth(seconds=20.0, cpus=4, rate_hz=50), 1)
    calls = evidence.calls
    busy = replace(calls, calls=calls.calls * np.where(calls.cpus == 2, 20, 1))
    found = made(replace(evidence, calls=busy))
    assert any(note.startswith("CPU 2 makes") for note in found.notes)


@pytest.mark.parametrize("seconds", [8.0, 15.3, 30.81, 61.9])
def test_calls_one_by_one_have_dispersion_1_in_recordings_of_any_length(seconds: float) -> None:
    evidence = recorded(Truth(seconds=seconds, requests_hz=1.0), 4)
    shape = arrivals.shape(evidence.calls, arrivals.blocks_of(evidence.calls, evidence.spans))
    assert shape is not None
    assert shape.dispersion == pytest.approx((1.0, 1.0), abs=0.5)
    assert shape.arrivals == "poisson"


def test_grace_periods_that_are_left_are_those_of_others() -> None:
    evidence = replace(recorded(Truth(), 1), counters={"work": 50})
    value = made(evidence).values["grace_period.background_hz"]
    idle_s = 60.0 - float(evidence.grace_periods_s.sum())
    assert value.value == pytest.approx(150 / idle_s)
    assert value.limits is not None
    assert value.limits.low < value.value < value.limits.high
    assert "200 grace periods in 60 s, of which 50 at most" in value.evidence


def test_whose_grace_periods_they_are_is_not_known_without_the_works() -> None:
    found = made(recorded(Truth(), 1))
    assert "no run of kfree_rcu_work()" in found.assumed["grace_period.background_hz"]


def test_cpus_that_call_far_more_than_others_have_their_own_rates(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rates = {0: 400, 1: 20, 5: 30}
    calls = [(at, cpu) for cpu, rate in rates.items() for at in random.uniform(100, 130, 30 * rate)]
    lines = [event(at, "kvf", CALL, cpu=cpu) for at, cpu in sorted(calls)]
    found = made(of_lines(tmp_path, *lines))
    assert found.scenario.workload.cpu_shares == (12000.0, 600.0, 900.0)
    rate_hz = found.scenario.workload.rate_hz
    own = [rate_hz * share for share in found.scenario.workload.rates_of_cpus(3)]
    assert own == pytest.approx([400.0, 20.0, 30.0], rel=0.01)
    assert "CPU 0 makes 2.7 times" in found.values["workload.cpu_shares"].evidence


def test_cpus_that_call_alike_stay_alike(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    calls = [(at, cpu) for cpu in (0, 1) for at in random.uniform(100, 130, 3000 + 900 * cpu)]
    lines = [event(at, "kvf", CALL, cpu=cpu) for at, cpu in sorted(calls)]
    assert made(of_lines(tmp_path, *lines)).scenario.workload.cpu_shares == ()
