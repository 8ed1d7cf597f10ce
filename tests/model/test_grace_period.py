# SPDX-License-Identifier: GPL-2.0-only
"""Laws of grace-period lengths: they sum to one and have the mean that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from krcsim.base.errors import FieldError
from krcsim.model.grace_period import GracePeriod
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario


def mean_ms(gp: GracePeriod, hz: int, cpus: int) -> float:
    lengths, cdf = gp.table(hz, cpus)
    assert np.all(np.diff(cdf) >= 0)
    assert cdf[-1] == 1.0
    return float((lengths * np.diff(cdf, prepend=0.0)).sum()) * 1000.0 / hz


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("cpus", [1, 2, 4, 16, 512])
@pytest.mark.parametrize("mean", [16.0, 40.0, 4000.0, 100_000.0])
def test_a_law_has_the_mean_that_was_asked_for(busy: bool, cpus: int, mean: float) -> None:
    gp = GracePeriod(mean_ms=mean, busy=busy)
    for hz in (250, 300, 1000):
        assert mean_ms(gp, hz, cpus) == pytest.approx(mean, rel=1e-5)


def test_one_cpu_needs_one_scan() -> None:
    assert mean_ms(GracePeriod(), 250, 1) == 4.0
    assert mean_ms(GracePeriod(), 1000, 1) == 3.0


def test_busy_cpus_stretch_grace_periods() -> None:
    assert mean_ms(GracePeriod(busy=True), 250, 4) > 2 * mean_ms(GracePeriod(), 250, 4)


def test_a_mean_below_one_scan_is_refused() -> None:
    with pytest.raises(FieldError, match="one scan"):
        GracePeriod(mean_ms=5.0).table(100, 4)


def test_a_figure_is_told_what_is_measured_and_what_is_assumed() -> None:
    assert "measured" in GracePeriod().origin(250, 4)
    assert "assumed" in GracePeriod().origin(1000, 4)
    assert "assumed" in GracePeriod().origin(250, 64)
    assert "assumed" in GracePeriod(mean_ms=20.0).origin(250, 4)


def test_recorded_lengths_are_kept_in_whole_ticks_and_never_shorter_than_one() -> None:
    gp = GracePeriod(lengths_ms=(0.4, 7.8, 8.1, 8.2, 81.0))
    lengths, cdf = gp.table(250, 4)
    assert lengths.tolist() == [1.0, 2.0, 20.0]
    assert np.diff(cdf, prepend=0.0) == pytest.approx([0.2, 0.6, 0.2])
    assert "recorded" in gp.origin(250, 4)


def test_a_rare_long_grace_period_is_not_smoothed_into_a_longer_mean() -> None:
    """Nine of 8 ms and one of 80 ms: half of the callers do not wait for 15 ms, as a law of that
    mean has it.
    """
    recorded = GracePeriod(lengths_ms=(8.0,) * 9 + (80.0,))
    smooth = GracePeriod(mean_ms=mean_ms(recorded, 250, 4))

    def median(gp: GracePeriod) -> float:
        lengths, cdf = gp.table(250, 4)
        return float(lengths[int(np.searchsorted(cdf, 0.5))])

    assert median(recorded) == 2.0
    assert median(smooth) >= 3.0


def test_a_mean_that_is_set_takes_the_place_of_recorded_lengths() -> None:
    recorded = changed(load_scenario("phone"), **{"grace_period.lengths_ms": [8.0, 80.0]})
    assert changed(recorded, **{"grace_period.mean_ms": 12.0}).grace_period == GracePeriod(
        mean_ms=12.0
    )
