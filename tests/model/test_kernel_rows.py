# SPDX-License-Identifier: GPL-2.0-only
"""Kernels: each row says what is new and since when, and is found by its version."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.kernel_rows import KERNEL_ROWS, KERNELS, kernel_named, kernels_listed

LONGEST_CHANGE = 36  # letters; a picture has no room for more


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_kernels_stand_in_the_order_of_their_versions() -> None:
    for earlier, later in pairwise(KERNEL_ROWS):
        assert number(earlier.kernel) < number(later.kernel)


@pytest.mark.parametrize("row", KERNEL_ROWS, ids=KERNELS)
def test_a_kernel_says_what_is_new_in_few_words(row) -> None:  # type: ignore[no-untyped-def]
    assert 0 < len(row.change) <= LONGEST_CHANGE
    assert all(re.fullmatch("[0-9a-f]{12}", commit) for commit in row.commits)


@pytest.mark.parametrize("row", KERNEL_ROWS, ids=KERNELS)
def test_a_kernel_is_found_by_its_version_and_by_its_row(row) -> None:  # type: ignore[no-untyped-def]
    assert (
        kernel_named(row.kernel) == kernel_named(f"v{row.kernel}") == kernel_named(row.name) == row
    )


def test_all_are_meant_where_none_is_named() -> None:
    assert kernels_listed("") == KERNELS


def test_one_kernel_alone_is_not_compared() -> None:
    with pytest.raises(KrcsimError, match="two of them or more"):
        kernels_listed("5.9,E1")


def test_an_unknown_version_is_refused_with_those_there_are() -> None:
    with pytest.raises(KrcsimError, match=r"allowed: versions from 5\.9 to 7\.3"):
        kernel_named("4.19")
    with pytest.raises(KrcsimError, match=r"kernel 'main' is not known; allowed: 5\.8, 5\.9"):
        kernel_named("main")


def test_a_version_between_two_rows_is_the_one_in_force() -> None:
    assert kernel_named("6.6") == kernel_named("v6.6.30") == kernel_named("6.5")
