# SPDX-License-Identifier: GPL-2.0-only
"""Laws of grace-period lengths: they sum to one and have the mean that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from krcsim.grace_period import GracePeriod
from krcsim.values import FieldError


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
