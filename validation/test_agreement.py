# SPDX-License-Identifier: GPL-2.0-only
"""Three implementations of docs/model.md agree over the whole space of switches."""

from __future__ import annotations

import functools

import pytest

from validation import twin
from validation.agreement import FAMILIES, Family, Row, compare, table

pytestmark = pytest.mark.slow


@functools.cache
def compared(family: str) -> list[Row]:
    found = compare(family)
    print(table(found))
    return found


@pytest.fixture(params=FAMILIES)
def rows(request: pytest.FixtureRequest) -> list[Row]:
    return compared(request.param)


def family_of(rows: list[Row]) -> Family:
    return FAMILIES[rows[0].case.family]


def test_every_half_width_is_at_most_that_of_the_family(rows: list[Row]) -> None:
    assert len({r.case.number for r in rows}) == family_of(rows).wanted
    assert max(max(r.half_widths) for r in rows if r.half_widths) <= family_of(rows).half_width


def test_every_counter_of_the_twin_is_compared_in_some_family() -> None:
    seen = {row.quantity for family in FAMILIES for row in compared(family)}
    assert seen >= set(twin.COUNTERS)


def test_no_comparison_is_further_off_than_chance_allows(rows: list[Row]) -> None:
    z = [abs(x) for r in rows for x in r.z]
    assert max(z) <= 4.5, table(rows)
    assert sum(x > 3 for x in z) <= 0.02 * len(z), table(rows)
