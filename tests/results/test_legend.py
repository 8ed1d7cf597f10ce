# SPDX-License-Identifier: GPL-2.0-only
"""A legend says what each row is, and is honest where nobody knows."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.verdicts import bound, interval, steady
from krcsim.model.remedy import TABLE, Remedy, named
from krcsim.model.remedy_list import CURVE
from krcsim.results.legend import legend, short_legend


def test_each_row_of_the_table_says_what_it_is_whose_and_when() -> None:
    entries = dict(legend(steady({row.name: interval(1e-3) for row in TABLE})))
    for row in TABLE:
        assert entries[row.name] == f"{row.words} ({row.who}, {row.when})"
    assert "Fernandes" in entries["C-A0"]
    assert "Rezki, 3 April 2020" in entries["B"]


def test_your_setting_is_described_by_how_it_differs() -> None:
    mine = replace(
        named("A1"), cache_shared=True, nr_bkv_objs=4, cache_at_boot=4, refill="any_miss"
    )
    ((_, what),) = legend(steady({"own": interval(1e-3)}, own=mine))
    assert what == "your setting: A1 with 4 preallocated pages; refill = any_miss"
    ((_, what),) = legend(steady({"own": interval(1e-3)}, own=named("B")))
    assert what.startswith("your setting: B (A1 with a pool of 3 objects")


def test_a_remedy_made_in_python_is_described_by_its_fields() -> None:
    mine = Remedy(nr_emergency_objs=9, emergency_at_boot=4)
    result = steady({"A0": interval(1e-3), "mine": bound(1e-6)}, made={"mine": mine})
    assert dict(legend(result))["mine"] == (
        "a remedy of your own: A0 with a pool of 9 objects (4 at boot)"
    )


def test_a_remedy_of_which_only_the_name_is_known_says_so() -> None:
    result = steady({"A0": interval(1e-3), "mine": bound(1e-6)}, made={"mine": Remedy()})
    for made in ({}, {"remedies": "no table"}, {"remedies": {"mine": {"size": 3}}}):
        bare = replace(result, provenance=made)
        assert "no more than its name" in dict(legend(bare))["mine"]


def test_many_sizes_share_a_line_and_no_row_is_left_out() -> None:
    result = steady({name: interval(1e-3) for name in CURVE}, own=named("C-A0"))
    assert [name for name, _ in legend(result)] == [*CURVE]
    short = dict(short_legend(result))
    assert short["B1-own to B200-own"] == (
        "your setting with a pool of 1 to 200 objects, empty at boot"
    )
    assert short["B0-own"] == "your setting without a reserve"
    assert len(short) == 10


def test_html_in_a_name_is_text_in_a_notebook() -> None:
    result = steady({"<b>": interval(1e-3)}, made={"<b>": Remedy()})
    assert "<b><b>" not in result._repr_html_()
    assert "&lt;b&gt;" in result._repr_html_()
