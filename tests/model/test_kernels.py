# SPDX-License-Identifier: GPL-2.0-only
"""Kernels by their version: which row each has, and what that row says."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.kernels import KERNELS, SINCE, row_of_version
from krcsim.model.remedy import REMEDIES, TABLE, Remedy, named
from krcsim.model.remedy_list import listed
from krcsim.model.remedy_words import words_of
from krcsim.model.scenario import Scenario, changed
from krcsim.studies.compare import scenarios_of


@pytest.mark.parametrize(
    ("version", "row"),
    [
        ("5.9", "E1"),
        ("5.10", "E1"),
        ("v5.10.240", "E1"),
        ("5.11", "E2"),
        ("5.12", "E2"),
        ("5.13", "E3"),
        ("5.14", "E4"),
        ("5.15", "E4"),
        ("6.0", "E4"),
        ("6.1", "E5"),
        ("v6.1", "E5"),
        ("6.1.176", "E5"),
        ("6.2", "E5"),
        ("6.3", "E6"),
        ("6.6", "E7"),
        ("6.11", "E7"),
        ("6.12", "E8"),
        ("6.17", "E8"),
        ("6.18", "E9"),
        ("6.19", "E9"),
        ("7.0", "E10"),
        ("7.2", "E10"),
        ("7.3", "E11"),
        ("v7.3.4", "E11"),
    ],
)
def test_a_version_names_the_row_in_force_in_it(version: str, row: str) -> None:
    assert row_of_version(version) == row
    if row in REMEDIES:
        assert named(version) == REMEDIES[row]


@pytest.mark.parametrize("version", ["5.8", "4.19", "2.6", "7.4", "v8.0"])
def test_a_version_of_no_known_kernel_is_refused_with_what_to_do(version: str) -> None:
    with pytest.raises(KrcsimError, match=r"versions from 5\.9 to 7\.3; .*take") as refused:
        named(version)
    assert version in str(refused.value)


@pytest.mark.parametrize("name", ["E5", "B12", "6", "6.1.2.3", "6,1", "vv6.1", "", "٦.١"])
def test_what_is_no_version_names_no_row(name: str) -> None:
    assert row_of_version(name) == ""


def test_the_rows_begin_one_after_another_and_are_in_the_table_in_that_order() -> None:
    assert list(SINCE.values()) == sorted(SINCE.values())
    rows = [row.name for row in TABLE if row.name in SINCE]
    assert rows == [name for name in SINCE if name in rows]
    assert rows[1:] == [kernel.name for kernel in KERNELS]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_kernel_differs_from_the_one_before_in_what_its_row_says(kernel: object) -> None:
    assert kernel in KERNELS
    place = KERNELS.index(kernel)  # type: ignore[arg-type]
    before = REMEDIES["E1" if place == 0 else KERNELS[place - 1].name]
    this = REMEDIES[KERNELS[place].name]
    differs = {
        one.name: getattr(this, one.name)
        for one in fields(Remedy)
        if getattr(this, one.name) != getattr(before, one.name)
    }
    assert differs == KERNELS[place].changes


def test_a_kernel_names_its_version_and_its_commits() -> None:
    for kernel in KERNELS:
        first = f"v{'.'.join(map(str, SINCE[kernel.name]))}"
        assert kernel.when.endswith(f"in {first}")
        assert kernel.source.startswith(first)
        assert re.search(r"[0-9a-f]{12}|@", kernel.source)


def test_versions_are_compared_as_rows_are_and_say_which_row_they_have() -> None:
    scenario = Scenario()
    names = listed("5.9,5.13,v6.1", scenario)
    found = [point_scenario.remedy for point_scenario in scenarios_of(scenario, names).values()]
    assert found == [REMEDIES["E1"], REMEDIES["E3"], REMEDIES["E5"]]
    assert words_of("v6.1").startswith("as in E5: drains after 5 s")
    assert words_of("5.8") == "5.8"


@pytest.mark.parametrize(("hz", "jiffies"), [(100, 500), (250, 1250), (300, 1500), (1000, 5000)])
def test_the_drain_delay_of_v6_1_is_five_seconds_at_every_hz(hz: int, jiffies: int) -> None:
    scenario = changed(Scenario(), **{"remedy": "6.1", "machine.hz": hz})
    assert scenario.drain_jiffies == jiffies
    assert changed(scenario, **{"remedy": "5.14"}).drain_jiffies == hz // 50


def test_two_drain_delays_are_refused() -> None:
    with pytest.raises(KrcsimError, match="both set the drain delay: leave one at 0"):
        changed(Scenario(), **{"remedy": "6.1", "remedy.drain_jiffies": 5})
