# SPDX-License-Identifier: GPL-2.0-only
"""Standard output and error that are closed, full, gone, or without a sign for what is said: a
line, and status 2.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.cli import progress, streams
from krcsim.cli.main import main

ROOT = Path(__file__).parents[2]
QUICK = "--max-runs 8 --set horizon_ms=2500"
ANSWERS = [
    "--help",
    "--version",
    "compare --help",
    "show",
    "show phone",
    f"compare phone {QUICK}",
    f"compare phone {QUICK} --json",
    f"sweep phone {QUICK} --over machine.cpus=1,2",
    "ask small-world",
    "ask small-world --json",
    "ask small-world --sizes 2 --max-runs 8",
    "size phone --target 0.5 --max-runs 8",
    f"reply phone {QUICK}",
    "simulate phone",
    "simulate phone --episode 1",
    "simulate phone --json",
    "kernel exhausted-guest",
]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(
    not FULL.exists(), reason="this system has no /dev/full (Linux has one)"
)
LONG = (
    "compare",
    "sweep",
    "size",
    "reply",
)  # these tell their progress where the engine is compiled on the way
each_answer = pytest.mark.parametrize("words", ANSWERS)


def krcsim_in(shell: str, words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command line of krcsim with what a shell puts behind it."""
    command = f"{shlex.quote(sys.executable)} -m krcsim {words} {shell}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | env,
        errors="replace",
    )


def one_line(told: str) -> bool:
    return told.startswith("krcsim: ") and told.count("\n") == 1 and "Traceback" not in told


@needs_full
@each_answer
def test_a_full_disk_behind_the_output_is_told_in_one_line(
    words: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FULL.open("w") as full, monkeypatch.context() as there:
        there.setattr(sys, "stdout", full)
        try:
            status = main(
                [
                    *shlex.split(words),
                    *["--quiet"] * ("phone" in words and words.split()[0] in LONG),
                ]
            )
        except SystemExit as exc:
            status = exc.code
    told = capfd.readouterr().err
    assert (status, one_line(told)) == (2, True), told
    assert "standard output cannot be written" in told


@each_answer
def test_a_closed_output_is_told_before_the_work(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(shlex.split(words)) == 2
    monkeypatch.undo()
    told = capsys.readouterr().err
    assert one_line(told)
    assert "standard output is closed" in told


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(">&-", marks=pytest.mark.slow),
        "| true",
        pytest.param(">&- 2>&-", marks=pytest.mark.slow),
        pytest.param("> /dev/full", marks=[needs_full, pytest.mark.slow]),
        pytest.param("> /dev/full 2>&1", marks=[needs_full, pytest.mark.slow]),
    ],
)
def test_the_process_ends_with_status_2_and_not_with_120_or_a_traceback(shell: str) -> None:
    done = krcsim_in(f"{shell}; exit ${{PIPESTATUS[0]}}", "simulate phone --events 20000")
    assert done.returncode == 2
    assert one_line(done.stderr) or "2>&" in shell and not done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "shell",
    [
        "2>&-",
        pytest.param("2> /dev/full", marks=[needs_full, pytest.mark.slow]),
        pytest.param("2>&1 >/dev/null | true", marks=pytest.mark.slow),
    ],
)
def test_an_answer_needs_no_standard_error(shell: str) -> None:
    done = krcsim_in(f"{shell}; exit ${{PIPESTATUS[0]}}", "ask small-world")
    assert done.returncode == 0
    assert ("P(wait)" in done.stdout) == ("/dev/null" not in shell)


@pytest.mark.parametrize("shell", ["2>&-", pytest.param("2> /dev/full", marks=needs_full)])
def test_what_is_wrong_has_status_2_though_nobody_hears_it(shell: str) -> None:
    assert krcsim_in(shell, "show no-such-scenario").returncode == 2
    assert krcsim_in(shell, "frobnicate").returncode == 2


@pytest.mark.slow
def test_a_reader_that_goes_away_in_the_middle_of_a_table_is_told_in_one_line() -> None:
    done = krcsim_in(
        "| head -c 5000; exit ${PIPESTATUS[0]}", "simulate thread-as-posted --events 20000"
    )
    assert done.returncode == 2
    assert one_line(done.stderr)
    assert "went away" in done.stderr
    assert len(done.stdout) == 5000


@pytest.mark.slow
def test_an_output_without_a_sign_for_a_quote_is_told_in_one_line_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_text(
        "From: a@example.org\nSubject: x\nMessage-ID: <a@b.c>\n"
        "Content-Type: text/plain; "
        "charset=utf-8\n\nGrüße\n",
        encoding="utf-8",
    )
    words = f"reply phone {QUICK} --parent {mail} --quote 1"
    done = krcsim_in("", words, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (2, "")
    assert one_line(done.stderr)
    assert re.search(r"ascii and has no sign for '\\xfc'.*PYTHONIOENCODING=utf-8", done.stderr)
    assert "> Grüße" in krcsim_in("", words, PYTHONIOENCODING="utf-8").stdout


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"krcsim {krcsim.__version__}\n"


def test_progress_is_told_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.reporting(quiet=False, every_s=1e-3) as told:
        assert told
        told("64 replications")
        while "64 replications" not in (said := capsys.readouterr().err):
            pass
    assert re.fullmatch(r"(krcsim: .*; \d+ s so far\n)+", said)


def test_quick_work_tells_nothing_and_quiet_work_never(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.reporting(quiet=False) as told:
        assert told
        told("8 replications")
    with progress.reporting(quiet=True, every_s=1e-3) as nobody:
        assert nobody is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "words",
    [
        f"compare phone {QUICK}",
        "ask phone --max-runs 8 --method skipping",
        "ask small-world --sizes 2 --max-runs 8",
        "size phone --target 0.5 --max-runs 8",
    ],
)
def test_every_long_verb_tells_its_progress(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            heard.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(shlex.split(words)) == 0
    assert any(re.search(r"replications|of|:", text) for text in heard)
    assert main([*shlex.split(words), "--quiet"]) == 0
    monkeypatch.undo()
    assert capsys.readouterr().out


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_full_standard_error_ends_no_sweep(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    monkeypatch.setattr(progress, "COUNT_EVERY_S", 0.0)
    with progress.counting(quiet=False) as count:
        assert count
        for done in range(5):
            count(done, 4)


def test_a_closed_output_is_no_reason_for_a_traceback_in_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(KrcsimError, match="closed"):
        streams.say("x")


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "krcsim/cli").glob("*.py")),
    ids=lambda path: path.stem,
)
def test_the_shell_writes_in_one_place(path: Path) -> None:
    if path.stem != "streams":
        assert not re.search(r"\bprint\(|std(out|err)\.write", path.read_text())
