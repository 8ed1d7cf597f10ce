# SPDX-License-Identifier: GPL-2.0-only
"""Recordings that are broken as a whole: each is read as far as it goes, with a sentence that says
what is odd and what to do; nothing of them is taken for HTML, a format or a control of a terminal.
"""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path

from krcsim.report.style import written

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import from_dict
from krcsim.model.scenario_file import load_scenario
from krcsim.report.recording_picture import figure_of_recording
from krcsim.trace import intervals, words
from krcsim.trace.chart import chart_of, texts_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made, make
from krcsim.trace.reading import read
from tests.trace.lines import CALL, event, of_lines
from tests.trace.test_archive import archive

LINES = [event(100.0 + n / 100, "kvf", CALL) for n in range(200)]
PAGE = "page={} pfn={} order=0 migratetype=0 gfp_flags=GFP_NOWAIT"


def made_of(evidence: Evidence) -> Made:
    return make(evidence, load_scenario("thread-as-posted"), "thread-as-posted")


def said_of(evidence: Evidence) -> str:
    return " ".join(evidence.notes)


def test_a_number_that_a_cut_file_ends_in_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    text = "\n".join([*LINES, event(103.0, "rcu_invoke_kfree_bulk_callback", "slab nr_records=60")])
    path.write_text(text[:-1])
    found = read([path])
    assert (found.block_pointers, found.not_understood) == ((0, 0), 1)
    assert "has no end, and may be cut in a number" in said_of(found)
    assert "if it is whole, end it" in said_of(found)


def test_a_gzip_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b" " * (40 << 20), 9))
    with pytest.raises(KrcsimError, match="unpacks to more than 200 times its size"):
        read([path])


@pytest.mark.parametrize("cpu", [1024, 4095])
def test_a_cpu_that_no_machine_has_is_said_with_what_to_do(tmp_path: Path, cpu: int) -> None:
    found = of_lines(tmp_path, *LINES, event(101.0, "kvf", CALL, cpu=cpu))
    assert found.not_understood == 1
    assert f"the first of CPU {cpu}" in said_of(found)
    assert "give the lines of some of them" in said_of(found)


def test_a_time_that_no_clock_shows_is_said_with_what_to_do(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *LINES, event(1e9 + 5, "kvf", CALL))
    assert found.seconds == pytest.approx(1.99)
    assert "times of more than thirty years" in said_of(found)


def test_a_clock_that_jumps_back_is_said_with_what_to_do(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *LINES, *LINES)
    assert "not in the order of time, by up to 1.99 s" in said_of(found)
    assert "each in a file of its own" in said_of(found)
    assert said_of(of_lines(tmp_path, *LINES)) == ""


def test_a_cpu_that_comes_and_goes_is_said_with_what_to_do(tmp_path: Path) -> None:
    short = [event(100.0 + n / 1000, "kvf", CALL, cpu=3) for n in range(500)]
    found = of_lines(tmp_path, *sorted([*LINES, *short], key=lambda line: line[40:]))
    assert "CPU 3 made its calls within 0.5 s of 1.99 s" in said_of(found)


def test_counters_of_vmstat_that_fall_are_left_out_and_said(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *LINES, "allocstall_normal 19", "allocstall_normal 7")
    assert found.vmstat == {}
    assert "give the one from before first" in said_of(found)


def test_events_lost_in_unknown_number_are_said(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *LINES, "CPU:2 [LOST EVENTS]")
    assert "record with a larger buffer" in said_of(found)


def test_lost_events_widen_the_intervals_of_rates_and_shares(tmp_path: Path) -> None:
    pages = [event(100.0 + n / 100, "mm_page_alloc", PAGE.format(1, "0x1")) for n in range(150)]
    lines = [*LINES, *pages, event(101.9, "mm_page_alloc", PAGE.format(0, "0x0"))]
    whole = made_of(of_lines(tmp_path, *lines)).values
    torn = made_of(of_lines(tmp_path, *lines, "CPU:2 [LOST 175 EVENTS]")).values
    for field in ("workload.rate_hz", "allocator.calm.page", "workload.single_share"):
        one, other = whole[field].limits, torn[field].limits
        assert one is not None
        assert other is not None
        assert (other.high > one.high) or (other.low < one.low), field
    assert intervals.with_lost(intervals.Interval(0.2, 0.4), 1.0) == (0.1, 0.7)


def test_an_archive_that_does_not_say_when_it_was_on_covers_its_counts(tmp_path: Path) -> None:
    path = archive(tmp_path, a=("#@span 20.00 30.00", "#@span 20.00 3x.00"))
    found = read([path])
    assert found.not_understood == 1
    assert "does not say when it was on" in said_of(found)
    assert "#@span" in said_of(found)


def test_two_archives_of_machines_that_differ_are_refused(tmp_path: Path) -> None:
    other = archive(tmp_path, "b.txt", a=("arch x86_64", "arch aarch64"))
    with pytest.raises(KrcsimError, match="different machines .arch: 'x86_64' and 'aarch64'"):
        read([archive(tmp_path), other])


def test_a_recording_without_a_call_says_what_to_record(tmp_path: Path) -> None:
    lines = [event(100.0 + n / 10, "gps", "(rcu_gp_init+0x0/0x550)") for n in range(30)]
    made = made_of(of_lines(tmp_path, *lines))
    assert "no call of kfree_rcu() was recorded; record those too" in words.summary(made)


HOSTILE = "<img src=x onerror=alert(1)>&amp; $\\frac{1}{2}$ %s%n {0} \\x1b[2J `id` $(id) ' \""


def test_nothing_of_a_hostile_recording_is_taken_for_more_than_text(tmp_path: Path) -> None:
    path = archive(
        tmp_path, "\x1b[2J<b>.txt", release="6.1.0", a=("release 6.1.0", f"release 6.1 {HOSTILE}")
    )
    with path.open("a") as file:
        file.write(f"not understood {HOSTILE}\n\x1b]0;title\x07\n")
    made = made_of(read([path]))
    said = words.summary(made) + words.explanation(made, made.explained("workload.rate_hz"))
    assert all(c.isprintable() or c == "\n" for c in said)
    page = made._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page
    text = words.scenario_file(made, "krcsim read")
    assert all(c.isprintable() or c == "\n" for c in text)
    assert from_dict(tomllib.loads(text)) == made.scenario
    assert "\x1b" not in words.json_of(made, "krcsim read")
    picture = written(figure_of_recording(chart_of(made), *texts_of(made)), "svg")
    assert b"<img" not in picture
    assert b"\x1b" not in picture
