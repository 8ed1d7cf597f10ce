# SPDX-License-Identifier: GPL-2.0-only
"""The bar: a size that was found holds in runs ten times as long, and the next smaller one does
not.
"""

from __future__ import annotations

import pytest

from krcsim.model.scenario_file import load_scenario, presets
from krcsim.studies.limits import value_or_bound
from validation.sizes import Checked, checked, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows() -> list[Checked]:
    found = checked()
    print(table(found))
    return found


# No search can tell a size from its target that is nearer than this: at the target itself it would
# take for ever. Longer runs say how near it is.
KNIFE_EDGE = 2.0


def test_the_size_found_is_sharp_but_for_one_that_lies_at_the_target(rows: list[Checked]) -> None:
    for row in rows:
        target = row.found.target
        assert len(row.undecided) <= 1, table(rows)
        for size, longer in row.undecided.items():
            assert longer.value, f"{row.preset}, {size}: {longer}"
            near = max(longer.value / target, target / longer.value)
            assert near <= KNIFE_EDGE, f"{row.preset}, {size}: {longer}"


def test_every_preset_whose_calls_may_wait_has_a_size_for_one_in_a_million(
    rows: list[Checked],
) -> None:
    may_wait = {name for name in presets() if load_scenario(name).workload.single_share > 0.0}
    assert {row.preset for row in rows if row.found.target == 1e-6} == may_wait


def test_longer_runs_in_other_worlds_find_it_below_the_target(rows: list[Checked]) -> None:
    wrong = [row for row in rows if value_or_bound(row.passes) >= row.found.target]
    assert wrong == [], table(wrong)


def test_longer_runs_find_the_next_smaller_one_above_the_target(rows: list[Checked]) -> None:
    wrong = [
        row for row in rows if row.fails is not None and (row.fails.value or 0.0) < row.found.target
    ]
    assert wrong == [], table(wrong)
