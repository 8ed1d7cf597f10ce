# SPDX-License-Identifier: GPL-2.0-only
"""The plain-text answer fits a mailing list."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.base.tables import text_table
from krcsim.cli.arguments import scenario_from
from krcsim.cli.command_line import parsed
from krcsim.cli.main import main
from krcsim.report.plain_text import fitting_table
from krcsim.report.reply import answer_text
from krcsim.report.sentences import assumed, left_out
from krcsim.studies.compare import compare
from krcsim.studies.size_words import size_result, size_text
from krcsim.sweeps.grid import sweep

QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)


@pytest.mark.parametrize("preset", krcsim.presets())
def test_an_answer_has_72_columns_of_7_bit_and_at_most_60_lines(preset: str) -> None:
    s = krcsim.load_scenario(preset)
    s = replace(s, horizon_ms=s.warmup_ms + 500.0)
    text = answer_text(compare(s, max_runs=8, command="krcsim reply " + preset))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 72
    assert text.isascii()
    assert "\t" not in text
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) <= 60


def test_an_answer_names_every_remedy_its_bytes_and_the_command() -> None:
    text = answer_text(compare(QUICK, ["A1", "B"], max_runs=16, command="krcsim compare mine"))
    assert "A1" in text
    assert "4216" in text
    assert "krcsim reply mine" in text


def test_of_remedies_that_never_differed_the_number_of_runs_is_said_and_what_it_leaves() -> None:
    result = compare(QUICK, ["A0", "C-A0"], max_runs=16)
    assert "C-A0: no difference from A0 was seen in 16 runs (at most 0.0" in " ".join(
        answer_text(result).split()
    )


def test_no_proven_difference_is_said_in_these_words() -> None:
    tight = krcsim.changed(
        QUICK, **{"allocator.episode.head_reclaim": 0.148, "allocator.episode.head_high": 0.15}
    )
    text = answer_text(compare(tight, ["A0", "A1"], max_runs=32))
    assert "no difference from A0 proven at 95 %" in " ".join(text.split())


def test_a_sweep_shows_its_values() -> None:
    text = answer_text(sweep(QUICK, {"remedy": ["A1"], "machine.cpus": [1, 2]}, max_runs=8))
    assert "cpus" in text


def told(text: str) -> str:
    return " ".join(text.split())


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
    assert f"{assumed(pages)}. {left_out(pages)}." in told(
        answer_text(compare(short, ["A1"], max_runs=8))
    )


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
    command = shlex.split(text.split("Made with:\n")[1].replace("\\\n", " "))
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
    assert "Made from Python, with values that no command line can name." in told(text)


def test_remedies_of_ones_own_are_no_command() -> None:
    text = answer_text(compare(QUICK, {"mine": krcsim.pool(7)}, max_runs=8))
    assert "(called" not in text
    assert "Made from Python, with values that no command line can name." in told(text)
    command = shlex.split(text.split("Its scenario:\n")[1].replace("\\\n", " "))
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
    made = text.split("Made with:\n")[1]
    assert " ".join(made.replace("\\\n", " ").split()) == command.strip()


def test_without_a_call_under_pressure_no_number_is_given() -> None:
    silent = krcsim.changed(QUICK, **{"workload.rate_hz": 0.001})
    result = compare(silent, ["A1"], max_runs=8)
    assert result.get("A1", "p_wait", "steady").kind == "none"
    assert "steady: no call was made under pressure with A1" in " ".join(
        answer_text(result).split()
    )
