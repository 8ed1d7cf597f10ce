# SPDX-License-Identifier: GPL-2.0-only
"""What a recording says of the sizes of objects, and what it leaves open."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario
from krcsim.trace.background import own_grace_periods
from krcsim.trace.draws import joint_of
from krcsim.trace.fit import Made, make
from krcsim.trace.object_sizes import kept_sizes
from krcsim.trace.reading import read
from tests.trace.test_archive import archive

FIELD = "workload.object_sizes"
BASE = load_scenario("thread-as-posted")
SAMPLES = Path(__file__).parents[2] / "data" / "recordings"


def of_sample(name: str = "7.3-poisson") -> Made:
    return make(read([SAMPLES / f"{name}.txt.gz"]), BASE, "thread-as-posted")


@pytest.mark.parametrize(
    ("counted", "kept"),
    [
        ({64: 1000}, {64: 1000}),
        ({64: 990, 256: 10}, {64: 990, 256: 10}),
        ({64: 980, 96: 5, 256: 15}, {64: 980, 256: 20}),  # to the next larger one
        ({64: 995, 256: 5}, {64: 1000}),  # the largest to the next smaller one
        ({4: 500, 64: 500}, {8: 500, 64: 500}),
        ({64: 0}, {}),
        ({size: 10 for size in range(64, 64 + 40)}, None),
    ],
)
def test_a_rare_size_counts_as_the_next_larger_one(
    counted: dict[int, int], kept: dict[int, int] | None
) -> None:
    found = kept_sizes(counted)
    assert sum(found.values()) == sum(counted.values())
    if kept is not None:
        assert found == kept
    else:
        assert len(found) == 16


def test_a_sample_of_7_3_has_two_sizes_with_their_intervals_and_counts() -> None:
    made = of_sample()
    assert made.scenario.workload.object_sizes == ((64, 0.98310), (256, 0.016904))
    value = made.explained(FIELD)
    assert value.words() == "64 bytes 0.983, 256 bytes 0.0169"
    assert re.fullmatch(
        r"9,702 objects of slab caches: 9,538 of 64 bytes \(98\.\d+% to 98\.\d+%\), 164 of 256 "
        r"bytes \(1\.\d+% to 1\.9\d%\); 7 of rare sizes count as of the next larger one",
        value.evidence,
    )
    assert value.sources


def test_one_size_in_the_recording_replaces_several_of_the_base(tmp_path: Path) -> None:
    base = changed(BASE, **{FIELD: [[64, 1], [512, 1]]})
    made = make(read([archive(tmp_path)]), base, "base")
    assert made.scenario.workload.sizes == ((64, 1.0),)


def test_draws_have_shares_that_vary_as_the_counts_leave_open() -> None:
    joint = joint_of(of_sample(), BASE, 100)
    assert FIELD in joint.varies
    shares = np.array([dict(draw.workload.sizes)[256] for draw in joint.draws])
    p = 164 / 9702
    error = np.sqrt(p * (1 - p) / 9702)
    assert shares.mean() == pytest.approx(p, abs=4 * error / 10)
    assert shares.std() == pytest.approx(error, rel=0.3)


def test_full_sheaves_ask_for_grace_periods_by_the_sizes_of_their_objects() -> None:
    """A sheaf has 60 pointers to 64 bytes, 28 to 256 bytes: with half of each it is in between."""
    evidence = of_sample().evidence
    small, large, both = (
        own_grace_periods(replace(evidence, object_sizes=sizes)) or 0.0
        for sizes in ({64: 5}, {256: 5}, {64: 7, 256: 7})
    )
    assert small < both < large
    assert both == pytest.approx((small + large) / 2)
