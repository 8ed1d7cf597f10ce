# SPDX-License-Identifier: GPL-2.0-only
"""A rate that changes over seconds is found in a recording, with pieces whose rates are true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import krcsim
from krcsim.model.calls import timed_calls
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.runs.replications import replicate
from krcsim.trace.arrivals import blocks_of
from krcsim.trace.chart import chart_of
from krcsim.trace.course import Course, course_of
from krcsim.trace.draws import PIECES, _chosen, _drawn, joint_of, quantile, resampled
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made, make
from krcsim.trace.predicted import predicted_against_recorded
from krcsim.trace.value import READ, Value
from tests.quick import mostly_slow
from tests.trace.simulated import BEGIN_S, Truth, call_times, recorded

BASE = load_scenario("thread-as-posted")
STEPS = ((0.0, 1.0), (18.0, 3.0), (31.0, 0.0), (36.0, 0.4))
MEAN = (18.0 + 39.0 + 9.6) / 60.0
WORLDS = {
    "poisson": Truth(steps=STEPS, rate_hz=200, cpus=1, requests_hz=20),
    "bursts": Truth(steps=STEPS, rate_hz=400, arrivals="bursts", burst=6, requests_hz=20),
    "few": Truth(steps=STEPS, rate_hz=20, cpus=2, requests_hz=20),
}
SAME_RATE = {
    "poisson": Truth(requests_hz=20),
    "bursts": Truth(arrivals="bursts", burst=8, requests_hz=20),
    "onoff": Truth(arrivals="onoff", rate_hz=300, requests_hz=20),
    "long phases": Truth(arrivals="onoff", on_ms=800, off_ms=2000, requests_hz=20),
    "one CPU": Truth(arrivals="onoff", on_ms=2000, off_ms=4000, cpus=1, seconds=180, requests_hz=5),
    "longer phases": Truth(arrivals="onoff", on_ms=3000, off_ms=3000, seconds=120, requests_hz=20),
}


def made(evidence: Evidence) -> Made:
    return make(evidence, BASE, "thread-as-posted")


def pieces_of(found: Made) -> tuple[tuple[float, float], ...]:
    return found.scenario.workload.rate_changes


@pytest.mark.parametrize("world", WORLDS)
def test_pieces_begin_where_the_rate_changed_and_have_its_rates(world: str) -> None:
    truth = WORLDS[world]
    found = made(recorded(truth, 7))
    pieces = pieces_of(found)
    assert [start for start, _ in pieces] == pytest.approx([0, 18e3, 31e3, 36e3], abs=400)
    course = course_of(found.evidence.calls, found.evidence.spans)
    assert course is not None
    for (_, rate), (_, factor), error in zip(pieces, STEPS, course.errors(), strict=True):
        mean = factor * truth.rate_hz
        assert abs(rate - mean) <= 4.5 * error * mean if factor else rate == 0.0
    assert found.scenario.workload.arrivals == ("bursts" if world == "bursts" else "poisson")
    period_ms = found.scenario.workload.rate_period_ms
    assert period_ms == pytest.approx(60e3, abs=20)
    assert found.scenario.horizon_ms - found.scenario.warmup_ms == period_ms


@pytest.mark.parametrize("world", mostly_slow(WORLDS, "few"))
def test_intervals_of_the_mean_rate_and_of_each_piece_hold_the_truth(world: str) -> None:
    """Nine in ten at least, of 40 recordings."""
    truth = WORLDS[world]
    held, asked, of_mean = 0, 0, 0
    for seed in range(40):
        found = made(recorded(truth, 500 + seed))
        course = course_of(found.evidence.calls, found.evidence.spans)
        limits = found.values["workload.rate_hz"].limits
        assert course is not None
        assert limits is not None
        of_mean += limits.low <= MEAN * truth.rate_hz <= limits.high
        if len(course.calls) == len(STEPS):
            for (_, factor), rate, error in zip(STEPS, course.rates, course.errors(), strict=True):
                if factor:
                    asked += 1
                    z = math.log(rate / (factor * truth.rate_hz * truth.cpus)) / error
                    held += abs(z) <= 1.96
    assert of_mean >= 36
    assert asked >= 3 * 36
    assert held >= 0.9 * asked


@pytest.mark.parametrize("world", mostly_slow(SAME_RATE, "bursts", "one CPU"))
def test_a_rate_that_is_the_same_always_has_no_pieces(world: str) -> None:
    """Phases that are seen often are phases, also where they last for seconds."""
    truth = SAME_RATE[world]
    for seed in range(15):
        found = made(recorded(truth, 900 + seed))
        assert pieces_of(found) == ()
        assert "workload.rate_changes" not in found.values
        assert found.scenario.workload.arrivals == truth.arrivals


def test_what_was_refused_as_too_short_for_phases_is_a_rate_that_changes() -> None:
    found = made(recorded(WORLDS["poisson"], 7))
    assert "workload.arrivals" not in found.assumed
    said = found.explained("workload.rate_changes")
    assert said.words() == "4 pieces"
    assert said.evidence.startswith("4 pieces of 5 to 24 s, on all CPUs together from 0 calls/s, ")
    assert "below 0.6 (95 %) (from 31" in said.evidence
    assert said.sources == found.values["workload.rate_hz"].sources


def test_a_base_with_pieces_loses_them_where_the_recording_has_none() -> None:
    base = changed(
        BASE,
        **{"workload.rate_changes": [[0, 1], [1000, 2]], "workload.rate_period_ms": 5000.0},
    )
    plain = make(recorded(SAME_RATE["poisson"], 3), base, "mine")
    assert plain.scenario.workload.rate_changes == ()
    replayed = make(recorded(WORLDS["few"], 3), base, "mine", replays=True)
    assert replayed.scenario.workload.arrivals == "replay"
    assert replayed.scenario.workload.rate_changes == ()


def test_draws_vary_the_rate_of_each_piece_as_far_as_its_calls_leave_it_open() -> None:
    found = made(recorded(WORLDS["few"], 11))
    course = course_of(found.evidence.calls, found.evidence.spans)
    joint = joint_of(found, BASE, 200)
    assert course is not None
    assert PIECES in joint.varies
    drawn = np.array([[rate for _, rate in draw.workload.rate_changes] for draw in joint.draws])
    fitted = np.array([rate for _, rate in pieces_of(found)])
    some = fitted > 0.0
    assert np.log(drawn[:, some]).std(axis=0) == pytest.approx(course.errors()[some], rel=0.1)
    assert np.median(drawn[:, some], axis=0) == pytest.approx(fitted[some], rel=0.02)
    # Of none in 5 s on 2 CPUs: exponential with mean 1/10, of which 95 % are below 3/10.
    assert np.mean(drawn[:, ~some] <= 3.0 / (2 * course.seconds[~some])) == pytest.approx(
        0.95, abs=0.01
    )
    assert {draw.workload.rate_period_ms for draw in joint.draws} == {
        found.scenario.workload.rate_period_ms
    }


def test_a_draw_of_a_recording_without_an_episode_has_no_calm_beyond_what_a_scenario_takes() -> (
    None
):
    made_of_sample = krcsim.read_recordings("6.1-steps")
    draws = joint_of(made_of_sample, BASE).draws
    assert max(draw.allocator.calm_ms for draw in draws) <= 1e8
    calm = made_of_sample.values["allocator.calm_ms"]
    assert quantile(calm, 1.0 - 1e-6) > 1e8 == _drawn(calm, 1.0 - 1e-6)
    assert len({draw.workload.rate_changes for draw in draws}) == len(draws)


def test_blocks_are_drawn_from_their_own_piece() -> None:
    evidence = recorded(WORLDS["poisson"], 5)
    course = course_of(evidence.calls, evidence.spans)
    assert course is not None
    blocks = blocks_of(evidence.calls, evidence.spans)
    random = np.random.default_rng(1)

    def spread(of: Course | None) -> float:
        """Of the calls in 30 resamples, in parts of them."""
        totals = []
        for _ in range(30):
            chosen = _chosen(blocks, evidence, of, random)
            totals.append(resampled(evidence, blocks, chosen, random).calls.total)
        return float(np.std(totals) / evidence.calls.total)

    assert spread(course) < 0.05 < 0.1 < spread(None)


def test_cpus_that_are_busy_in_turn_have_no_course_in_common() -> None:
    evidence = recorded(replace(WORLDS["poisson"], cpus=2), 4)
    calls = evidence.calls
    late = calls.windows > (BEGIN_S + 25.0) * 100
    other = made(replace(evidence, calls=replace(calls, cpus=late.astype(np.int64))))
    assert pieces_of(other) == ()
    assert "take the calls as they came with --replay" in other.assumed["workload.arrivals"]


def test_the_picture_has_the_pieces_over_the_recorded_counts() -> None:
    found = made(recorded(WORLDS["bursts"], 7))
    chart = chart_of(found)
    assert len(chart.pieces) == 4
    assert chart.pieces[1][2] == pytest.approx(2 * 3.0 * 400, rel=0.1)
    assert chart_of(made(recorded(SAME_RATE["poisson"], 3))).pieces == ()


def kernel_that_was_recorded(truth: Truth, scenario: Scenario, seed: int) -> Evidence:
    """A recording whose kernel is the engine, with these very calls: what it did is counted."""
    evidence = recorded(truth, seed)
    rng = np.random.default_rng(seed)
    times = [np.sort(call_times(rng, truth)) * 1000.0 for _ in range(truth.cpus)]
    calls = timed_calls([one.tolist() for one in times], truth.seconds * 1000.0)
    ran = replicate(
        changed(
            scenario,
            **{
                "workload.arrivals": "replay",
                "workload.calls": calls,
                "warmup_ms": 0.0,
                "horizon_ms": truth.seconds * 1000.0,
            },
        ),
        seed,
        0,
        1,
    )
    windows = np.concatenate([(one / 10.0).astype(np.int64) for one in times])
    cpus = np.repeat(np.arange(truth.cpus), [len(one) for one in times])
    each, counts = np.unique(np.stack([windows, cpus]), axis=1, return_counts=True)
    none = np.zeros_like(counts)
    begin = round(BEGIN_S * 100)
    return replace(
        evidence,
        calls=replace(
            evidence.calls,
            windows=each[0] + begin,
            cpus=each[1],
            calls=counts,
            single=counts,
            vmalloc=none,
        ),
        counters={
            name: int(ran.of(of, 1).sum())
            for name, of in (("monitor", "monitors"), ("work", "batches"))
        },
    )


@pytest.mark.usefixtures("warm_engine")
def test_the_check_reproduces_what_a_kernel_did_under_a_rate_that_changed() -> None:
    truth = replace(WORLDS["poisson"], rate_hz=600, single_share=1.0, vmalloc_share=0.0, cpus=2)
    kernel = changed(BASE, **{"remedy": "E8", "machine.cpus": 2, "machine.hz": 250})
    evidence = kernel_that_was_recorded(truth, kernel, 3)
    evidence = replace(evidence, seen=evidence.seen - {"grace_periods"})
    found = make(evidence, kernel, "the base")
    assert len(pieces_of(found)) == 4
    check = predicted_against_recorded(found)
    assert [row.name for row in check.rows] == ["runs of the monitor", "batches"]
    assert check.misses == ()
    assert all(abs(row.predicted / row.recorded - 1.0) < 0.05 for row in check.rows)


@pytest.mark.usefixtures("warm_engine")
def test_a_recorded_kernel_under_loads_one_after_another_is_reproduced() -> None:
    found = krcsim.read_recordings("6.1-steps")
    assert found.scenario.workload.arrivals == "bursts"
    rates = [rate for _, rate in pieces_of(found)]
    # 250, none, 1250, none and 50 calls a second, and about 5 of the kernel's own.
    assert [rate > 0 for rate in rates] == [True, False, True, False, True]
    assert rates[0::2] == pytest.approx([255.0, 1255.0, 55.0], rel=0.15)
    check = predicted_against_recorded(found)
    check.require()
    monitor = check.rows[0]
    assert abs(monitor.predicted - monitor.recorded) <= 0.12 * monitor.recorded
    value = Value("workload.rate_period_ms", 60_020.0, "ms", READ, None, "")
    assert found.values["workload.rate_period_ms"].words() == value.words()
