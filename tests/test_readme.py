# SPDX-License-Identifier: GPL-2.0-only
"""README and docs/: pictures and tables are what their commands give, and every command runs."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import krcsim
from benchmarks.figures import BEGIN, DOCS, END, PICTURES, around_the_finding, draw, finding
from krcsim.cli.main import main
from krcsim.model.remedy import THREAD
from tests.quick import mostly_slow

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WITH_COMMANDS = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("tutorial", "reply", "size")),
]

THREAD_PAGE = (DOCS / "thread.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", mostly_slow(PICTURES, "one-episode"))
def test_a_picture_carries_the_hash_of_what_its_command_gives(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path / "again.csv")
    made = re.search(r"^# hash: (\w+)$", (tmp_path / "again.csv").read_text(), re.M)
    assert made is not None
    with Image.open(DOCS / f"{name}.png") as picture:
        assert f"hash: {made[1]}" in picture.text["Description"]


def test_the_readme_fits_a_screen_and_shows_the_picture() -> None:
    assert len(README.splitlines()) <= 50
    assert "](docs/pool-or-pages.png)" in README


@pytest.mark.slow
def test_the_finding_of_the_readme_is_what_its_runs_say() -> None:
    assert around_the_finding(README)[1] == finding()


def test_what_a_command_writes_into_the_readme_does_not_begin_a_line() -> None:
    """A comment at the begin of a line makes HTML of the whole line, and its links stay text."""
    assert re.findall(r"^<!--.*", README, re.M) == []


def test_every_notebook_is_on_the_map() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"](notebooks/{path.name})" in README


@pytest.mark.slow
def test_the_table_of_the_thread_agrees_with_a_run_of_another_seed() -> None:
    block = THREAD_PAGE.split(BEGIN)[1].split(END)[0]
    printed = {row.split("|")[1].strip(): row.split("|")[2] for row in block.split("\n")[2:8]}
    assert tuple(printed) == THREAD
    answer = krcsim.compare(krcsim.load_scenario("thread-as-posted"), max_runs=256, seed=1)
    for remedy, cell in printed.items():
        mine = answer.get(remedy, "p_wait", "steady")
        numbers = [float(x) for x in re.findall(r"[0-9.]+(?:e-?\d+)?", cell)]
        if "<" in cell:
            assert mine.kind == "bound"
        else:
            value, low, high = numbers
            assert low <= value <= high
            assert max(low, mine.lo or 0) <= min(high, mine.hi or 0) * 1.05


def commands(page: Path) -> list[list[str]]:
    """The words of each krcsim command that a page shows as an example, in order."""
    shown = re.findall(r"^    (?:\.venv/bin/)?krcsim (.+)$", page.read_text(encoding="utf-8"), re.M)
    return [shlex.split(line, comments=True) for line in shown]


def made_short(words: list[str]) -> list[str]:
    """The command with as few replications as there can be, and without what comes after them."""
    if "--claim" in words:  # its numbers are kept
        return words
    if words[0] in ("compare", "sweep", "reply") and not words[1].endswith(".json"):
        return [*words, "--max-runs", "8", "--budget", "0"]
    if words[0] == "size":
        return [*words, "--max-runs", "64", "--budget", "1e6"]
    return words


MAIL = (
    """\
From: A Developer <developer@example.org>
To: rcu@example.org
Subject: [PATCH] an emergency pool
Message-ID: <1@example.org>
Date: Fri, 3 Apr 2020 19:30:51 +0200

Hello,

how often does a caller wait
with two pages per CPU?
"""
    + "And with three?\n" * 9
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a mail to answer."""
    (tmp_path / "mail.eml").write_text(MAIL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(page: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert commands(page)
    for words in commands(page):
        status = main(made_short(words))
        said = capfd.readouterr()
        open_size = words[0] == "size" and status == 2 and said.out
        assert status == 0 or open_size, (words, said.err)
        assert said.out


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
def test_every_command_of_the_readme_runs_as_it_is_written() -> None:
    for words in commands(ROOT / "README.md"):
        assert main(words) == 0, words


def test_every_target_of_make_that_a_page_names_exists() -> None:
    targets = {
        target
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md"))
        for target in re.findall(r"(?:`|^    )make ([a-z][\w-]*)", page.read_text(), re.M)
    }
    assert {"lab", "test", "validate"} <= targets
    plan = ["make", "-n", *sorted(targets)]
    made = subprocess.run(plan, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
