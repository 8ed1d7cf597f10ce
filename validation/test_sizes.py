# SPDX-License-Identifier: GPL-2.0-only
"""The bar: a size that was found holds in runs ten times as long, and the next smaller one does not."""

from __future__ import annotations

import pytest

from krcsim_studies.size import height
from validation.sizes import Checked, checked, table


@pytest.fixture(scope="module")
def rows() -> list[Checked]:
    found = checked()
    print(table(found))
    return found


def test_the_size_found_is_sharp(rows: list[Checked]) -> None:
    assert all(row.found.sharp for row in rows), table(rows)


def test_longer_runs_in_other_worlds_find_it_below_the_target(rows: list[Checked]) -> None:
    wrong = [row for row in rows if height(row.passes) >= row.found.target]
    assert wrong == [], table(wrong)


def test_longer_runs_find_the_next_smaller_one_above_the_target(rows: list[Checked]) -> None:
    wrong = [row for row in rows if row.fails is not None and (row.fails.value or 0.0) < row.found.target]
    assert wrong == [], table(wrong)
