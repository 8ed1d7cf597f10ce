# SPDX-License-Identifier: GPL-2.0-only
"""The order in which processes take tests: long files first, and a file stays with one process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.schedule import LONGEST_FIRST, SHARING_NOTHING, in_order, unit_of

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Item:
    nodeid: str


@pytest.mark.parametrize("file", LONGEST_FIRST)
def test_what_is_called_long_is_a_file_of_tests(file: str) -> None:
    assert (ROOT / file).is_file()
    assert Path(file).name.startswith("test_")


def test_no_file_has_two_places() -> None:
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)
    assert {*SHARING_NOTHING} <= {*LONGEST_FIRST}


def test_long_files_come_first_and_a_file_stays_as_it_is() -> None:
    first, second = LONGEST_FIRST[:2]
    ids = ["tests/test_x.py::b", f"{second}::b", f"{second}::a", f"{first}::z[1]", "x.py::a"]
    assert [item.nodeid for item in in_order([Item(one) for one in ids])] == [
        f"{first}::z[1]",
        f"{second}::b",
        f"{second}::a",
        "tests/test_x.py::b",
        "x.py::a",
    ]


def test_a_file_is_one_unit_unless_its_tests_share_nothing() -> None:
    assert unit_of("tests/test_x.py::test_a[1]") == unit_of("tests/test_x.py::test_b")
    alone = SHARING_NOTHING[0]
    assert unit_of(f"{alone}::test_a[Q1]") != unit_of(f"{alone}::test_a[Q2]")
