# SPDX-License-Identifier: GPL-2.0-only
"""The table of remedies: a row is all that a remedy needs."""

from __future__ import annotations

import pytest

from krcsim.model.allocator import Failure
from krcsim.model.remedy import (
    HEAD_ALLOC,
    HEAD_REQUESTS,
    REMEDIES,
    TABLE,
    THREAD,
    named,
    p_no_head,
)
from krcsim.model.remedy_list import CURVE, listed
from krcsim.model.remedy_words import words_of
from krcsim.model.scenario import Scenario, changed


def test_a_row_has_a_name_of_its_own_words_and_a_source() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    for row in TABLE:
        assert REMEDIES[row.name] is row.remedy is named(row.name)
        assert words_of(row.name) == row.words
        assert row.source


def test_the_lists_are_those_of_the_rows() -> None:
    assert THREAD == ("A0", "A1", "B", "C-A0", "C-A1", "D5-A1")
    assert CURVE[:6] == ("own", "A0", "A1", "B", "C-A1", "D5-A1")
    assert listed("A1,B12", Scenario()) == ("A1", "B12")


@pytest.mark.parametrize("name", [*CURVE, *listed("cold", Scenario()), *REMEDIES])
def test_every_name_of_a_list_is_a_remedy_and_is_put_into_words(name: str) -> None:
    named(name, Scenario().remedy)
    assert words_of(name) != name
    assert "own" not in words_of(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own", "your setting"),
        ("B0-own", "your setting without a reserve"),
        ("B3f-own", "your setting with a pool of 3 objects, full at boot"),
        ("D5e-own", "your setting with 5 pages shared, empty at boot"),
        ("C-A1-own", "your setting with the reserve of C-A1"),
        ("B12", "A1 with a pool of 12 objects, empty at boot"),
        ("D8-A0", "A0 with 8 pages shared, preallocated"),
        ("mine", "mine"),
    ],
)
def test_a_name_says_what_it_is(name: str, words: str) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize("head_alloc", HEAD_ALLOC)
def test_no_rcu_head_is_had_where_the_request_that_tries_hardest_fails(head_alloc: str) -> None:
    failure = Failure(head=0.5, head_atomic=0.4, head_high=0.3, head_reclaim=0.2)
    wanted = {"none": 1.0, "atomic": 0.4, "tryhard": 0.2, "three_step": 0.2}
    assert p_no_head(head_alloc, failure) == wanted[head_alloc]
    assert set(HEAD_REQUESTS[head_alloc]) <= set(failure.by_field())
    assert changed(Scenario(), **{"remedy.head_alloc": head_alloc}).remedy.head_alloc == head_alloc
