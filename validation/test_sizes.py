# SPDX-License-Identifier: GPL-2.0-only
"""The bar: a size that was found holds in runs ten times as long, and the next smaller one does
not.
"""

from __future__ import annotations

import pytest

from krcsim.model.scenario_file import presets
from krcsim.studies.limits import value_or_bound
from validation.sizes import Checked, checked, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows() -> list[Checked]:
    found = checked()
    print(table(found))
    return found


# Without any reserve its P(wait) is one in a million, as near as it can be estimated.
KNIFE_EDGE = {"server-128"}


def test_the_size_found_is_sharp(rows: list[Checked]) -> None:
    assert {row.preset for row in rows if not row.found.sharp} <= KNIFE_EDGE, table(rows)


def test_every_preset_has_a_size_for_one_in_a_million(rows: list[Checked]) -> None:
    assert {row.preset for row in rows if row.found.target == 1e-6} == set(presets())


def test_longer_runs_in_other_worlds_find_it_below_the_target(rows: list[Checked]) -> None:
    wrong = [row for row in rows if value_or_bound(row.passes) >= row.found.target]
    assert wrong == [], table(wrong)


def test_longer_runs_find_the_next_smaller_one_above_the_target(rows: list[Checked]) -> None:
    wrong = [
        row for row in rows if row.fails is not None and (row.fails.value or 0.0) < row.found.target
    ]
    assert wrong == [], table(wrong)
