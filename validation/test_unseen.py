# SPDX-License-Identifier: GPL-2.0-only
"""Every preset with the thread's remedies: no row of a comparison ends in a bound that the same
work would beat.
"""

from __future__ import annotations

import pytest

import krcsim
from krcsim.model.remedy import THREAD, named
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario, presets
from krcsim.studies.ask import CLOSING

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("preset", presets())
def test_no_bound_of_a_comparison_is_beaten_by_asking(preset: str) -> None:
    s = load_scenario(preset)
    s = changed(
        s, **{"machine.cpus": min(16, s.machine.cpus)}
    )  # of 128 CPUs each look takes minutes
    result = krcsim.compare(s, [*THREAD, "B12", "D2-A1"])
    for name, window, quantity, *_, method in result.rows:
        if method == "bound" and quantity in ("p_wait", "p_wait_episode"):
            world = changed(s, remedy=named(str(name)))
            asked = krcsim.ask(world, str(quantity), window=window, budget=CLOSING)
            assert asked.estimate.value is None, (name, window, asked)
