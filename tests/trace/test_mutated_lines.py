# SPDX-License-Identifier: GPL-2.0-only
"""Lines that were damaged one by one, against a strict second reading; all of 100,000 by
python -m validation.mutated_lines.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.trace.reading import read
from tests.trace.lines import CALL, event, of_lines
from validation.mutated_lines import FORMS, Case, run, wrong_in

A_FORM = 500


@pytest.mark.parametrize("form", FORMS)
def test_whole_lines_of_each_form_are_understood_and_say_what_they_say(
    tmp_path: Path, form: str
) -> None:
    lines = tuple(line.encode() for line in FORMS[form])
    path = tmp_path / "recording"
    path.write_bytes(b"\n".join(lines) + b"\n")
    evidence = read([path])
    assert evidence.not_understood == 0
    assert wrong_in(Case(form, lines, (), b""), evidence) == ""


@pytest.mark.parametrize("form", FORMS)
def test_of_a_damaged_line_a_number_is_made_only_if_it_says_so(form: str) -> None:
    assert run(range(A_FORM), seed=20200404, form=form)[form].faults == {}


def test_the_strict_reading_finds_a_number_that_no_line_says(tmp_path: Path) -> None:
    """The judge is no judge if it lets everything pass."""
    lines = tuple(line.encode() for line in FORMS["trace_pipe"])
    path = tmp_path / "recording"
    path.write_bytes(b"\n".join(lines).replace(b"nr_records=60", b"nr_records=61") + b"\n")
    assert "blocks: (1, 61) for (1, 60)" in wrong_in(Case("", lines, (), b""), read([path]))


GOOD = [event(100.0 + n / 100, "kvf", CALL) for n in range(200)]


@pytest.mark.parametrize(
    "line",
    [
        event(101.0, "kvf", CALL.replace("head=0x0", "head=0x")),
        event(101.0, "kvf", CALL.replace("head=0x0", "head=0xzz")),
        event(101.0, "kvf", CALL.replace("head=0x0", "head=-5")),
        event(101.0, "kvf", f"{CALL} vmalloc=2"),
        event(101.0, "kvf", CALL[:20]),
        event(101.0, "kvf", CALL) + event(101.5, "kvf", CALL),
        event(101.0, "mm_page_alloc", "page=1 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_KERNL"),
        event(101.0, "mm_page_alloc", "page=1 pfn=-0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT"),
        event(101.0, "mm_page_alloc", "page=(null) pfn=0x1 order=0 m=0 gfp_flags=GFP_NOWAIT"),
        event(101.0, "rcu_invoke_kfree_bulk_callback", "slab bulk=0x0 nr_records=6 nr_records=7"),
        "@w[10100, 0, 2]: 5",
        "@w[10100, 0, 1]: 999999999",
        "@sheaf[2]: 5",
        '{"type": "map", "data": {"@w": {"\u00b2,0,1": 17}}}',
        '{"type": "map", "data": {"@w": {"\u0663,0,1": 17}}}',
        '{"type": "map", "data": {"@w": {"10100,0,1": 17, "x": 3}}}',
        "Total time taken by all kfree'ers: 44 ns, loops: 10000, batches: 1234567890123",
        "CPU:2 [LOST 1e5 EVENTS]",
        "# entries-in-buffer/entries-written: 1900/1857   #P:1",
        "allocstall_normal -7",
    ],
)
def test_what_was_made_into_a_number_or_passed_over_is_counted(tmp_path: Path, line: str) -> None:
    found = of_lines(tmp_path, *GOOD, line)
    assert found.not_understood == 1
    assert (found.calls.total, found.calls.kinds_known) == (200, True)
    assert (found.lost, found.scale_runs, found.vmstat) == (0, (), {})
    assert sum(found.page.tries) + found.block_pointers[0] + sum(found.sheaf_calls) == 0


def test_a_damaged_first_line_does_not_say_what_the_next_ones_are(tmp_path: Path) -> None:
    bad = event(99.9, "kvf", CALL.replace("kvfree", "kvfrex"))
    assert of_lines(tmp_path, bad, *GOOD).calls.total == 200


def test_a_map_or_a_histogram_has_each_row_once(tmp_path: Path) -> None:
    found = of_lines(tmp_path, "@w[500000, 3, 1]: 17", "@w[500000, 3, 1]: 17", "@monitor: 5")
    assert (found.calls.total, found.not_understood) == (17, 1)


def test_rows_below_a_damaged_head_are_not_those_of_the_head_before(tmp_path: Path) -> None:
    rows = ["[4K, 8K)               2 |@@@@                 |"]
    found = of_lines(tmp_path, "@gp_us:", *rows, "@wait_xs:", *rows, "@monitor: 5")
    assert len(found.grace_periods_s) == 2
    assert found.not_understood == 2


def test_nothing_is_paired_across_lines_that_are_missing(tmp_path: Path) -> None:
    init, cleanup = "(rcu_gp_init+0x0/0x550)", "(rcu_gp_cleanup+0x4/0x5)"
    begin, end = event(5.0, "gps", init), event(7.0, "gpe", cleanup)
    whole = [event(8.0, "gps", init), event(8.004, "gpe", cleanup)]
    for between in ("CPU:2 [LOST 123 EVENTS]", "CPU:2 [LOST EVENTS]", end[:60] + begin):
        found = of_lines(tmp_path, begin, between, end, *whole)
        assert found.grace_periods_s.tolist() == pytest.approx([0.004]), between


def test_lines_that_were_commented_out_are_no_events(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *GOOD, "# x-5 [000] ..... 101.0: kvf: " + CALL)
    assert (found.calls.total, found.not_understood) == (200, 0)


def test_understood_ignored_and_not_understood_lines_are_all_lines(tmp_path: Path) -> None:
    found = of_lines(tmp_path, *GOOD, "what is this", "# a comment", "", "[ 9.1] app: a log")
    taken = sum(source.lines for some in found.sources.values() for source in some)
    assert (found.lines, found.not_understood, found.ignored) == (204, 1, 2)
    assert taken + found.not_understood + found.ignored == found.lines
