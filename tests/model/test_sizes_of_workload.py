# SPDX-License-Identifier: GPL-2.0-only
"""Sizes of objects as a value: pairs that can be read, and what is refused."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from krcsim.base.errors import FieldError, KrcsimError
from krcsim.model.object_sizes import MOST_SIZES, spread
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import toml_text
from krcsim.model.unused_fields import SEVERAL_SIZES, unused_fields

FIELD = "workload.object_sizes"


def sized(sizes: Any, **more: Any) -> Scenario:
    return changed(Scenario(), **({FIELD: sizes} | more))


def test_shares_are_in_any_unit_and_sizes_rise() -> None:
    found = sized([[256, 30], [64, 60], [256, 30]]).workload
    assert found.object_sizes == ((64, 60.0), (256, 60.0))
    assert found.sizes == ((64, 0.5), (256, 0.5))
    assert found.mean_object_bytes() == 160.0


@pytest.mark.parametrize("sizes", [[[512, 3]], [[512, 1], [512, 2]], [[512, 1], [64, 0]]])
def test_a_list_of_one_size_is_that_size(sizes: Any) -> None:
    assert sized(sizes) == changed(Scenario(), **{"workload.object_bytes": 512})


def test_a_file_holds_the_same_sizes() -> None:
    scenario = sized([[64, 0.25], [8192, 0.75]])
    assert from_dict(tomllib.loads(toml_text(scenario))) == scenario


@pytest.mark.parametrize(
    "sizes",
    [
        64,
        [64, 256],
        [[64]],
        [[64, 1, 2]],
        [[64, -1.0]],
        [[64, float("nan")]],
        [[64, float("inf")]],
        [[64, 0.0]],
        [[64.5, 1.0]],
        [[7, 1.0]],
        [[1 << 31, 1.0]],
        [["64", 1.0]],
        [[64 + n, 1.0] for n in range(MOST_SIZES + 1)],
    ],
)
def test_what_is_no_list_of_sizes_is_refused_with_an_example(sizes: Any) -> None:
    with pytest.raises(FieldError, match=r"up to 16 pairs of a size.*\[\[64, 0\.7\]") as refused:
        sized(sizes)
    assert refused.value.field == FIELD


def test_with_several_sizes_the_one_size_changes_nothing() -> None:
    assert unused_fields(sized([[64, 1], [256, 1]]))["workload.object_bytes"] == SEVERAL_SIZES
    assert "workload.object_bytes" not in unused_fields(sized(None, **{"remedy.sheaves": True}))


def test_each_size_has_sheaves_of_its_capacity_and_large_ones_have_none() -> None:
    more = {"remedy": "E11", "workload.sheaf_share": 0.5}
    scenario = sized([[64, 6], [4096, 2], [16384, 2]], **more)
    assert [scenario.sheaf_entries_of(size) for size in (64, 512, 3000, 4096)] == [60, 28, 12, 4]
    assert scenario.sheaf_share == pytest.approx(0.8 * 0.5)
    assert sized([[16384, 1], [9000, 1]], **more).sheaf_share == 0.0


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
def test_live_objects_are_whole_and_none_is_lost(count: int) -> None:
    found = spread(count, ((64, 0.5), (100, 0.3), (200, 0.2)))
    assert sum(found) == count
    assert all(
        abs(one - count * share) < 1 for one, share in zip(found, (0.5, 0.3, 0.2), strict=True)
    )


def test_live_objects_of_all_sizes_have_to_fit_into_memory() -> None:
    more = {"memory.pressure": "pages", "memory.mib": 32.0, "memory.free_mib": 8.0}
    with pytest.raises(KrcsimError, match="objects of 32800 bytes on"):
        sized([[64, 1], [65536, 1]], **more, **{"workload.live_objects": 1000})
