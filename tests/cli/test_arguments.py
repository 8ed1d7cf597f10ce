# SPDX-License-Identifier: GPL-2.0-only
"""What a command line gives: understood as it was meant, never dropped, and made again by the
command in each file.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from krcsim import KrcsimError, changed, load_scenario, toml_text
from krcsim.base.files import write_all
from krcsim.cli.arguments import pinned, scenario_from
from krcsim.cli.command_line import parsed, understood
from krcsim.cli.made_with import command_of
from krcsim.cli.main import main
from krcsim.cli.verbs.compare import Compare
from krcsim.model.scenario_file import value_from

QUICK = ["--max-runs", "8", "--set", "horizon_ms=2500", "--remedies", "A1"]


def again(*argv: str) -> str:
    """The command that makes the same."""
    options, words = understood(argv)
    assert options
    return command_of(options, words)


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ("size mix.toml --of mix", "size phone --of mix"),
        ("size phone --of mix", "size phone --of mix"),
        ("compare compare.toml --remedies compare", "compare phone --remedies compare"),
        ("compare phone --max-rung 0 --rem A1,B", "compare phone --max-runs 8 --remedies A1,B"),
        ("compare phone --seed=7 --out f.png --dpi 90 --json", "compare phone --seed 7"),
        ("compare phone --over= --max-runs=64", "compare phone --max-runs 64"),
        ("ask phone --sizes 0", "ask phone --sizes 0"),
        ("simulate phone --every-call --events 5", "simulate phone --every-call --events 5"),
        ("reply phone --quote --out --window boot", "reply phone --window boot"),
        ("compare phone --pin mix.toml", "compare phone --pin phone"),
        ("compare phone --set 'remedy = A1'", "compare phone --set 'remedy=A1'"),
        ("show", "show"),
    ],
)
def test_the_command_is_made_of_what_was_understood(
    argv: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mix.toml", "compare.toml"):
        (tmp_path / name).write_text(toml_text(load_scenario("phone")), encoding="utf-8")
    words = shlex.split(argv.replace("--over= ", "").replace("--quote --out ", "--quote=--out "))
    assert shlex.split(again(*words)) == ["krcsim", *shlex.split(command)]


def test_a_pin_needs_no_file_of_its_own(tmp_path: Path) -> None:
    mine = changed(load_scenario("phone"), **{"machine.cpus": 3})
    (tmp_path / "own.toml").write_text(toml_text(mine), encoding="utf-8")
    words = shlex.split(
        again("compare", "phone", "--pin", f"{tmp_path}/own.toml --set workload.rate_hz=77")
    )
    options = parsed(words[1:])
    assert isinstance(options, Compare)
    assert "own.toml" not in " ".join(words)
    assert pinned(options.pin[0]) == changed(mine, **{"workload.rate_hz": 77})


def test_a_number_with_a_line_break_makes_no_broken_line() -> None:
    assert again("compare", "phone", "--seed", "7\n") == "krcsim compare phone --seed 7"


def test_a_scenario_that_is_too_long_for_a_line_stays_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lengths = [float(12 + n % 9) for n in range(20_000)]
    long = changed(
        load_scenario("phone"),
        **{"grace_period.kind": "empirical", "grace_period.lengths_ms": lengths},
    )
    (tmp_path / "mine.toml").write_text(toml_text(long), encoding="utf-8")
    assert (
        again("compare", str(tmp_path / "mine.toml"), "--seed", "7")
        == "krcsim compare scenario.toml --seed 7"
    )
    assert (
        main(["compare", str(tmp_path / "mine.toml"), *QUICK, "--out", str(tmp_path / "f.toml")])
        == 0
    )
    capsys.readouterr()
    made = (tmp_path / "f.toml").read_text(encoding="utf-8")
    assert max(map(len, made.splitlines()[:2])) < 400
    assert load_scenario(tmp_path / "f.toml") == changed(long, horizon_ms=2500)


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line with which a command line is refused."""
    try:
        status: Any = main([*argv])
    except SystemExit as exc:
        status = exc.code
    told = capsys.readouterr().err
    assert status == 2
    assert told.count("\n") == 1
    assert len(told) <= 400
    return told


