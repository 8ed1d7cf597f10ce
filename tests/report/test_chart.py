# SPDX-License-Identifier: GPL-2.0-only
"""What a figure shows is data: lines, their CSV, their hash; and files are whole or not there."""

from __future__ import annotations

import csv
import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

import krcsim
from krcsim.base import files
from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_set
from krcsim.model.remedy_list import CURVE, listed
from krcsim.report.chart import (
    NOTHING_ADDED,
    OWN,
    Chart,
    Line,
    by_episode,
    chart_csv,
    chart_of,
    over_bytes,
    with_pins,
)
from krcsim.report.export import KINDS, Answer, file_of, hash_of
from krcsim.report.figures import figure_of, limits
from krcsim.report.reply import answer_text
from krcsim.results.estimate import Estimate
from krcsim.results.result import Result
from krcsim.studies.compare import compare, episodes

QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)


@pytest.fixture(scope="module")
def curve() -> Result:
    return compare(QUICK, CURVE, max_runs=8, command="krcsim compare mine --remedies curve")


@pytest.fixture(scope="module")
def cold() -> Result:
    return episodes(
        QUICK, listed("cold", QUICK), count=3, max_runs=8, command="krcsim compare mine"
    )


def answer(result: Result) -> Answer:
    return Answer("mine", QUICK, 1, "krcsim compare mine", chart_of(result), "text\n", result)


def test_growing_reserves_on_the_own_remedy_are_lines_and_the_setting_is_a_point(
    curve: Result,
) -> None:
    lines = {line.name: line for line in over_bytes(curve).lines}
    assert list(lines) == [
        OWN,
        "pool of N objects, empty at boot",
        "N pages shared, preallocated",
        "N pages shared, empty at boot",
    ]
    pool = lines["pool of N objects, empty at boot"]
    assert pool.labels == ("0", "1", "2", "3", "5", "10", "20", "50", "100", "200")
    assert pool.x[:3] == (NOTHING_ADDED, 40, 80)  # 8 bytes in the array, 32 for an object
    assert pool.x == tuple(sorted(pool.x))


def test_a_small_value_makes_the_axis_longer_and_the_tail_of_an_interval_by_a_decade_at_most() -> (
    None
):
    small, long = (
        Estimate(1e-11, 5e-12, 2e-11, "interval"),
        Estimate(2e-5, 1e-12, 1e-2, "interval"),
    )
    lows, highs = zip(
        *(
            limits(Chart((Line("x", ("",), (64.0,), (e,)),), "", "", True))[2:]
            for e in (small, long)
        ),
        strict=True,
    )
    assert lows == pytest.approx((1e-12, 1e-6))
    assert highs == pytest.approx((1e-10, 1e-3))


def test_what_the_plain_code_keeps_adds_nothing(curve: Result) -> None:
    for name in ("A0", "A1", "B0-own", "D1-own"):
        assert curve.get(name, "bytes_added", "steady").value == 0


def test_a_chart_over_named_remedies_shows_each() -> None:
    chart = over_bytes(compare(QUICK, ["A0", "B", "D5-A1", "D2-A1"], max_runs=8))
    assert [line.name for line in chart.lines] == [
        "A0",
        "pool of N objects, empty at boot",
        "N pages shared, preallocated, on A1",
    ]
    assert chart.lines[2].labels == ("2", "5")


def test_episodes_are_counted_from_boot(cold: Result) -> None:
    assert cold.windows() == ["episode 1", "episode 2", "episode 3 on"]
    chart = by_episode(cold)
    assert chart.lines[0].name == OWN
    assert chart.lines[0].x == (1.0, 2.0, 3.0)
    assert chart.lines[0].estimates[0] == cold.get("own", "p_wait_episode", "episode 1")


def test_a_pinned_chart_keeps_its_lines_under_its_own_name(curve: Result) -> None:
    both = with_pins(over_bytes(curve), {"A": over_bytes(curve)})
    assert [line.name for line in both.lines if line.look == "pin"] == [
        f"A: {line.name}" for line in over_bytes(curve).lines
    ]
    assert both.lines[-4:] == over_bytes(curve).lines


def test_the_csv_holds_every_point_drawn(curve: Result) -> None:
    chart = over_bytes(curve)
    text = chart_csv(chart, {"again": "krcsim", "scenario": "two\nlines"})
    rows = list(csv.DictReader(row for row in text.splitlines() if not row.startswith("#")))
    assert len(rows) == sum(len(line.x) for line in chart.lines)
    for row, e in zip(rows, [e for line in chart.lines for e in line.estimates], strict=True):
        assert row["kind"] == e.kind
        assert (float(row["value"]) if row["value"] else None) == (
            None if e.value is None else pytest.approx(e.value)
        )


def test_every_point_lies_within_the_axes(curve: Result, cold: Result) -> None:
    for chart in (chart_of(curve), chart_of(cold)):
        left, right, low, high = limits(chart)
        for line in chart.lines:
            assert all(left < x < right for x in line.x)
            assert all(low <= e.value <= high for e in line.estimates if e.value)
        begin, end = figure_of(chart).axes[0].get_xlim()
        assert begin == left
        assert end >= right  # names stand behind the data


def test_the_hash_stands_for_scenario_seed_and_numbers(curve: Result, cold: Result) -> None:
    one = answer(curve)
    others = [
        replace(one, seed=2),
        replace(one, scenario=replace(QUICK, warmup_ms=1.0)),
        answer(cold),
    ]
    assert len({hash_of(x) for x in (one, *others)}) == 4
    assert hash_of(one) == hash_of(answer(curve))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_same_for_the_same_answer_and_says_how_to_make_it(
    curve: Result, kind: str
) -> None:
    data = file_of(answer(curve), kind)
    assert data == file_of(answer(curve), kind)
    if kind != "txt":  # that is the answer's own text
        assert f"krcsim compare mine --out again.{kind}".encode() in data


def test_a_kind_that_is_not_known_is_refused(curve: Result) -> None:
    with pytest.raises(KrcsimError, match="gif"):
        file_of(answer(curve), "gif")


@pytest.mark.parametrize("names", ["curve", "cold"])
def test_an_answer_with_growing_reserves_fits_a_mail(
    names: str, curve: Result, cold: Result
) -> None:
    lines = answer_text(curve if names == "curve" else cold).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 72


def test_episodes_need_episodes() -> None:
    none = krcsim.changed(QUICK, **{"allocator.episodes": "none"})
    with pytest.raises(KrcsimError, match=r"allocator\.episodes"):
        episodes(none, ["A1"])


def test_given_episodes_are_counted_to_the_last() -> None:
    plan = krcsim.changed(
        QUICK,
        **{"allocator.episodes": "schedule", "allocator.schedules": [[100, 200], [900, 1000]]},
    )
    result = episodes(plan, ["A1"], count=2, max_runs=8)
    assert result.windows() == ["episode 1", "episode 2 on"]
    assert result.get("A1", "p_wait_episode", "episode 2 on").kind != "none"


def test_two_writers_of_one_name_both_keep_their_files(tmp_path: Path) -> None:
    first = write_set(tmp_path, "x", {".a": b"1", ".b": b"2"})
    second = write_set(tmp_path, "x", {".a": b"3", ".b": b"4"})
    assert [p.name for p in (*first, *second)] == ["x.a", "x.b", "x-2.a", "x-2.b"]
    assert first[0].read_bytes() == b"1"


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(KrcsimError, match="free some space"):
        write_set(tmp_path, "x", {".a": b"1", ".b": b"2", ".c": b"3"})
    assert list(tmp_path.iterdir()) == []
