# SPDX-License-Identifier: GPL-2.0-only
"""What a notebook shows of a result: a table or an image, and as text a line; names and cells are
never markup.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import krcsim
from krcsim.base.tables import html_table
from krcsim.model.scenario import changed
from krcsim.results.result import Result
from krcsim.studies.all_methods import by_all_methods

QUICK = changed(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)
EVIL = "<script>alert(1)</script>&\"'"
THINGS: dict[str, Any] = {
    "a comparison": lambda: krcsim.compare(QUICK, max_runs=8),
    "a sweep": lambda: krcsim.sweep(QUICK, {"remedy": ["A1"], "machine.cpus": [1, 2]}, max_runs=8),
    "a size": lambda: krcsim.size(QUICK, 0.5, max_runs=8),
    "a size that is not met": lambda: krcsim.size(QUICK, 1e-9, most=2, max_runs=8),
    "a frontier": lambda: krcsim.frontier(QUICK, pools=(1,), pages=(1,), mixed=(), max_runs=8),
    "a ranking": lambda: krcsim.sensitivity(
        QUICK, {"rate_hz": (500, 2000), "head": (0.5, 2)}, n=4, max_runs=8
    ),
    "methods": lambda: by_all_methods("small-world", largest=2, max_runs=8),
    "an episode": lambda: krcsim.one_episode("thread-as-posted"),
    "a run": lambda: krcsim.simulate(QUICK),
}


@pytest.mark.parametrize("name", THINGS)
def test_an_answer_is_a_table_or_an_image_and_in_text_a_line(name: str) -> None:
    thing = THINGS[name]()
    rich = [way for way in ("_repr_html_", "_repr_png_") if hasattr(thing, way)]
    assert len(rich) == 1
    shown = getattr(thing, rich[0])()
    assert shown.startswith(b"\x89PNG") if rich[0] == "_repr_png_" else "<table>" in shown
    assert "\n" not in repr(thing)
    assert len(repr(thing)) <= 400


def test_column_names_and_cells_of_a_forged_result_are_text() -> None:
    result = krcsim.compare(QUICK, ["A1"], max_runs=8)
    forged = Result(
        (EVIL, *result.columns[1:]),
        tuple((EVIL, *row[1:]) for row in result.rows),
        (),
        result.provenance,
    )
    shown = forged._repr_html_()
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;") >= 2


def test_a_table_escapes_all_that_it_is_given() -> None:
    assert html_table([EVIL], [[EVIL]]).count("<") == html_table(["a"], [["b"]]).count("<")


def test_two_results_are_compared_by_what_they_hold() -> None:
    one = krcsim.compare(QUICK, ["A1"], max_runs=8)
    assert one == krcsim.compare(QUICK, ["A1"], max_runs=8)
    assert one != replace(one, rows=one.rows[1:])