BAD = [
    ("twice", ["--set", "machine.cpus=2", "--set", "machine.cpus=3"]),
    ("twice", ["--over", "machine.cpus=2", "--over", "machine.cpus=3"]),
    ("does nothing together with --over", ["--remedies", "A1", "--over", "machine.cpus=2,3"]),
    ("does nothing together with --over", ["--by-episode", "3", "--over", "machine.cpus=2,3"]),
    ("--by-episode is -1", ["--by-episode=-1"]),
    ("machine.cpus is '1111", ["--set", "machine.cpus=" + "1" * 5000]),
    ("machine.cpus is '[[[", ["--set", "machine.cpus=" + "[" * 3000]),
    ("the range of", ["--over", "workload.rate_hz=1:" + "9" * 400 + ":3"]),
    ("--pin", ["--pin", ""]),
    ("--pin", ["--pin", "--set machine.cpus=2"]),
    ("close the quotes", ["--pin", "phone --set 'a"]),
    ("--pin", ["--pin", "phone --help"]),
    ("a line of UTF-8 text", ["--remedies", "A1\udcff"]),
    ("a line of UTF-8 text", ["--set", "remedy=A1\nB"]),
    ("given twice", ["--out", "f.png", "--out", "./f.png"]),
    ("cannot be a file's name", ["--out", "x" * 300 + ".png"]),
    ("a line of UTF-8 text", ["--out", "a\0b.png"]),
]


@pytest.mark.parametrize(("word", "words"), BAD, ids=[f"{n} {x[0]}" for n, x in enumerate(BAD)])
def test_nothing_that_is_given_is_dropped_or_ends_in_a_traceback(
    word: str,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert word in refused(capsys, "compare", "phone", "--max-runs", "8", *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "argv"),
    [
        (
            "--remedies does not go with --into",
            "sweep phone --into t.csv --sample machine.cpus=1:4 --points 4 --remedies A1",
        ),
        (
            "--by-episode does not go with --into",
            "sweep phone --into t.csv --sample machine.cpus=1:4 --points 4 --by-episode 3",
        ),
        (
            "twice",
            "sweep phone --into t.csv --sample machine.cpus=1:2 --sample machine.cpus=1:3 --points "
            "4",
        ),
        (
            "the range of",
            f"sweep phone --into t.csv --sample workload.rate_hz=1:{'9' * 400} --points 4",
        ),
        ("cannot be a file's name", f"sweep phone --into {'x' * 300} --over machine.cpus=2,3"),
        ("no such file", "sweep phone --into t.csv --over machine.cpus=2,3 --on dask:nofile.json"),
        ("does nothing without --episode", "simulate phone --cpu 1"),
        ("does nothing together with --episode", "simulate phone --episode 1 --every-call"),
        ("does not change a saved result", "reply r.json --set machine.cpus=2"),
        ("does not change a saved result", "reply r.json --seed 5"),
        ("--pin is not an option of reply, but of compare, sweep", "reply phone --pin phone"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    word: str,
    argv: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert word.lower() in refused(capsys, *argv.split()).lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sets", [["remedy.nr_bkv_objs=3", "remedy=E1"], ["remedy=E1", "remedy.nr_bkv_objs=3"]]
)
def test_a_section_is_set_first_and_then_single_fields_in_either_order(sets: list[str]) -> None:
    options = parsed(["show", "phone", *(word for x in sets for word in ("--set", x))])
    wanted = changed(changed(load_scenario("phone"), remedy="E1"), **{"remedy.nr_bkv_objs": 3})
    assert scenario_from(options) == wanted
    assert wanted.remedy.head_alloc == "none"


@pytest.mark.parametrize(
    "text", ["1\ny = 2", "1" * 5000, "[" * 3000, "a" + ".a" * 50_000, "\0", "", "{x = 1", "2 2"]
)
def test_a_value_that_is_no_toml_is_a_word(text: str) -> None:
    assert value_from(text) == text


# Files


def test_several_files_are_written_all_or_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.csv").write_text("mine")
    (tmp_path / "second.svg").mkdir()
    out = [
        x for name in ("old.csv", "new.toml", "second.svg") for x in ("--out", str(tmp_path / name))
    ]
    refused(capsys, "compare", "phone", *QUICK, *out, "--overwrite")
    assert sorted(x.name for x in tmp_path.iterdir()) == ["old.csv", "second.svg"]
    assert (tmp_path / "old.csv").read_text() == "mine"
    moves: list[Path] = []
    replace = Path.replace

    def third_fails(new: Path, path: Path) -> Path:
        moves.append(path)
        if len(moves) == 3:
            raise OSError(28, "No space left on device")
        return replace(new, path)

    monkeypatch.setattr(Path, "replace", third_fails)
    names = [tmp_path / name for name in ("old.csv", "new.csv", "last.csv")]
    with pytest.raises(KrcsimError, match="No space left"):
        write_all(dict.fromkeys(names, b"new"), overwrite=True)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["old.csv", "second.svg"]
    assert (tmp_path / "old.csv").read_text() == "mine"


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_a_new_file_is_as_readable_as_the_umask_says_and_a_replaced_one_as_it_was(
    mask: int, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        write_all({tmp_path / "new": b""})
        (tmp_path / "old").write_text("")
        (tmp_path / "old").chmod(0o640)
        write_all({tmp_path / "old": b"new"}, overwrite=True)
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
