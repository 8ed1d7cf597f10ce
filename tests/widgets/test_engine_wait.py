# SPDX-License-Identifier: GPL-2.0-only
"""Before the first picture: it is said what the person waits for, and how long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from krcsim.model.scenario import Scenario
from krcsim.runs import engines
from krcsim.runs.engines import FULL, compile_seconds
from krcsim.widgets import AgainstAKernel, PoolOrPages, engine_wait
from krcsim.widgets.latest import Latest

COMPILING = "Compiling the engine for this machine: about 8 s where it is idle, once"


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a first start."""
    monkeypatch.setattr(engine_wait, "seconds_to_compile", lambda _scenario: 8.0)


@pytest.mark.usefixtures("nothing_compiled")
def test_an_explorer_says_at_once_that_the_engine_is_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is submitted: a cell that runs next would hold up what comes later."""
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    for status in (PoolOrPages(tmp_path).status, AgainstAKernel().status):
        assert status.value == COMPILING
        assert "krcsim-status" in status._dom_classes  # a live region in the browser


@pytest.mark.usefixtures("nothing_compiled")
def test_while_the_engine_is_compiled_the_bar_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_wait, "EACH_S", 0.02)
    monkeypatch.setattr(engine_wait, "seconds_to_compile", lambda _scenario: 0.1)
    monkeypatch.setattr(engine_wait, "warm_up", lambda _scenario: time.sleep(0.3))
    shares: list[float] = []
    engine_wait.get_ready(Scenario(), shares.append)
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] == 0.95


def test_where_the_engine_is_there_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_wait, "seconds_to_compile", lambda _scenario: 0.0)
    said: list[object] = []
    engine_wait.get_ready(Scenario(), said.append)
    assert said == []
    assert engine_wait.sentence(engine_wait.seconds_to_wait(Scenario())) == ""


def test_an_episode_waits_for_the_engine_that_logs_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_wait, "seconds_to_compile", lambda _scenario: 0.0)
    monkeypatch.setattr(engine_wait, "is_compiled", lambda version: version is not FULL)
    waits_s = engine_wait.seconds_to_wait(Scenario(), logs_events=True)
    assert waits_s == compile_seconds(FULL)


def test_what_is_announced_on_the_way_is_the_same_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that a screen reader reads it once; see _load() in krcsim.runs.engines."""
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    explorer = PoolOrPages(tmp_path)
    explorer.progress.say_announced(COMPILING[:1].lower() + COMPILING[1:])
    assert explorer.status.value == COMPILING
    assert COMPILING[1:].split(":")[0] in Path(engines.__file__).read_text(encoding="utf-8")


def test_what_later_answers_need_is_compiled_once_for_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Scenario] = []
    monkeypatch.setattr(engine_wait, "_begun", set())
    monkeypatch.setattr(engine_wait, "compile_the_rest", begun.append)
    for _ in range(3):
        engine_wait.compile_what_comes_later("pool-or-pages", Scenario())
    assert begun == [Scenario()]
