# SPDX-License-Identifier: GPL-2.0-only
"""How far a sweep is: a bar on a terminal, elsewhere a line a minute."""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import pytest

from krcsim.cli.progress import counted_lines, counting, length_of_time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(times: list[float]) -> Any:
    return iter(times).__next__


def test_a_log_gets_a_line_a_minute() -> None:
    lines: list[str] = []
    count = counted_lines(lines.append, ticking([0.0, *(float(t) for t in range(0, 130, 10))]))
    for done in range(13):
        count(done, 100)
    assert len(lines) == 2
    assert all(line.endswith("\n") for line in lines)


def test_the_line_shows_share_rate_and_time_left() -> None:
    lines: list[str] = []
    count = counted_lines(lines.append, ticking([0.0, 0.0, 30.0, 70.0]))
    count(400, 10_000)  # there from before: not counted into the rate
    count(500, 10_000)  # nor is the first task, whose worker had to start
    count(1500, 10_000)
    (line,) = lines
    assert "15 %  1,500 of 10,000 points  25/s  5 min 40 s left" in line


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with counting(quiet=False) as count:
        assert count
        for done in (400, 500, 10_000):
            count(done, 10_000)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "100 %  10,000 of 10,000 points" in plain


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    with counting(quiet=False) as count:
        assert count
        count(1, 2)
    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_time_is_said_in_two_units(seconds: float, words: str) -> None:
    assert length_of_time(seconds) == words
