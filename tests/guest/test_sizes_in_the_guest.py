# SPDX-License-Identifier: GPL-2.0-only
"""The harness frees objects of one size: several are refused, with what can be measured."""

from krcsim.guest.gaps import Gap
from krcsim.guest.job_load import _object_size
from krcsim.model.scenario import Scenario, changed


def test_several_sizes_of_objects_are_refused_with_the_most_frequent_one() -> None:
    scenario = changed(Scenario(), **{"workload.object_sizes": [[64, 1], [256, 3], [512, 2]]})
    gaps: list[Gap] = []
    _object_size(scenario, gaps)
    assert [(gap.field, gap.stops) for gap in gaps] == [("workload.object_sizes", True)]
    assert changed(scenario, **dict(gaps[0].sets)).workload.sizes == ((256, 1.0),)
