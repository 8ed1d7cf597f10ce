# SPDX-License-Identifier: GPL-2.0-only
"""The plain-text answer fits a mailing list."""

from __future__ import annotations

from dataclasses import replace

import pytest

import krcsim
from krcsim_report.reply import answer_text
from krcsim_studies.comparison import compare
from krcsim_studies.sweep import sweep
from krcsim.values import KrcsimError

QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)


@pytest.mark.parametrize("preset", krcsim.presets())
def test_an_answer_has_72_columns_of_7_bit_and_at_most_60_lines(preset: str) -> None:
    s = krcsim.load_scenario(preset)
    s = replace(s, horizon_ms=s.warmup_ms + 500.0)
    text = answer_text(compare(s, max_rung=0, command="krcsim reply " + preset))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 72
    assert text.isascii()
    assert "\t" not in text
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) <= 60


def test_an_answer_names_every_remedy_its_bytes_and_the_command() -> None:
    text = answer_text(compare(QUICK, ["A1", "B"], max_rung=1, command="krcsim compare mine"))
    assert "A1" in text
    assert "4216" in text
    assert "krcsim reply mine" in text


def test_of_remedies_that_never_differed_the_number_of_runs_is_said_and_what_it_leaves() -> None:
    result = compare(QUICK, ["A0", "C-A0"], max_rung=1)
    assert "C-A0: no difference from A0 was seen in 16 runs (at most 0.0" in " ".join(answer_text(result).split())


def test_no_proven_difference_is_said_in_these_words() -> None:
    tight = krcsim.changed(QUICK, **{"allocator.spell.head_reclaim": 0.148,
                                     "allocator.spell.head_high": 0.15})  # fmt: skip
    text = answer_text(compare(tight, ["A0", "A1"], max_rung=2))
    assert "no difference from A0 proven at 95 %" in " ".join(text.split())


def test_a_sweep_shows_its_values() -> None:
    text = answer_text(sweep(QUICK, {"remedy": ["A1"], "machine.cpus": [1, 2]}, max_rung=0))
    assert "cpus" in text


def test_a_window_that_is_not_there_is_refused() -> None:
    result = compare(replace(QUICK, warmup_ms=0.0), ["A1"], max_rung=0)
    with pytest.raises(KrcsimError, match="window"):
        answer_text(result, "boot")


def test_a_long_command_is_continued_with_backslashes() -> None:
    command = "krcsim reply thread-as-posted " + "--set workload.rate_hz=1000 " * 6
    text = answer_text(compare(QUICK, ["A1"], max_rung=0, command=command.strip()))
    made = text.split("Made with:\n")[1]
    assert " ".join(made.replace("\\\n", " ").split()) == command.strip()


def test_without_a_call_under_pressure_no_number_is_given() -> None:
    silent = krcsim.changed(QUICK, **{"workload.rate_hz": 0.001})
    result = compare(silent, ["A1"], max_rung=0)
    assert result.get("A1", "p_wait", "steady").kind == "none"
    assert "steady: no call was made under pressure with A1" in " ".join(answer_text(result).split())
