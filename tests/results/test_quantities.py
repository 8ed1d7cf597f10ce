# SPDX-License-Identifier: GPL-2.0-only
"""All that is known of a quantity stands in its entry, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import krcsim
from krcsim.engine.records import COUNTERS
from krcsim.results.quantities import (
    QUANTITIES,
    asked_by_episode,
    columns_of_tables,
    compared_sums,
    falling_with_reserve,
    label,
)

PACKAGE = Path(krcsim.__file__).parent
ONE_PLACE = PACKAGE / "results" / "quantities.py"


def test_what_others_list_comes_from_the_entries() -> None:
    assert falling_with_reserve() == ("p_wait", "p_wait_episode", "p_episode", "blocked")
    assert compared_sums(by_episode=False).keys() == {"p_wait", "blocked"}
    assert compared_sums(by_episode=True).keys() == {"p_wait_episode"}
    assert set(columns_of_tables(by_episode=True)) <= set(asked_by_episode())
    assert columns_of_tables(by_episode=False)[0] == "p_wait"
    assert columns_of_tables(by_episode=True)[0] == "p_wait_episode"


def test_the_sums_of_a_quantity_are_counters() -> None:
    for quantity in QUANTITIES.values():
        if quantity.sums:
            assert set(quantity.sums) <= {*COUNTERS, ""}


def test_only_a_probability_is_called_one() -> None:
    assert all(q.unit == "" for q in QUANTITIES.values() if q.is_probability)
    assert label("p_wait") == "P(wait)"
    assert label("blocked") == "blocked"


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != ONE_PLACE)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_no_other_module_lists_quantities(path: Path) -> None:
    """A list of three names of quantities or more would be a second place for a new one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        elements = getattr(node, "elts", None) or getattr(node, "keys", None)
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict) and elements:
            names = [e.value for e in elements if isinstance(e, ast.Constant)]
            listed = [name for name in names if name in QUANTITIES]
            assert len(listed) < 3 or "bytes_at_full" in listed, (node.lineno, listed)
