# SPDX-License-Identifier: GPL-2.0-only
"""The shell: the notebook's numbers, one line for what is wrong, nothing half-written."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

import krcsim
from krcsim.cli.main import main
from krcsim.model.remedy_list import listed
from krcsim.studies.compare import compare

QUICK = ["--max-runs", "8", "--set", "horizon_ms=2500"]


def output(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 0
    return capsys.readouterr().out


def test_the_shell_prints_what_python_computes(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "compare", "phone", "--remedies", "A1,B", "--json", "--max-runs", "16")
    there = compare(krcsim.load_scenario("phone"), ["A1", "B"], max_runs=16)
    assert json.loads(text)["rows"] == [list(row) for row in there.rows]


def test_the_command_in_a_result_makes_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    first = output(capsys, "compare", "phone", "--json", *QUICK)
    command = json.loads(first)["provenance"]["command"]
    assert output(capsys, *command.split()[1:], "--json") == first


def test_a_scenario_shown_can_be_read_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(output(capsys, "show", "phone", "--set", "machine.cpus=2"))
    assert krcsim.load_scenario(path).machine.cpus == 2
    assert output(capsys, "compare", str(path), *QUICK)


def test_simulate_prints_events_and_counters(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "simulate", "phone", "--events", "5")
    assert "boot" in text
    assert "steady: single" in text


def test_a_figure_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output(capsys, "compare", "phone", *QUICK, "--out", str(tmp_path / "f.svg"))
    assert "krcsim compare phone" in (tmp_path / "f.svg").read_text()


@pytest.mark.slow
def test_figures_are_identical_for_identical_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for kind in ("png", "svg", "pdf"):
        for n in (1, 2):
            output(capsys, "compare", "phone", *QUICK, "--out", str(tmp_path / f"{n}.{kind}"))
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()


BAD = [
    ["compare", "phone", "--set", "machine.cpus=0"],
    ["compare", "phone", "--set", "machine.cpus=2.5"],
    ["compare", "phone", "--set", "machine.cpus=many"],
    ["compare", "phone", "--set", "machine.cups=4"],
    ["compare", "phone", "--set", "workload.rate_hz=1e12"],
    ["compare", "phone", "--set", "workload.rate_hz=nan"],
    ["compare", "phone", "--set", "workload.rate_hz=inf"],
    ["compare", "phone", "--set", "horizon_ms=0"],
    ["compare", "phone", "--set", "horizon_ms=1e300"],
    ["compare", "phone", "--set", "workload.producers=3"],
    ["compare", "phone", "--set", "workload.producers=1000000000"],
    ["compare", "phone", "--set", "workload.loop=closed", "--set", "workload.producers=100000"],
    ["compare", "phone", "--set", "machine"],
    ["compare", "phone", "--set", "machine.cpus.x=1"],
    [
        "compare",
        "phone",
        "--set",
        "allocator.episode.head=0.1",
        "--set",
        "allocator.episode.page=2",
    ],
    ["compare", "phone", "--remedies", "A1,nope"],
    ["compare", "phone", "--remedies", ""],
    ["compare", "phone", "--max-rung", "99"],
    ["compare", "phone", "--max-rung", "x"],
    ["compare", "phone", "--max-runs", "0"],
    ["compare", "phone", "--max-runs", "20"],
    ["compare", "phone", "--max-runs", "262144"],
    ["compare", "phone", "--max-runs", "9" * 4000],
    ["compare", "phone", "--max", "8"],
    ["compare", "phone", "--seed", "-1"],
    ["compare", "phone", "--seed", "x"],
    ["compare", "phone", "--precision", "0"],
    ["compare", "nope"],
    ["compare", "no/such/file.toml"],
    ["compare", "."],
    ["compare"],
    ["sweep", "phone", "--over", "workload.rate_hz="],
    ["sweep", "phone", "--over", "workload.rate=1,2"],
    ["sweep", "phone", "--over", "workload.rate_hz=1:2:1000000"],
    ["sweep", "phone", "--over", "workload.rate_hz=1:x:3"],
    ["sweep", "phone", "--sample", "workload.rate_hz=1:2", "--points", "5"],
    ["sweep", "phone", "--over", "workload.rate_hz=1,2", "--quantity", "x"],
    ["sweep", "phone", "--on", "processes"],
    ["sweep", "phone", "--into", "t.csv"],
    ["sweep", "phone", "--into", "t.csv", "--sample", "workload.rate_hz=1:2"],
    ["sweep", "phone", "--into", "t.csv", "--sample", "workload.rate_hz=2", "--points", "5"],
    ["sweep", "phone", "--into", "t.csv", "--over", "workload.rate=1,2"],
    ["sweep", "phone", "--into", "t.csv", "--over", "workload.rate_hz=1,2", "--on", "mars"],
    ["sweep", "phone", "--into", "t.csv", "--over", "workload.rate_hz=1,2", "--workers", "-1"],
    ["sweep", "phone", "--into", "t.csv", "--over", "workload.rate_hz=1,2", "--out", "f.png"],
    ["sweep", "phone", "--into", "t.csv", "--over", "workload.rate_hz=1,2", "--quantity", "x"],
    ["sweep", "phone", "--into", "no/t.csv", "--over", "workload.rate_hz=1,2"],
    [
        "sweep",
        "phone",
        "--into",
        "t.csv",
        *(
            x
            for f in ("rate_hz=1:9:9999", "single_share=0:1:9999", "vmalloc_share=0:1:9999")
            for x in ("--over", f"workload.{f}")
        ),
    ],
    ["simulate", "phone", "--events", "-1"],
    ["simulate", "phone", "--replication", "-1"],
    ["reply", "nope.json"],
    ["reply"],
    ["reply", "--claim", "Q77"],
    ["reply", "phone", "--claim", "Q7"],
    ["reply", "--claim", "Q7", "--max-runs", "8"],
    ["reply", "--claim", "Q7", "--out", "no-subject.eml"],
    ["compare", "phone", "--out", "no/such/folder/r.json"],
    ["compare", "phone", "--out", "f.gif"],
    ["compare", "phone", "--max-runs", "8", "--out", "f.png", "--dpi", "0"],
    ["compare", "phone", "--max-runs", "8", "--out", "f.png", "--dpi", "100000"],
    ["compare", "phone", "--max-runs", "8", "--pin", "no-such"],
    ["compare", "phone", "--max-runs", "8", "--by-episode", "-1"],
    ["compare", "phone", "--max-runs", "8", "--by-episode", "1000"],
    ["simulate", "phone", "--episode", "99"],
    ["simulate", "phone", "--episode", "1", "--replication", "-1"],
    ["simulate", "phone", "--episode", "1", "--seed", "-1"],
    ["simulate", "phone", "--episode", "1", "--out", "f.gif"],
    ["compare", "phone", "--max-runs", "8", *["--pin", "phone"] * 9],
    ["simulate", "phone", "--episode", "1", "--cpu", "99"],
    ["simulate", "phone", "--out", "f.png"],
    ["reply", "phone", "--max-runs", "8", "--quote", "3"],
    ["reply", "phone", "--max-runs", "8", "--parent", "no-such.eml"],
    ["reply", "phone", "--max-runs", "8", "--in-reply-to", "a@b\nBcc: c@d"],
    ["reply", "phone", "--max-runs", "8", "--in-reply-to", "a@b", "--out", "no-subject.eml"],
    ["size", "phone", "--target", "0"],
    ["size", "phone", "--target", "many"],
    ["size", "phone", "--of", "bytes"],
    ["size", "phone", "--quantity", "p_wait", "--quantity", "blocked"],
    ["size", "phone", "--target", "1e-3", "--beside", "-1"],
    ["size", "phone", "--target", "1e-3", "--out", "f.gif"],
    ["frobnicate"],
    [],
]


@pytest.mark.parametrize("argv", BAD, ids=lambda a: " ".join(a) or "nothing")
def test_a_bad_command_line_gets_one_line_and_status_2(
    argv: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(argv)
    except SystemExit as exc:
        status = exc.code
    told = capsys.readouterr().err
    assert status == 2
    assert told.count("\n") == 1
    assert told.startswith("krcsim: ")
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "x", "krcsim = 2", "[machine]\ncpus = [", "\x00", "a = 1"])
def test_a_file_that_is_no_scenario_gets_one_line(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    status = main(["show", str(path)])
    told = capsys.readouterr().err
    assert status == (0 if text == "" else 2)
    assert told.count("\n") == (0 if text == "" else 1)


def test_an_existing_file_is_kept_unless_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    path.write_text("mine")
    assert main(["compare", "phone", *QUICK, "--out", str(path)]) == 2
    assert path.read_text() == "mine"
    assert "--overwrite" in capsys.readouterr().err
    assert main(["compare", "phone", *QUICK, "--out", str(path), "--overwrite"]) == 0
    assert krcsim.load_result(path).points()


def test_a_comparison_goes_episode_by_episode(capsys: pytest.CaptureFixture[str]) -> None:
    for count in ("1", "2"):
        text = output(
            capsys, "compare", "phone", *QUICK, "--by-episode", count, "--remedies", "cold"
        )
        assert f"episode {count} on:" in text
        assert "p_wait_episode" in text


def test_a_scenario_file_is_not_needed_to_make_a_figure_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = krcsim.changed(krcsim.load_scenario("phone"), **{"machine.cpus": 3})
    (tmp_path / "mine ü.toml").write_text(krcsim.toml_text(mine))
    output(
        capsys, "compare", str(tmp_path / "mine ü.toml"), *QUICK, "--out", str(tmp_path / "f.csv")
    )
    command = (tmp_path / "f.csv").read_text().split("# again: ")[1].splitlines()[0]
    assert "mine" not in command
    words = shlex.split(command)[1:-2]
    output(capsys, *words, "--out", str(tmp_path / "g.csv"))
    assert (tmp_path / "f.csv").read_bytes() == (tmp_path / "g.csv").read_bytes()


def test_a_reply_is_drafted_under_the_lines_it_answers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mail, answer = tmp_path / "mail.txt", tmp_path / "answer.eml"
    mail.write_text("Hi Vlad,\n\nOne concern I have.\n")
    said = output(
        capsys,
        "reply",
        "phone",
        *QUICK,
        "--parent",
        str(mail),
        "--in-reply-to",
        "a@b.c",
        "--quote",
        "concern",
        "--subject",
        "Re: x",
        "--out",
        str(answer),
    )
    assert "nothing was sent" in said
    assert "git send-email" in said
    text = answer.read_text()
    assert "In-Reply-To: <a@b.c>" in text
    assert re.search(r"\n> One concern I have\.\n\nWith \S+ .* waits? for a\sgrace", text)
    assert "Hi Vlad" not in text
    assert "--parent" not in text


def test_what_a_reply_cannot_keep_is_said_on_stderr(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mail, answer = tmp_path / "mail.eml", tmp_path / "answer.eml"
    mail.write_text(
        "From: Ina <ina@example.org>\nCc: jo@xxxxxxx\nSubject: x\nMessage-ID: a@b.c\n\nIt waits.\n"
    )
    command = [
        "reply",
        "phone",
        *QUICK,
        "--parent",
        str(mail),
        "--quote",
        "1",
        "--out",
        str(answer),
    ]
    assert main(command) == 0
    assert (
        "krcsim: note: left out, for want of an address to mail to: jo@xxxxxxx; add them"
        in capsys.readouterr().err
    )
    assert "jo@" not in answer.read_text()
    assert main([*command, "--overwrite", "--to", "a@b.cd", "--cc", "e@f.gh"]) == 0
    assert capsys.readouterr().err == ""


def test_a_grid_that_is_too_wide_for_a_mail_is_saved_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    grid = (
        "machine.cpus=1,2",
        "workload.rate_hz=100,200",
        "allocator.episode.page=0.5,0.9",
        "grace_period.expedited_median_ms=0.1,0.2",
    )
    over = [word for values in grid for word in ("--over", values)]
    output(capsys, "sweep", "phone", *QUICK, *over, "--out", str(tmp_path / "grid.json"))
    assert len(krcsim.load_result(tmp_path / "grid.json").points()) == 16


def test_a_grid_takes_the_own_remedy_reserves_on_it_and_lists(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    s = krcsim.changed(krcsim.load_scenario("phone"), horizon_ms=2500)
    for names, there in (("own,B3-own", ["own", "B3-own"]), ("cold", [*listed("cold", s)])):
        rows = json.loads(
            output(capsys, "sweep", "phone", *QUICK, "--over", f"remedy={names}", "--json")
        )["rows"]
        assert list(dict.fromkeys(row[0] for row in rows)) == there
        alike = compare(s, there, max_runs=8)
        assert [tuple(row[1:]) for row in rows] == [tuple(row[1:]) for row in alike.rows]
    table = tmp_path / "t.csv"
    output(
        capsys,
        "sweep",
        "phone",
        *QUICK,
        "--over",
        "remedy=own,B3-own",
        "--into",
        str(table),
        "--quiet",
    )
    assert [line.split(",")[1] for line in table.read_text().splitlines()[-2:]] == ["own", "B3-own"]
