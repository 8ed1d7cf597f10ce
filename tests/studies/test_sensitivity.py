# SPDX-License-Identifier: GPL-2.0-only
"""Which assumption moves the answer most: the ranking, what it stands on, and its picture."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from matplotlib.figure import Figure

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.studies.inputs import (
    DRAWN,
    INPUTS,
    at_point,
    default_ranges,
    peaks,
    value_in,
)
from krcsim.studies.sensitivity import Sensitivity, sensitivity
from krcsim.studies.sensitivity_chart import (
    SUBJECTS,
    caption,
    draw_sensitivity,
    finding,
    in_rows,
    picture_of_sensitivity,
)
from tests.pictures import outside, texts

POSTED = krcsim.load_scenario("thread-as-posted")
# How often an rcu_head fails decides; a hog's speed is not even looked at where failures are drawn.
RANGES = {"hog_pages_s": (1e4, 1e5), "head": (0.05, 2.0), "rate_hz": (900.0, 1100.0)}


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return sensitivity(POSTED, RANGES, n=16, max_runs=16)


@pytest.mark.slow
def test_the_input_that_decides_comes_first(found: Sensitivity) -> None:
    assert found.indices[0].name == "head"
    assert found.indices[0].total[0] > 0.8


@pytest.mark.slow
def test_an_input_that_nothing_looks_at_moves_nothing(found: Sensitivity) -> None:
    row = next(row for row in found.indices if row.name == "hog_pages_s")
    assert row.total == (0.0, 0.0, 0.0)


def test_the_total_lies_in_its_interval(found: Sensitivity) -> None:
    assert all(lo <= value <= hi for value, lo, hi in (row.total for row in found.indices))


def test_the_work_is_inputs_and_two_times_n(found: Sensitivity) -> None:
    assert found.points == (len(RANGES) + 2) * 16


@pytest.mark.slow
def test_the_same_seed_gives_the_same_ranking(found: Sensitivity) -> None:
    assert sensitivity(POSTED, RANGES, n=16, max_runs=16) == found


def test_in_narrow_ranges_more_is_chance_than_in_wide_ones(found: Sensitivity) -> None:
    narrow = sensitivity(
        POSTED, {"head": (0.95, 1.05), "rate_hz": (950.0, 1050.0)}, n=8, max_runs=8
    )
    assert 0 < found.chance < 0.2 < narrow.chance


def test_the_picture_states_every_range_and_both_indices(found: Sensitivity) -> None:
    ax = draw_sensitivity(found, Figure().subplots())
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        in_rows(row.name, *row.range) for row in found.indices
    ]
    looks = {
        (line.get_marker(), line.get_linestyle())
        for line in ax.get_lines()
        if line.get_label()[0] != "_"
    }
    assert len(looks) == 3
    assert "these ranges only" in ax.get_xlabel()
    assert "these ranges only" in caption(found)


@pytest.mark.parametrize("preset", krcsim.presets())
def test_every_preset_has_ranges_that_a_scenario_can_have(preset: str) -> None:
    s = krcsim.load_scenario(preset)
    ranges = default_ranges(s)
    assert {"rate_hz", "pool", "grace_ms"} <= set(ranges)
    for name, ends in ranges.items():
        for share in (0.0, 0.5, 1.0):
            value = value_in(name, ends, share)
            assert ends[0] <= value * (1 + 1e-9)
            assert value <= ends[1] * (1 + 1e-9)
            INPUTS[name].put(s, value)
    at_point(s, ranges, [1.0] * len(ranges))


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_put_into_a_scenario_is_there(name: str) -> None:
    low, high = default_ranges(POSTED)[name]
    value = value_in(name, (low, high), 0.7)
    s = INPUTS[name].put(POSTED, value)
    if name == "head":
        assert s.allocator.episode.head == pytest.approx(value * 0.3)
    elif name == "burstiness":
        assert peaks(s) == pytest.approx(value)
    else:
        assert INPUTS[name].get(s) == pytest.approx(value, rel=1e-3)


def test_pages_stand_beside_the_pool_and_do_not_take_its_place() -> None:
    s = INPUTS["pages"].put(INPUTS["pool"].put(POSTED, 5), 3)
    assert (s.remedy.nr_emergency_objs, s.remedy.nr_bkv_objs, s.remedy.cache_at_boot) == (5, 3, 3)


def test_whole_numbers_are_drawn_alike() -> None:
    drawn = [value_in("cpus", (1, 4), share / 8) for share in range(8)]
    assert drawn == [1, 1, 2, 2, 3, 3, 4, 4]


CPUS = {"cpus": (1, 4)}


@pytest.mark.parametrize(
    "change",
    [
        dict(n=3),
        dict(n=0),
        dict(n=1 << 20),
        dict(floor=2.0),
        dict(ranges={}),
        dict(ranges=CPUS),
        dict(ranges={"colour": (1, 2)} | CPUS),
        dict(ranges={"rate_hz": (2, 1)} | CPUS),
        dict(ranges={"rate_hz": (0, 1)} | CPUS),
        dict(ranges={"rate_hz": (1, math.inf)} | CPUS),
        dict(ranges={"page": (0.5, 1.5)} | CPUS),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_in_a_line(change: dict[str, object]) -> None:
    with pytest.raises(KrcsimError, match="allowed") as told:
        sensitivity(POSTED, **{"n": 2, "max_runs": 8, **change})  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


def test_where_nothing_is_seen_to_move_that_is_said() -> None:
    with pytest.raises(KrcsimError, match="nothing moves p_wait"):
        sensitivity(POSTED, {"hog_pages_s": (1e4, 1e5), "free_mib": (1.0, 2.0)}, n=2, max_runs=8)


def test_every_input_has_words_and_no_field_name() -> None:
    assert set(SUBJECTS) == set(INPUTS)
    for name in INPUTS:
        subject, _, row = in_rows(name, 0.5, 2.0).partition("\n")
        assert subject
        assert "0.5" in row
        assert "_" not in (subject + row).replace("rcu_head", "")


def test_the_picture_says_which_input_moves_the_answer_most(found: Sensitivity) -> None:
    text = finding(found)
    first = next((row for row in found.indices if row.total[1] > found.chance), None)
    subject = SUBJECTS[first.name] if first else "no input"
    assert text.lower().startswith(subject.lower())
    fig = picture_of_sensitivity(found).figure
    assert text in texts(fig)
    assert outside(fig) == []


def test_what_may_be_chance_is_not_said_to_move_anything(found: Sensitivity) -> None:
    assert finding(replace(found, chance=2.0)).startswith("No input moves P(wait) more than chance")


def test_two_inputs_whose_ranges_overlap_share_the_title(found: Sensitivity) -> None:
    one, two, three = found.indices
    rows = (replace(one, total=(0.6, 0.4, 0.8)), replace(two, total=(0.5, 0.3, 0.7)))
    both = replace(found, chance=0.1, indices=(*rows, replace(three, total=(0.0, 0.0, 0.0))))
    assert finding(both).endswith("which of them is open")
    apart = replace(both, indices=(rows[0], replace(two, total=(0.2, 0.1, 0.3))))
    assert "60 % of the variance" in finding(apart)
