# SPDX-License-Identifier: GPL-2.0-only
"""What a recording does not know, as draws: each value varies as its interval says, values that go
together do so, and an answer over the draws holds the truth.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.joint import Joint
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.results.estimate import Estimate
from krcsim.results.two_parts import combined
from krcsim.trace import arrivals, intervals
from krcsim.trace.draws import from_recording, joint_of, point_of, quantile, resampled
from krcsim.trace.evidence import WINDOW_S, Reclaims
from krcsim.trace.fit import Made, make, value_of
from krcsim.trace.intervals import Interval
from krcsim.trace.value import LIMIT, MEASURED, Value
from tests.trace.simulated import Truth, recorded
from tests.trace.test_archive import archive

BASE = load_scenario("thread-as-posted")
FEW = Truth(
    rate_hz=5, episode_page=0.5, episode_noretry=0.3, requests_hz=100, episode_ms=200, calm_ms=1000
)
ONOFF = Truth(arrivals="onoff", requests_hz=50, rate_hz=200)
CALM = Truth(rate_hz=20, calm_page=0.0, episode_page=0.0, episode_noretry=0.0, requests_hz=50)


@cache
def made(truth: Truth, seed: int = 3) -> Made:
    return make(recorded(truth, seed), BASE, "thread-as-posted")


@cache
def joint(truth: Truth, seed: int = 3, draws: int = 20) -> Joint:
    return joint_of(made(truth, seed), BASE, draws)


def drawn(found: Joint, field: str) -> list[float]:
    return [float(np.mean(value_of(draw, field))) for draw in found.draws]


def test_a_measured_value_has_the_ends_of_its_interval() -> None:
    for field, value in made(FEW).values.items():
        if value.kind == MEASURED and value.limits is not None:
            low, high = value.limits
            ends = [quantile(value, share) for share in (0.025, 0.5, 0.975)]
            assert ends == pytest.approx([low, point_of(value), high], rel=1e-6), field


def test_draws_lie_around_the_fitted_value_as_wide_as_its_interval() -> None:
    found = joint(FEW)
    assert len(found.varies) > 8
    for field in found.varies:
        value = made(FEW).values[field]
        assert value.limits is not None
        if value.kind == MEASURED:
            inside = [value.limits.low <= x <= value.limits.high for x in drawn(found, field)]
            assert sum(inside) >= 18, field
            assert min(drawn(found, field)) < point_of(value) < max(drawn(found, field))


def test_of_no_failure_in_m_requests_the_draws_have_an_upper_limit_and_not_0_in_all() -> None:
    """95 of 100 draws are below the limit of 3/m, which is their scale."""
    limit = 0.01
    value = Value("allocator.calm.page", limit, "", LIMIT, Interval(0.0, limit), "none failed")
    below = [quantile(value, share) for share in (np.arange(1000) + 0.5) / 1000]
    assert np.mean(np.array(below) <= limit) == pytest.approx(0.95, abs=0.002)
    assert np.mean(below) == pytest.approx(limit / 3.0, rel=0.01)

    found = joint(CALM)
    values = drawn(found, "allocator.calm.page")
    assert min(values) > 0.0
    assert max(values) > 10 * min(values)


def test_of_no_episode_the_time_between_them_has_a_lower_limit() -> None:
    least = made(CALM).values["allocator.calm_ms"]
    assert least.kind == LIMIT
    shares = (np.arange(1000) + 0.5) / 1000
    above = [quantile(least, share) >= least.value for share in shares]
    assert np.mean(above) == pytest.approx(0.95, abs=0.002)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_share_of_none_or_all_is_not_certain(value: float) -> None:
    limits = Interval(0.0, 0.03) if value == 0.0 else Interval(0.97, 1.0)
    one = Value("workload.single_share", value, "", MEASURED, limits, "")
    values = [quantile(one, share) for share in (0.05, 0.5, 0.95)]
    assert len(set(values)) == 3
    assert all(0.0 < x < 1.0 for x in values)


def test_on_and_off_phases_are_long_or_short_together() -> None:
    """Both come from the same counts: what is fitted to blocks of time says so."""
    found = joint(ONOFF)
    on, off = (np.log(drawn(found, f"workload.{name}_ms")) for name in ("on", "off"))
    assert np.corrcoef(on, off)[0, 1] > 0.5


def test_files_are_read_in_one_step(tmp_path: Path) -> None:
    found = from_recording(archive(tmp_path), base="phone", draws=8)
    assert len(found.draws) == 8
    assert found.scenario.workload.rate_hz == 6.25
    assert found.scenario.allocator.stall_ms == load_scenario("phone").allocator.stall_ms


def test_the_same_recording_has_the_same_draws() -> None:
    assert joint_of(made(FEW), BASE) == joint(FEW)


@pytest.mark.parametrize("draws", [8, 19, 33])
def test_a_draw_is_the_same_however_many_are_asked_for(draws: int) -> None:
    few, many = (joint_of(made(FEW), BASE, count).draws for count in (draws, 45))
    assert few == many[:draws]


def test_what_is_drawn_of_a_field_does_not_hang_on_other_fields() -> None:
    """Of a recording without direct reclaim all but the stalls is drawn as before."""
    evidence = recorded(FEW, 3)
    none = np.empty(0)
    without = make(replace(evidence, reclaims=Reclaims(none, none)), BASE, "")
    assert "allocator.stall_ms" not in without.values
    found = joint_of(without, BASE)
    assert drawn(found, "workload.rate_hz") == drawn(joint(FEW), "workload.rate_hz")
    assert drawn(found, "allocator.episode.page") == drawn(joint(FEW), "allocator.episode.page")


def test_another_seed_gives_other_draws() -> None:
    assert joint_of(made(FEW), BASE, seed=5).draws != joint(FEW).draws


def test_a_request_that_tries_harder_fails_no_more_often_in_any_draw() -> None:
    close = joint(replace(FEW, seconds=20.0, episode_page=0.5, episode_noretry=0.5))
    for draw in close.draws:
        for part in (draw.allocator.calm, draw.allocator.episode):
            assert part.page_noretry is None or part.page_noretry <= part.page


def test_what_the_recording_cannot_say_is_named() -> None:
    assert joint(CALM).assumed == tuple(f for f, why in made(CALM).assumed.items() if why)
    assert "allocator.episode_ms" in joint(CALM).assumed


def test_resampled_blocks_are_whole_blocks_of_the_recording() -> None:
    evidence = recorded(FEW, 3)
    blocks = arrivals.blocks_of(evidence.calls, evidence.spans)
    random = np.random.default_rng(1)
    again = resampled(evidence, blocks, random.integers(blocks.count, size=blocks.count), random)
    width = blocks.windows
    whole = {
        int(
            evidence.page.tries[
                (evidence.page.windows >= b) & (evidence.page.windows < b + width)
            ].sum()
        )
        for b in blocks.first
    }
    for number in range(blocks.count):
        begin = number * width
        inside = (again.page.windows >= begin) & (again.page.windows < begin + width)
        assert int(again.page.tries[inside].sum()) in whole
    assert again.seconds == pytest.approx(blocks.count * width * WINDOW_S)


def test_a_recording_too_short_for_blocks_still_has_draws() -> None:
    found = joint(replace(FEW, seconds=3.0, rate_hz=200.0))
    assert len(set(drawn(found, "workload.rate_hz"))) == 20


def test_a_recording_that_says_nothing_of_rates_has_draws_that_are_all_alike(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a-1 [000] ..... 1.0: mm_vmscan_kswapd_wake: nid=0 order=0\n")
    found = from_recording(path, draws=8)
    assert found.varies == ()
    assert set(found.draws) == {found.scenario}


@pytest.mark.parametrize("draws", [1, 7, 201])
def test_too_few_or_too_many_draws_are_refused(draws: int) -> None:
    with pytest.raises(KrcsimError, match="allowed: 8 to 200"):
        joint_of(made(FEW), BASE, draws)


def answer(scenario: Scenario) -> float:
    """A number that hangs on many fields as P(wait) does, and needs no simulation."""
    allocator = scenario.allocator
    pressed = allocator.episode_ms / (allocator.episode_ms + allocator.calm_ms)
    noretry = allocator.episode.page_noretry or 0.0
    return pressed * allocator.episode.page * noretry * scenario.workload.single_share


def simulated(truth: float, error: float, random: np.random.Generator) -> Estimate:
    """What runs would say of it: off by chance, with an interval that says so."""
    value = truth * math.exp(error * random.normal())
    return Estimate(
        value, value * math.exp(-1.96 * error), value * math.exp(1.96 * error), "interval"
    )


@pytest.mark.slow
def test_the_interval_over_the_draws_holds_the_truth_and_that_of_the_simulation_does_not() -> None:
    """50 recordings of a machine that is known."""
    random = np.random.default_rng(5)
    pressed = FEW.episode_ms / (FEW.episode_ms + FEW.calm_ms)
    true = pressed * FEW.episode_page * FEW.episode_noretry * FEW.single_share
    holds = alone = 0
    for seed in range(50):
        found = joint_of(make(recorded(FEW, 2000 + seed), BASE, ""), BASE)
        fitted = simulated(answer(found.scenario), 0.05, random)
        parts = combined(fitted, [simulated(answer(draw), 0.05, random) for draw in found.draws])
        assert parts.whole.lo is not None
        assert parts.whole.hi is not None
        assert parts.fitted.lo is not None
        assert parts.fitted.hi is not None
        holds += parts.whole.lo <= true <= parts.whole.hi
        alone += parts.fitted.lo <= true <= parts.fitted.hi
    assert holds >= 45
    assert alone < 30


def test_over_draws_of_one_probability_the_interval_holds_it_too() -> None:
    """300 recordings of 400 requests, some of which failed; the answer is their square."""
    random = np.random.default_rng(6)
    true = 0.03
    holds = alone = 0
    for _ in range(300):
        failed = int(random.binomial(400, true))
        limits = intervals.of_share(failed, 400)
        kind = MEASURED if failed else LIMIT
        value = Value(
            "allocator.episode.page", failed / 400 if failed else limits.high, "", kind, limits, ""
        )
        shares = (np.arange(20) + random.random(20)) / 20
        estimates = [simulated(quantile(value, x) ** 2, 0.05, random) for x in shares]
        parts = combined(simulated(point_of(value) ** 2, 0.05, random), estimates)
        holds += (parts.whole.lo or 0.0) <= true**2 <= (parts.whole.hi or 0.0)
        alone += (parts.fitted.lo or 0.0) <= true**2 <= (parts.fitted.hi or 0.0)
    assert holds >= 270
    assert alone < 180
