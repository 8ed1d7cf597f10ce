# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim read` and `krcsim record`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import krcsim
from krcsim.cli.main import main
from krcsim.trace.recordings import samples
from tests.trace.test_archive import archive


def output(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 0
    return capsys.readouterr().out


def test_a_scenario_that_was_read_is_taken_as_a_preset(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    said = output(capsys, "read", str(archive(tmp_path)), "--out", str(mine))
    assert "workload.rate_hz = 6.25 calls/s per CPU, 95 %" in said
    assert "125 calls in 10 s on 2 CPUs" in said
    assert krcsim.load_scenario(mine).machine.cpus == 2
    assert "rate_hz = 6.25" in output(capsys, "show", str(mine))


def test_what_the_recording_does_not_know_goes_on_into_answers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    output(capsys, "read", str(archive(tmp_path)), "--draws", "8", "--out", str(mine))
    joint = krcsim.load_joint(mine)
    assert joint is not None
    assert len(joint.draws) == 8
    assert "workload.rate_hz" in joint.varies

    quick = ["--set", "horizon_ms=2500", "--set", "remedy=A0", "--max-runs", "8", "--quiet"]
    said = output(capsys, "ask", str(mine), *quick)
    assert "over 8 draws of what 10 s of recording do not know" in said
    compared = output(capsys, "compare", str(mine), *quick, "--remedies", "A0,A1")
    assert "Intervals hold what 10 s of recording do not know, over 8 draws" in compared
    mailed = output(capsys, "reply", str(mine), *quick, "--remedies", "A0,A1")
    assert "Intervals hold what 10 s of recording do not know." in mailed.replace("\n", " ")
    busy = [*quick, "--set", "workload.rate_hz=2000", "--max-runs", "16"]
    ranked = output(capsys, "sensitivity", str(mine), *busy, "--points", "4")
    assert "recorded" in ranked
    body = json.loads(output(capsys, "ask", str(mine), *quick, "--json"))
    assert body["command"].startswith(f"krcsim ask {mine} --set horizon_ms=2500")
    assert len(body["drawn"]) == 8


def test_without_draws_the_fitted_scenario_is_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine, plain = tmp_path / "mine.toml", tmp_path / "plain.toml"
    read = ["read", str(archive(tmp_path))]
    output(capsys, *read, "--out", str(mine))
    output(capsys, *read, "--draws", "0", "--out", str(plain))
    assert krcsim.load_joint(plain) is None
    assert krcsim.load_scenario(mine) == krcsim.load_scenario(plain)
    quick = ["--set", "horizon_ms=2500", "--max-runs", "8"]
    with_none = output(capsys, "compare", str(mine), "--draws", "0", "--remedies", "A0", *quick)
    assert "recording" not in with_none
    assert with_none == output(capsys, "compare", str(plain), "--remedies", "A0", *quick)


def test_a_sweep_of_a_recorded_scenario_says_that_it_takes_no_draws(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = str(tmp_path / "mine.toml")
    output(capsys, "read", str(archive(tmp_path)), "--out", mine)
    argv = ["compare", mine, "--over", "machine.cpus=1,2", "--max-runs", "8", "--quiet"]
    assert main([*argv, "--set", "horizon_ms=2500"]) == 0
    assert "without its draws" in capsys.readouterr().err


def test_a_field_is_explained_by_evidence_and_lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = output(capsys, "read", str(archive(tmp_path)), "--explain", "workload.rate_hz")
    assert said.startswith("workload.rate_hz = 6.25 calls/s per CPU, 95 %")
    assert "125 calls in 10 s on 2 CPUs." in said
    assert "a.txt lines 20 to 28 (3 of them)" in said


def test_an_assumption_is_explained_as_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = output(
        capsys, "read", str(archive(tmp_path)), "--base", "phone", "--explain", "allocator.stall_ms"
    )
    assert "allocator.stall_ms = 3" in said
    assert "It stays as in phone: an assumption." in said


def test_json_has_every_value_with_its_interval(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    body = json.loads(output(capsys, "read", str(archive(tmp_path)), "--json"))
    rate = next(value for value in body["values"] if value["field"] == "workload.rate_hz")
    assert rate["lo"] < rate["value"] < rate["hi"]
    assert body["not_understood"] == 0


def test_the_command_in_a_scenario_makes_it_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(tmp_path)
    monkeypatch.chdir(tmp_path)
    output(capsys, "read", "a.txt", "--base", "phone", "--out", "one.toml")
    text = (tmp_path / "one.toml").read_text()
    command = text.splitlines()[0].partition(": ")[2]
    assert command == "krcsim read a.txt --base phone"
    output(capsys, *command.split()[1:], "--out", "two.toml")
    assert (tmp_path / "two.toml").read_text() == text


@pytest.mark.usefixtures("warm_engine")
def test_a_check_prints_what_was_recorded_beside_what_is_predicted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = output(capsys, "read", str(samples()["7.3-onoff"]), "--check", "--quiet")
    assert "reproduced\n" in said
    assert "\ngrace periods " in said
    assert "The scenario reproduces what was recorded: runs of the monitor" in said
    body = json.loads(
        output(capsys, "read", str(samples()["7.3-onoff"]), "--check", "--json", "--quiet")
    )
    assert body["predicted_against_recorded"]["is_evidence"] is True
    assert body["command"].endswith("--check")


@pytest.mark.usefixtures("warm_engine")
def test_a_fit_that_is_refused_is_an_error_after_it_was_printed_and_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    argv = ["read", str(samples()["6.12-hog"]), "--check", "--quiet", "--out", str(mine)]
    assert main(argv) == 2
    told = capsys.readouterr()
    assert told.err.startswith("krcsim: Refused as evidence: of page requests of kfree_rcu() ")
    assert told.err.count("\n") == 1
    assert "workload.rate_hz" in told.out
    assert krcsim.load_scenario(mine).machine.cpus == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["read"],
        ["read", "gone.txt"],
        ["read", "bad.txt"],
        ["read", "good.txt", "--explain", "workload.rate"],
        ["read", "good.txt", "--base", "nope"],
        ["read", "good.txt", "--out", "f.png"],
        ["read", "good.txt", "--set", "machine.cups=3"],
        ["read", "good.txt", "--draws", "7"],
        ["read", "good.txt", "--draws", "many"],
        ["compare", "phone", "--draws", "20"],
        ["ask", "phone", "--sizes", "3", "--draws", "20"],
        ["compare", "phone", "--draws", "20", "--by-episode", "2"],
        ["sensitivity", "phone", "--points", "3"],
        ["record", "--seconds", "0"],
        ["record", "--mib", "x"],
        ["record", "--most-cpu", "0"],
        ["record", "--most-cpu", "101"],
        ["record", "--most-cpu", "nan"],
        ["record", "--most-cpu", "1", "--bpftrace"],
        ["record", "--folder", ""],
        ["record", "--set", "machine.cpus=3"],
        ["record", "phone"],
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_in_one_line(
    argv: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bad.txt").write_text("nothing of the kind\n")
    archive(tmp_path, "good.txt")
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("krcsim: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt", "good.txt"]


def test_the_recorder_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "record", "--seconds", "30", "--folder", "a b", "--most-cpu", "0.5")
    assert text.startswith("#!/bin/sh\n")
    assert "\nseconds=30\n" in text
    assert "\nmost_cpu=0.5\n" in text
    assert "\nfolder='a b'\n" in text
    assert "# krcsim record --seconds 30" in text


def test_what_vmstat_and_the_log_say_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    log.write_text("[5.0] app: page allocation failure: order:0, mode:0x800(GFP_NOWAIT)\n")
    said = output(capsys, "read", str(archive(tmp_path)), str(log)).replace("\n", " ")
    assert "allocstall rose by 3, pgscan_kswapd by 0" in said
    assert "the log has 1 failed allocations" in said


@pytest.mark.parametrize("words", [("--replay",), ("--arrivals", "replay")], ids=str)
def test_a_recording_is_replayed_and_its_command_makes_it_again(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    archive(tmp_path)
    monkeypatch.chdir(tmp_path)
    said = output(capsys, "read", "a.txt", *words, "--out", "one.toml")
    assert "workload.calls = 125 calls of 2 CPUs in 10 s" in said
    text = (tmp_path / "one.toml").read_text()
    command = text.splitlines()[0].partition(": ")[2]
    assert command == "krcsim read a.txt --replay"
    scenario = krcsim.load_scenario(tmp_path / "one.toml")
    assert scenario.workload.arrivals == "replay"
    assert "queued 125, freed 125" in output(capsys, "simulate", "one.toml")


def test_json_says_a_recording_in_words_and_holds_it_in_the_scenario(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    body = json.loads(output(capsys, "read", str(archive(tmp_path)), "--replay", "--json"))
    calls = next(value for value in body["values"] if value["field"] == "workload.calls")
    assert calls["value"] == "125 calls of 2 CPUs in 10 s"
    assert len(body["scenario"]["workload"]["calls"]["cpus"]) == 2
    explained = output(capsys, "read", str(archive(tmp_path)), "--replay", "--explain",
                       "workload.calls")  # fmt: skip
    assert explained.startswith("workload.calls = 125 calls of 2 CPUs in 10 s")
