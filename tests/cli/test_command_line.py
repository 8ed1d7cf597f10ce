# SPDX-License-Identifier: GPL-2.0-only
"""The command line as a whole: verbs that are files, old names, suggestions, completion, and how
little it imports.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from krcsim.cli.command_line import parsed
from krcsim.cli.main import main
from krcsim.cli.options import Limited, OnScenario, Precise, Seeded, Verb
from krcsim.cli.streams import say
from krcsim.cli.values import FEWEST_RUNS, MOST_RUNS
from krcsim.cli.verbs import VERBS
from krcsim.runs import ladder

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Greet(OnScenario):
    """Say hello to a scenario."""

    verb: ClassVar[str] = "greet"


def greet(options: Greet, command: str) -> None:
    say(f"hello {options.scenario}; {command}")


def test_a_new_verb_needs_its_options_a_function_and_its_place_in_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VERBS, "greet", Verb(Greet, greet))
    assert main(["greet", "phone", "--set", "machine.cpus=2"]) == 0
    assert capsys.readouterr().out == "hello phone; krcsim greet phone --set machine.cpus=2\n"
    assert main(["--help"]) == 0
    assert "Say hello to a scenario" in capsys.readouterr().out
    assert main(["gret", "phone"]) == 2
    assert "did you mean greet?" in capsys.readouterr().err


def test_the_page_names_every_verb() -> None:
    page = (ROOT / "docs/shell.md").read_text(encoding="utf-8")
    for name in VERBS:
        assert f"| `{name} " in page


def test_defaults_are_those_of_python() -> None:
    assert Seeded().seed == ladder.SEED
    assert Precise().precision == ladder.PRECISION
    assert Limited().max_runs == ladder.DEFAULT_RUNS
    assert (FEWEST_RUNS, MOST_RUNS) == (ladder.FIRST_RUNS, ladder.MOST_RUNS)


def test_what_is_quick_imports_nothing_heavy() -> None:
    code = (
        "import sys; from krcsim.cli.main import main; "
        "assert main(['--version']) == main(['show', 'phone']) == main(['show', 'no']) - 2 == 0; "
        "sys.exit(bool({'numba', 'matplotlib', 'scipy'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


# Old names


@pytest.mark.parametrize(
    ("given", "understood", "note"),
    [
        (
            "compare phone --max-rung 2",
            "compare phone --max-runs 32",
            "--max-rung 2 is called --max-runs 32 now",
        ),
        (
            "compare phone --max-rung=0",
            "compare phone --max-runs=8",
            "--max-rung 0 is called --max-runs 8 now",
        ),
        (
            "compare phone --by-spell 3",
            "compare phone --by-episode 3",
            "--by-spell is called --by-episode now",
        ),
        (
            "simulate phone --spell 2 --cpu 1",
            "simulate phone --episode 2 --cpu 1",
            "--spell is called --episode now",
        ),
        (
            "simulate phone --spel 2",
            "simulate phone --episode 2",
            "",
        ),
    ],
)
def test_an_old_option_is_taken_and_the_new_name_said(
    given: str, understood: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parsed(given.split()) == parsed(understood.split())
    assert capsys.readouterr().err == (f"krcsim: note: {note}\n" if note else "")


def test_an_old_field_is_taken_and_the_new_name_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "phone", "--set", "allocator.spell.page=0.5"]) == 0
    out, err = capsys.readouterr()
    assert err == "krcsim: note: allocator.spell.page is called allocator.episode.page now\n"
    assert main(["show", "phone", "--set", "allocator.episode.page=0.5"]) == 0
    assert capsys.readouterr() == (out, "")


# Complaints


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("", "a verb is missing: ask, compare, kernel"),
        ("comprae phone", "'comprae' is not a verb; did you mean compare?"),
        ("frobnicate", "'frobnicate' is not a verb: ask, compare"),
        ("compare", "compare needs a scenario: give the path of a .toml file, or one of: exh"),
        ("compare thread-as-postd", "did you mean thread-as-posted?"),
        ("show phone --set workload.rate=1", "did you mean rate_hz?"),
        ("compare phone --sed 1", "--sed is not an option of compare; did you mean --seed?"),
        (
            "compare phone --window boot",
            "not an option of compare, but of ask, reply, sensitivity, size, sweep",
        ),
        ("compare phone --no-json", "--no-json is not an option of compare"),
        ("compare phone -x", "-x is not an option of compare"),
        ("compare phone --p 3", "--p may be --precision or --pin; write it out"),
        ("compare phone --max 8", "--max may be --max-runs or --max-rung; write it out"),
        ("compare phone --seed", "--seed needs a value; see krcsim compare --help"),
        ("compare phone --seed --json", "--seed needs a value"),
        ("compare phone --seed 1.5", "--seed is '1.5'; allowed: a whole number"),
        ("compare phone --precision x", "--precision is 'x'; allowed: a number"),
        ("compare phone --max-runs 20", "allowed: 8, 16, 32, ... up to 131072 replications; take"),
        ("compare phone --max-runs 20", "take 16 or 32"),
        ("compare phone --max-runs 4", "8 is the least"),
        ("compare phone --max-runs 200000", "131072 is the most"),
        ("compare phone --max-rung 15", "allowed: 0 to 14; it is called --max-runs now"),
        ("ask phone --window bot", "--window is 'bot'; allowed: boot, steady"),
        ("compare phone 7", "'7' is one word too many"),
        ("compare phone --json=3", "--json is '3'"),
        ("--frob", "'--frob' is not a verb"),
        ("--install-completion --shell tcsh", "--shell is 'tcsh'; allowed: "),
    ],
)
def test_a_complaint_is_one_line_that_names_the_way_out(
    argv: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert len(err.removeprefix("krcsim: ")) <= 391


@pytest.mark.parametrize("argv", ["compare phone --seed 1 --seed 2", "compare --seed=2 phone"])
def test_the_last_of_several_values_holds(argv: str) -> None:
    assert parsed(argv.split()) == parsed(["compare", "phone", "--seed", "2"])


def test_a_value_may_begin_with_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "phone", "--seed", "-1"]) == 2
    assert "seed is -1; allowed" in capsys.readouterr().err


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_completion_script_is_written_and_nothing_else(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "script"
    argv = ["--install-completion", "--shell", shell, "--output", str(path)]
    assert main(argv) == 0
    assert str(path) in capsys.readouterr().out
    assert "thread" in path.read_text() or "__complete" in path.read_text()
    assert [*tmp_path.iterdir()] == [path]
    assert main(argv) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_shell_is_that_of_the_environment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert main(["--install-completion"]) == 0
    (written,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert str(written) in capsys.readouterr().out
    monkeypatch.setenv("SHELL", "/bin/false")
    assert main(["--install-completion"]) == 2
    assert "add --shell bash" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("compare th", "thread-as-posted"),
        ("compare phone --set workload.ra", "workload.rate_hz="),
        ("sweep phone --over mach", "machine.cpus="),
        ("compare phone --remedies D", "D5-A1"),
        ("ask phone --quantity p", "p_wait_episode"),
        ("ask phone --method r", "rare"),
        ("size phone --of p", "pages"),
        ("reply ./", ""),
    ],
)
def test_tab_offers_what_can_stand_there(
    words: str, offered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["__complete", *words.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not offered or any(re.match(rf"{re.escape(offered)}(\t|$)", line) for line in lines)


def test_bash_completes_a_field(tmp_path: Path) -> None:
    script = tmp_path / "krcsim.bash"
    assert main(["--install-completion", "--shell", "bash", "--output", str(script)]) == 0
    (tmp_path / "krcsim").write_text(f'#!/bin/sh\nexec {sys.executable} -m krcsim "$@"\n')
    (tmp_path / "krcsim").chmod(0o755)
    code = f"""
    PATH={tmp_path}:$PATH; . {script}
    COMP_WORDS=(krcsim compare phone --set machine.cp); COMP_CWORD=4
    COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
    $(complete -p krcsim | sed 's/.*-F *\\([^ ]*\\).*/\\1/') krcsim machine.cp --set
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "machine.cpus" in done.stdout, done.stderr
