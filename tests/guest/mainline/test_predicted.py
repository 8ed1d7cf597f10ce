# SPDX-License-Identifier: GPL-2.0-only
"""A prediction comes from a row for the kernel, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from krcsim.guest.mainline import predicted
from krcsim.guest.mainline.series import SERIES
from krcsim.model.remedy import REMEDIES
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario

SMALL = changed(
    load_scenario("small-world"), **{"horizon_ms": 500, "warmup_ms": 0, "machine.cpus": 1}
)
SEVEN = replace(SERIES["7.3"], row="no such row")
OLD = replace(SERIES["6.1"], row="A0")


def test_without_a_row_there_is_a_sentence_and_no_number() -> None:
    assert predicted.predictions(SEVEN, SMALL, 1, 3) == {}
    told = predicted.why_not([SEVEN])
    assert told.endswith("has no row for Linux 7.3 yet, so nothing is predicted for it.")
    others = [replace(SEVEN, name=name) for name in ("6.1", "6.12", "7.2")]
    assert "Linux 6.1, 6.12 and 7.2 yet" in predicted.why_not(others)


def test_with_a_row_the_model_is_run_on_the_cpus_that_were_measured() -> None:
    assert predicted.why_not([OLD]) == ""
    found = predicted.predictions(OLD, SMALL, 1, 3)
    assert 0 < found["p_wait"].low <= found["p_wait"].value <= found["p_wait"].high < 1
    assert found["blocked"].value > 0
    fewer = predicted.predictions(OLD, SMALL, 1, 1)["p_wait"]
    assert fewer.high - fewer.low > found["p_wait"].high - found["p_wait"].low


def test_the_remedy_of_the_scenario_plays_no_part() -> None:
    other = changed(SMALL, remedy="B32f")
    assert REMEDIES["A0"] != other.remedy
    assert predicted.predictions(OLD, other, 1, 3) == predicted.predictions(OLD, SMALL, 1, 3)


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
def test_each_series_names_a_row_of_its_own(series: object) -> None:
    rows = [one.row for one in SERIES.values()]
    assert len(set(rows)) == len(rows)
    assert series in SERIES.values()
