# SPDX-License-Identifier: GPL-2.0-only
"""One number in a sentence that says how it was found, and all methods beside each other."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.cli.main import main
from krcsim.methods.exact import why_not
from krcsim.methods.finding_verdict import finding_verdict
from krcsim.report.plain_text import WIDTH
from krcsim.results.result import words
from krcsim.studies.all_methods import LARGEST, AllMethods, by_all_methods
from krcsim.studies.all_methods_report import (
    all_methods_result,
    all_methods_table,
    all_methods_text,
    chart_of_all_methods,
    picture_of_all_methods,
    verdict,
)
from krcsim.studies.finding_words import finding_sentences
from krcsim.widgets import RareAndExact
from tests.pictures import texts
from tests.quick import mostly_slow

SMALL = krcsim.load_scenario("small-world")
NEVER = ["--set", "allocator.calm.head=0"]


@pytest.fixture(scope="module")
def both() -> AllMethods:
    """Pools of 0 to 5 objects by each method."""
    return by_all_methods(SMALL, largest=5, max_runs=256)


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["ask", *argv]) == 0
    return capsys.readouterr().out


# ---- one number


def test_the_small_world_fits_the_exact_chain() -> None:
    assert why_not(SMALL) == ""


def test_the_shell_says_what_python_finds(capsys: pytest.CaptureFixture[str]) -> None:
    found = krcsim.ask(SMALL, method="rare", max_runs=32)
    assert (
        asked(capsys, "small-world", "--method", "rare", "--max-runs", "32")
        == f"{finding_verdict(found)}\n\n{finding_sentences(found)}\n"
    )
    assert words(found.estimate) in finding_sentences(found)


def test_machines_get_the_estimate_the_method_and_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = json.loads(asked(capsys, "small-world", "--json"))
    assert told["method"] == "exact"
    assert told["estimate"]["value"] == krcsim.ask(SMALL).estimate.value
    assert told["replications"] > 0
    assert shlex.split(told["command"])[:3] == ["krcsim", "ask", "small-world"]


@pytest.mark.parametrize(
    "option", [["--method", "skipping"], ["--quantity", "blocked"], ["--window", "boot"]], ids=str
)
def test_method_quantity_and_window_are_those_asked_for(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(asked(capsys, "small-world", "--json", "--max-runs", "16", *option))
    assert told[option[0].strip("-")] == option[1]


def test_what_was_not_seen_is_a_bound_and_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    text = asked(capsys, "small-world", "--method", "skipping", "--max-runs", "8")
    assert ": < " in text
    assert "no proof" in text


def test_what_cannot_happen_is_zero_for_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    text = asked(capsys, "small-world", *NEVER)
    assert "0 by construction" in text
    assert "no failure that counts" in text


def test_the_chain_says_that_zero_is_no_small_number(capsys: pytest.CaptureFixture[str]) -> None:
    text = asked(capsys, "small-world", *NEVER, "--method", "exact")
    assert "0: nothing leads to a wait that is as likely as" in text


def test_a_rough_answer_is_said_to_be_a_factor() -> None:
    found = krcsim.ask(SMALL, method="rare", max_runs=8)
    assert found.estimate.kind == "rough"
    assert "an order of magnitude only" in finding_sentences(found)


def test_a_quantity_that_nothing_defined_has_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no answer" in asked(capsys, "small-world", "--quantity", "wait_ms", "--max-runs", "8")


@pytest.mark.parametrize(
    "argv",
    [
        ["phone", "--method", "exact"],
        ["exhausted-guest", "--method", "rare"],
        ["phone", "--method", "guess"],
        ["phone", "--quantity", "x"],
        ["phone", "--quantity", "wait_ms", "--method", "rare"],
        ["phone", "--quantity", "blocked", "--quantity", "p_wait"],
        ["phone", "--of", "pages"],
        ["phone", "--out", "f.png"],
        ["phone", "--set", "warmup_ms=0", "--window", "boot"],
        ["phone", "--precision", "0"],
        ["phone", "--max-runs", "99"],
        ["small-world", "--sizes", "2", "--of", "mix"],
        ["small-world", "--sizes", "1000"],
        ["small-world", "--sizes", "2", "--method", "rare"],
        ["small-world", "--sizes", "2", *NEVER],
    ],
    ids=shlex.join,
)
def test_what_cannot_be_asked_is_refused_in_a_line(
    argv: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ask", *argv]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


# ---- beside each other


@pytest.mark.slow
def test_forks_go_on_where_plain_runs_have_only_a_bound(both: AllMethods) -> None:
    assert both.estimate("skipping", 5).kind == "bound"
    assert both.estimate("rare", 5).kind == "interval"


def test_ranges_hold_the_exact_answer(both: AllMethods) -> None:
    assert both.held("rare")[1] == both.held("skipping")[1] == len(both.rows)
    assert both.held("rare")[0] >= len(both.rows) - 1
    assert f"{both.held('rare')[0]} of {len(both.rows)}" in verdict(both)


def test_a_world_that_the_chain_does_not_follow_has_no_line() -> None:
    found = by_all_methods(krcsim.changed(SMALL, **{"machine.cpus": 2}), largest=1, max_runs=8)
    assert found.estimate("exact", 0).kind == "none"
    assert verdict(found).endswith("(machine.cpus is 2, not 1)")


def test_where_pages_run_out_there_are_no_forks() -> None:
    found = by_all_methods("exhausted-guest", largest=0, max_runs=8)
    assert found.estimate("rare", 0).kind == "none"
    assert found.estimate("skipping", 0).value is not None


def test_sizes_end_where_nothing_would_be_seen() -> None:
    assert len(by_all_methods(SMALL, "pages", largest=8, max_runs=8).rows) < 9


def test_the_exact_answers_are_a_line_and_the_others_dots(both: AllMethods) -> None:
    chart = chart_of_all_methods(both)
    assert [line.look for line in chart.lines] == ["now", "dots", "dots"]
    assert chart.lines[0].x == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)


def test_the_answer_fits_a_list(both: AllMethods) -> None:
    assert max(map(len, all_methods_text(both).splitlines())) <= WIDTH


def test_all_findings_can_be_saved_and_read_again(both: AllMethods, tmp_path: Path) -> None:
    again = krcsim.load_result(all_methods_result(both).save(tmp_path / "r.json"))
    for method in ("exact", "rare"):
        assert again.get(("B3f-own", method), "p_wait", "steady") == both.estimate(method, 3)


@pytest.mark.parametrize(
    "kind", mostly_slow(["png", "svg", "csv", "txt", "json"], "csv", "txt", "json")
)
def test_every_file_alone_makes_itself_again(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    command = ["small-world", "--sizes", "2", "--max-runs", "8"]
    asked(capsys, *command, "--out", str(first))
    text = first.read_bytes().decode("latin-1")
    assert "krcsim ask small-world --sizes 2 --max-runs 8" in " ".join(
        text.replace("\\\n", " ").split()
    )
    asked(capsys, *command, "--out", str(second))
    assert first.read_bytes() == second.read_bytes()


# ---- sliders


@pytest.mark.slow
def test_the_picture_has_the_numbers_of_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explorer = RareAndExact(tmp_path, runs=(8,))
    assert explorer.done is not None
    assert explorer.found is not None
    assert main(shlex.split(explorer.done.answer.command)[1:]) == 0
    assert capsys.readouterr().out == all_methods_table(explorer.found) + "\n"


@pytest.mark.slow
def test_every_control_changes_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for of in ("pool", "pages"):
        monkeypatch.setitem(LARGEST, of, 2)
    explorer = RareAndExact(tmp_path, runs=(8,))
    for control in (*explorer.controls.values(), explorer.of):
        before, was = explorer.image.value, control.value
        others = (
            [v for _, v in control.options if v != was] if control is not explorer.of else ["pages"]
        )
        control.value = others[len(others) // 2]
        assert explorer.image.value != before, control.description
        control.value = was


@pytest.mark.slow
def test_the_size_under_the_slider_is_told_in_words(tmp_path: Path) -> None:
    explorer = RareAndExact(tmp_path, runs=(8,))
    explorer.size.value = 2
    assert explorer.found is not None
    assert f"exact chain {words(explorer.found.estimate('exact', 2))}" in explorer.note.value
    explorer.size.value = 3
    assert "With 3 objects" in explorer.note.value


@pytest.mark.slow
def test_a_size_that_was_left_out_is_not_told_as_if_it_were_there(tmp_path: Path) -> None:
    explorer = RareAndExact(tmp_path, runs=(8,))
    explorer.show_setting(krcsim.changed(SMALL, **{"allocator.calm.head": 0.001}))
    assert explorer.found is not None
    last = len(explorer.found.rows) - 1
    explorer.size.value = 10
    assert f"With {last} objects" in explorer.note.value
    assert f"sizes above {last} are left out" in explorer.note.value


def test_picture_verdict_table_and_the_size_in_words_name_a_method_alike(both: AllMethods) -> None:
    for line in chart_of_all_methods(both).lines:
        assert line.name in all_methods_text(both)
    for line in chart_of_all_methods(both).lines[1:]:
        assert f"{line.name}: " in verdict(both)


def test_the_title_of_the_picture_counts_the_ranges_that_hold_the_exact_answer(
    both: AllMethods,
) -> None:
    chart = chart_of_all_methods(both)
    for line, method in zip(chart.simulated, ("skipping", "rare"), strict=True):
        inside, count = both.held(method)
        assert f"{inside} of {count}" in chart.title
        held = chart.held(line)
        assert (sum(one.holds for one in held), len(held)) == (inside, count)
    assert chart.title in texts(picture_of_all_methods(both).figure)


@pytest.mark.slow
def test_the_small_world_can_be_chosen_again(tmp_path: Path) -> None:
    explorer = RareAndExact(tmp_path, runs=(8,))
    assert explorer.preset.value == "small-world"
    explorer.controls["allocator.calm.head"].value = 0.05
    assert explorer.preset.value == ""
    explorer.preset.value = "small-world"
    assert explorer.scenario == SMALL


@pytest.mark.slow
def test_a_world_that_cannot_be_asked_is_told_and_the_picture_stays(tmp_path: Path) -> None:
    explorer = RareAndExact(tmp_path, runs=(8,))
    before = explorer.image.value
    explorer.show_setting(krcsim.changed(SMALL, **{"allocator.calm.head": 0.0}))
    assert explorer.image.value == before
    assert "no call ever waits" in explorer.status.value


def test_a_method_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="allowed"):
        by_all_methods(SMALL, "bytes")
