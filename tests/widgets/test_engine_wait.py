# SPDX-License-Identifier: GPL-2.0-only
"""Before the first picture: the person is told what it waits for, and how long."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from krcsim.widgets import PoolOrPages, engine_wait
from krcsim.widgets.latest import Latest


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a first start."""
    monkeypatch.setattr(engine_wait, "_is_ready", threading.Event())
    monkeypatch.setattr(engine_wait, "seconds_to_wait", lambda: 60.0)


@pytest.mark.usefixtures("nothing_compiled")
def test_an_explorer_says_at_once_that_the_engine_is_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is submitted: a cell that runs next would hold up what comes later."""
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    status = PoolOrPages(tmp_path).status
    assert status.value == "Compiling the engine for this machine: about 60 s, once"
    assert "krcsim-status" in status._dom_classes


@pytest.mark.usefixtures("nothing_compiled")
def test_the_bar_goes_on_while_the_engine_is_compiled_and_never_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str] = []

    def compile_slowly() -> None:
        time.sleep(0.2)
        compiled.append("once")

    monkeypatch.setattr(engine_wait, "EACH_S", 0.02)
    monkeypatch.setattr(engine_wait, "LOAD_S", 0.01)
    monkeypatch.setattr(engine_wait, "seconds_to_wait", lambda: 0.1)
    monkeypatch.setattr(engine_wait, "warm_up", compile_slowly)
    shares: list[float] = []
    engine_wait.get_ready(shares.append)
    engine_wait.get_ready(shares.append)
    assert compiled == ["once"]
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] == 0.95


def test_where_compiled_code_is_kept_it_is_loaded_in_seconds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_wait, "_is_ready", threading.Event())
    package: Any = type("package", (), {"__path__": [str(tmp_path)]})
    monkeypatch.setattr(engine_wait.krcsim, "engine", package)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "records.py").write_text("")
    assert engine_wait.sentence(engine_wait.seconds_to_wait()).startswith("Compiling")

    time.sleep(0.02)
    (tmp_path / "__pycache__" / "run.py311.1.nbc").write_text("")
    assert engine_wait.sentence(engine_wait.seconds_to_wait()) == engine_wait.LOADING
