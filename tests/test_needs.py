# SPDX-License-Identifier: GPL-2.0-only
"""What the tests use besides Python is asked for by what it can do, and named before anything long
is done.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import needs

ROOT = Path(__file__).parent.parent
NOWHERE = needs.Need("a tool", "test", lambda: False, ("a-package", "another"))


def program(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_git_send_email_without_its_perl_module_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian's package is without what it only recommends."""
    tools = tmp_path / "bin"
    program(tools / "git", f"echo {tools}")
    program(tools / "git-send-email", "exit 1")
    program(tools / "perl", 'case "$*" in *Mail::Address*) exit 2; esac')
    monkeypatch.setenv("PATH", str(tools))
    assert not needs.MAIL.here()
    assert "apt install git-email libmailtools-perl" in needs.MAIL.reason()
    program(tools / "perl", "exit 0")
    assert needs.MAIL.here()
    (tools / "git-send-email").unlink()
    assert not needs.MAIL.here()


def test_nothing_is_there_where_there_are_no_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [need for need in needs.NEEDS if need.here()] == []


@pytest.mark.parametrize(("strict", "status"), [("", 0), ("1", 1)])
def test_what_is_missing_is_one_sentence_before_the_work(
    strict: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(needs, "NEEDS", (NOWHERE,))
    monkeypatch.setenv("KRCSIM_NO_SKIP", strict)
    assert needs.main(["test"]) == status
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith("apt install a-package another\n")
    assert needs.main(["validate"]) == 0
    assert capsys.readouterr().err == ""


def test_packages_are_listed_for_who_installs_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(needs, "NEEDS", (NOWHERE,))
    assert needs.main(["all", "--packages"]) == 0
    assert capsys.readouterr() == ("a-package\nanother\n", "")


def test_make_asks_before_it_sets_anything_up() -> None:
    plan = subprocess.run(
        ["make", "-n", "-B", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert plan.index("tests/needs.py test") < plan.index("-m venv") < plan.index("-m pytest")


def test_ci_installs_what_the_tests_ask_for() -> None:
    assert "tests/needs.py all --packages" in (ROOT / ".ci" / "run").read_text()


def test_no_test_looks_for_a_tool_by_itself() -> None:
    """It would be missing from the list that is installed, and named only after the work."""
    for path in (*ROOT.glob("tests/**/*.py"), *ROOT.glob("validation/*.py")):
        if path.name not in ("needs.py", "test_needs.py"):
            assert not re.search(r"skip.*(apt install|is missing)", path.read_text()), path.name
