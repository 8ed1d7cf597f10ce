# SPDX-License-Identifier: GPL-2.0-only
"""The plain-text answer fits a mailing list."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.base.tables import text_table
from krcsim.cli.arguments import scenario_from
from krcsim.cli.command_line import parsed
from krcsim.cli.main import main
from krcsim.report.answer_legend import to_the_list
from krcsim.report.count_cells import count_of, interval_of
from krcsim.report.plain_text import fitting_table
from krcsim.report.reply import MADE_WITH, answer_text
from krcsim.report.sentences import assumed, left_out, situation
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.results.result import Result
from krcsim.results.verdict import verdict
from krcsim.studies.compare import compare
from krcsim.studies.size_words import size_result, size_text
from krcsim.sweeps.grid import sweep
from tests.engine.test_properties import examples
from tests.report.made_results import CURVE, estimates, made, parts_of, results

QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)


def told(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("preset", krcsim.presets())
def test_an_answer_has_at_most_40_lines_of_72_columns_of_7_bit(preset: str) -> None:
    s = krcsim.load_scenario(preset)
    s = replace(s, horizon_ms=s.warmup_ms + 500.0)
    check_form(answer_text(compare(s, max_runs=8, command="krcsim reply " + preset)))


def check_form(text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= 72
    assert text.isascii()
    assert "\t" not in text
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) <= 40


def test_an_answer_names_every_remedy_its_bytes_and_the_command() -> None:
    text = answer_text(compare(QUICK, ["A1", "B"], max_runs=16, command="krcsim compare mine"))
    rows = {row[0]: row[1] for row in parts_of(text).table}
    assert rows == {"A1": "0", "B": "120"}
    assert "krcsim reply mine" in text


def test_of_remedies_that_never_differed_it_is_said_that_no_run_did() -> None:
    result = compare(QUICK, ["A0", "C-A0"], max_runs=16)
    assert "no difference seen in any run with C-A0" in told(answer_text(result))


def test_no_proven_difference_is_said_in_these_words() -> None:
    tight = krcsim.changed(
        QUICK, **{"allocator.episode.head_reclaim": 0.148, "allocator.episode.head_high": 0.15}
    )
    text = answer_text(compare(tight, ["A0", "A1"], max_runs=32))
    assert "With the same random draws, against A0: no difference proven with A1." in told(text)


# ---- any result


@examples(100)
@given(result=results())
def test_an_answer_to_any_result_fits_a_mail_and_says_what_its_rows_are(result: Result) -> None:
    window = result.windows()[-1]
    text = answer_text(result, window)
    check_form(text)
    parts = parts_of(text)
    assert parts.verdict == told(to_the_list(verdict(result, window)))
    assert parts.table
    assert {row[0] for row in parts.table} <= set(parts.legend)
    assert all(parts.legend.values())
    assert "krcsim" in parts.last


@examples(100)
@given(result=results())
def test_each_row_of_a_table_has_its_count_and_rows_without_room_are_counted(
    result: Result,
) -> None:
    window = result.windows()[-1]
    parts = parts_of(answer_text(result, window))
    quantity = "p_wait_episode" if window.startswith("episode") else "p_wait"
    told_of: dict[str, set[str]] = {}
    for point in result.points():
        count = count_of(result.get(point, quantity, window))
        told_of.setdefault(str(point[0]), set()).add(count)
    for name, *cells in parts.table:
        assert told_of[name] & {cell.rstrip(",") for cell in cells}

    left_out = len(result.points()) - len(parts.table)
    found = re.search(r"(\d+) more row", parts.notes)
    assert (int(found[1]) if found else 0) == left_out


@examples(100)
@given(result=results())
def test_what_is_said_of_differences_is_what_they_prove(result: Result) -> None:
    window = result.windows()[-1]
    notes = parts_of(answer_text(result, window)).notes
    said = re.search(r"With the same random draws, against (\S+): ([^.]*(?:\.\d[^.]*)*)\.", notes)
    if said is None:
        return
    assert said[1] == result.points()[0][0]
    rows: Any = result.differences
    limits = {row[0]: (row[5], row[6]) for row in rows if row[2] == window}
    for clause in said[2].split("; "):
        what, names = clause.split(" with ")
        for lo, hi in (limits[name] for name in names.split(", ")):
            assert (hi < 0.0) == (what == "fewer waits")
            assert (lo > 0.0) == (what == "more waits")


def test_the_rows_that_the_verdict_names_stay_where_there_is_no_room_for_all() -> None:
    names = ["A1", *(f"B{n}" for n in range(1, 20)), *(f"D{n}-A1" for n in range(1, 9))]
    parts = parts_of(answer_text(made(dict.fromkeys(names, MANY) | {"D3-A1": FEWER})))
    assert "3 preallocated pages (D3-A1)" in parts.verdict
    assert {"A1", "D3-A1"} <= {row[0] for row in parts.table}
    assert len(parts.table) < len(names)


def test_a_remedy_that_only_words_of_others_name_is_explained_too() -> None:
    legend = parts_of(answer_text(made({"B": MANY, "C-A1": FEWER}))).legend
    assert "A1" in legend["B"]
    assert "try harder" in legend["A1"]


def test_nobody_on_the_list_is_told_that_a_setting_is_theirs() -> None:
    names = ["own", "B0-own", "B3-own", "mine"]
    text = answer_text(made(dict.fromkeys(names, MANY)))
    assert not re.search(r"\byour?\b", text)
    assert "this setting" in text


def test_a_command_without_room_is_left_out_and_its_length_is_said() -> None:
    command = "krcsim compare phone " + "--set workload.rate_hz=1000 " * 70
    text = answer_text(made(dict.fromkeys(CURVE, MANY), command=command.strip()))
    check_form(text)
    assert re.search(r"by a command of \d\d lines", told(text))


MANY = Estimate(2e-3, 1.8e-3, 2.2e-3, "interval")
FEWER = Estimate(2e-5, 1.8e-5, 2.2e-5, "interval")
NONE_SEEN = Estimate(None, 0.0, 1e-4, "bound")


@pytest.mark.parametrize(
    ("estimate", "cells"),
    [
        (MANY, ["500", "454..556"]),
        (Estimate(2e-8, 1e-9, 3e-7, "rough"), ["~5e7", "3.3e6..1e9"]),
        (Estimate(0.6, 0.5, 0.7, "interval"), ["1.7", "1.4..2"]),
        (Estimate(1.0, 0.9, 1.0, "interval"), ["1", "1..1.2"]),
        (NONE_SEEN, [">10,000", ""]),
        (Estimate(0.0, 0.0, 0.0, "exact"), ["never", ""]),
        (NOTHING, ["-", ""]),
        (Estimate(1e-6, 1e-6, 1e-6, "exact"), ["1e6", ""]),
        (Estimate(1.004e-6, 1e-6, 1.1e-6, "interval"), ["1e6", "900,000..1e6"]),
    ],
)
def test_a_cell_counts_calls_and_claims_no_more_than_the_estimate(
    estimate: Estimate, cells: list[str]
) -> None:
    assert [count_of(estimate), interval_of(estimate)] == cells


@given(estimates())
@examples(300)
def test_intervals_in_cells_are_rounded_outward(estimate: Estimate) -> None:
    if text := interval_of(estimate):
        least, most = (float(end.replace(",", "")) for end in text.split(".."))
        assert estimate.lo
        assert estimate.hi
        assert least <= 1.0 / estimate.hi * (1.0 + 1e-8) or least == 1.0
        assert most >= 1.0 / estimate.lo * (1.0 - 1e-8)


# ---- the plot beside the numbers


def test_marks_stand_in_the_order_of_the_numbers_and_what_was_not_seen_has_none() -> None:
    text = answer_text(made({"A1": MANY, "B": FEWER, "D2-A1": NONE_SEEN}))
    rows = {line.split()[0]: line for line in text.splitlines() if re.match(r"[ABD]\S* +\d", line)}
    assert rows["B"].rindex("o") < rows["A1"].rindex("o")
    assert rows["D2-A1"].endswith("none seen")


def test_a_mark_stands_under_the_label_of_its_decade() -> None:
    tenth = Estimate(1e-3, 0.9e-3, 1.1e-3, "interval")
    lines = answer_text(made({"A1": tenth, "B": FEWER})).splitlines()
    head = next(line for line in lines if line.startswith("row"))
    label = re.search(r"(?<= )1,000(?= )", head)
    assert label
    row = next(line for line in lines if re.match(r"A1 +\d", line))
    assert label.start() <= row.rindex("o") < label.end()


def test_a_sweep_shows_its_values() -> None:
    text = answer_text(sweep(QUICK, {"remedy": ["A1"], "machine.cpus": [1, 2]}, max_runs=8))
    assert "cpus" in text


def test_what_is_the_same_in_all_points_of_a_grid_is_said_once() -> None:
    grid = {"remedy": ["A1"], "machine.cpus": [2], "workload.rate_hz": [500.0, 900.0]}
    text = answer_text(sweep(QUICK, grid, max_runs=8))
    assert "but machine.cpus=2" in told(text)
    assert "cpus" not in next(line for line in text.splitlines() if line.startswith("row"))


def test_what_is_left_out_is_what_the_scenario_leaves_out() -> None:
    drawn, pages = (krcsim.load_scenario(name) for name in ("thread-as-posted", "exhausted-guest"))
    assert "failure probabilities are assumptions" in assumed(drawn)
    assert (
        "watermarks and slab free lists as mechanisms, the memory that deferred objects hold"
        in left_out(drawn)
    )
    assert "watermarks" not in left_out(pages)
    assert "the memory that deferred objects hold" in left_out(pages)
    assert "deferred objects" not in left_out(
        krcsim.changed(pages, **{"memory.deferred_counts": True})
    )
    assert "episodes" not in assumed(krcsim.load_scenario("small-world"))
    short = replace(pages, horizon_ms=600.0)
    text = told(answer_text(compare(short, ["A1"], max_runs=8)))
    assert f"; l{left_out(pages)[1:]}." in text
    assert f"Assumed: {situation(short).split(';')[0]};" in text


MADE = {
    "compare": lambda: compare(QUICK, ["A1", "B"], max_runs=8, seed=7),
    "the remedies of the thread": lambda: compare(QUICK, max_runs=8),
    "episodes": lambda: krcsim.episodes(QUICK, ["A1"], count=2, max_runs=8),
    "sweep": lambda: sweep(
        QUICK, {"remedy": ["own", "B2-own"], "machine.cpus": [1, 2]}, max_runs=8, precision=0.2
    ),
}


@pytest.mark.parametrize("kind", MADE)
def test_an_answer_made_in_python_names_a_command_that_makes_it_again(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = MADE[kind]()
    text = answer_text(result)
    command = shlex.split(text.split(f"{MADE_WITH}:\n")[1].replace("\\\n", " "))
    assert main(["reply" if command[1] == "sweep" else command[1], *command[2:]]) == 0
    assert told(capsys.readouterr().out).replace("krcsim reply", "krcsim sweep") == told(
        text
    ).replace("krcsim reply", "krcsim sweep")
    assert main([*shlex.split(result.provenance["command"])[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [list(row) for row in result.rows]


def test_a_size_found_in_python_names_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    found = krcsim.size(QUICK, 0.5, of="pages", at_boot="full", max_runs=8)
    assert main([*shlex.split(found.command)[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [
        list(row) for row in size_result(found).rows
    ]
    text = size_text(krcsim.size(QUICK, 0.5, most=3, max_runs=8))
    assert "from Python, with values that no command line can name." in told(text)


def test_remedies_of_ones_own_are_no_command() -> None:
    text = answer_text(compare(QUICK, {"mine": krcsim.pool(7)}, max_runs=8))
    assert "(called" not in text
    assert "from Python, with values that no command line can name." in told(text)
    command = shlex.split(re.split(r"Its\s+scenario:\n", text)[1].replace("\\\n", " "))
    assert scenario_from(parsed(command[1:])) == QUICK


WIDE = [
    "C-A1-of-a-long-name",
    "12345678",
    "~ 3.21e-05",
    "1.23e-05 .. 4.56e-05",
    "3.21e-05",
    "~ 3.21e-05",
]
HEAD = ["remedy", "bytes/CPU", "P(wait)", "95 % interval", "blocked", "from boot"]


@pytest.mark.parametrize("more", [0, 1, 3, 8, 40])
def test_a_table_that_is_too_wide_says_less_and_is_never_refused(more: int) -> None:
    head, row = (
        [HEAD[0], *(f"parameter{n}" for n in range(more)), *HEAD[1:]],
        [WIDE[0], *["1234.5"] * more, *WIDE[1:]],
    )
    lines = fitting_table(head, [row, row])
    assert max(map(len, lines)) <= 72
    assert "~ 3.21e-05" in " ".join(lines)
    assert "from boot" not in lines[0]


def test_a_table_that_fits_leaves_nothing_out() -> None:
    assert fitting_table(HEAD[:5], [WIDE[1:2] + WIDE[1:5]]) == text_table(
        HEAD[:5], [WIDE[1:2] + WIDE[1:5]]
    )


def test_a_reply_to_a_grid_of_many_values_fits_a_mail() -> None:
    grid = {
        "remedy": ["A1"],
        "machine.cpus": [1],
        "workload.rate_hz": [100.0],
        "allocator.episode.page": [0.5],
        "grace_period.expedited_median_ms": [0.25],
        "workload.single_share": [0.5],
    }
    lines = answer_text(sweep(QUICK, grid, max_runs=8)).splitlines()
    assert max(map(len, lines)) <= 72


def test_a_window_that_is_not_there_is_refused() -> None:
    result = compare(replace(QUICK, warmup_ms=0.0), ["A1"], max_runs=8)
    with pytest.raises(KrcsimError, match="window"):
        answer_text(result, "boot")


def test_a_long_command_is_continued_with_backslashes() -> None:
    command = "krcsim reply thread-as-posted " + "--set workload.rate_hz=1000 " * 6
    text = answer_text(compare(QUICK, ["A1"], max_runs=8, command=command.strip()))
    made = text.split(f"{MADE_WITH}:\n")[1]
    assert " ".join(made.replace("\\\n", " ").split()) == command.strip()


def test_without_a_call_under_pressure_no_number_is_given() -> None:
    silent = krcsim.changed(QUICK, **{"workload.rate_hz": 0.001})
    result = compare(silent, ["A1"], max_runs=8)
    assert result.get("A1", "p_wait", "steady").kind == "none"
    assert "steady: no call was made under pressure with A1" in " ".join(
        answer_text(result).split()
    )


def test_where_not_all_sizes_have_room_the_smallest_pool_and_pages_that_are_enough_have_a_row() -> (
    None
):
    pools = {f"B{size}-own": MANY if size < 5 else FEWER for size in range(1, 16)}
    pages = {f"D{count}-own": MANY if count < 3 else NONE_SEEN for count in range(1, 9)}
    text = answer_text(made({"own": MANY, **pools, **pages}))
    rows = re.findall(r"^(\S+) +\d+ +>?[\d,]+", text, re.M)
    assert {"own", "B5-own", "D3-own"} <= {*rows}
    assert "B4-own" not in rows
