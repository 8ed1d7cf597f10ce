# SPDX-License-Identifier: GPL-2.0-only
"""The sliders without a browser: what they compute, show and save."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

import krcsim
from krcsim.__main__ import main
from krcsim.explore import CONTROLS, PRESETS, PoolOrPages, fitted
from krcsim.latest import Latest, Ticket
from krcsim.run import Stopped
from krcsim.study import SEED, compare


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> PoolOrPages:
    return PoolOrPages(tmp_path_factory.mktemp("out"), rungs=(0, 1))


@pytest.mark.parametrize("name", PRESETS.values())
def test_a_preset_is_exactly_on_the_sliders(explorer: PoolOrPages, name: str) -> None:
    explorer.preset.value = name
    assert explorer.scenario == fitted(krcsim.load_scenario(name))


def test_the_numbers_are_those_of_the_shell(explorer: PoolOrPages) -> None:
    explorer.preset.value = "thread-as-posted"
    explorer.sliders["workload.rate_hz"].value = 2000.0
    assert explorer.result is not None
    there = compare(explorer.scenario, ["own"], seed=SEED, max_rung=1, precision=0.01)
    here = explorer.result.get("own", "p_wait", "steady")
    assert here == there.get("own", "p_wait", "steady")
    assert explorer.picture is not None
    assert explorer.picture.here[1] == here


def test_the_command_of_an_answer_makes_it_again(
    explorer: PoolOrPages, capsys: pytest.CaptureFixture[str]
) -> None:
    explorer.preset.value = "phone"
    explorer.sliders["machine.cpus"].value = 2
    assert explorer.result is not None
    command = str(explorer.result.provenance["command"]).split()
    assert main(command[1:]) == 0
    assert capsys.readouterr().out == explorer.answer.value


def test_what_is_saved_is_what_is_drawn_though_a_slider_has_moved_on(
    explorer: PoolOrPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer.preset.value = "thread-as-posted"
    drawn = explorer.scenario
    with monkeypatch.context() as later:
        later.setattr(explorer._latest, "submit", lambda _value: None)  # its answer is not there yet
        explorer.sliders["machine.cpus"].value = 8
        files = {p.suffix: p for p in explorer.export()}
    assert krcsim.load_scenario(files[".toml"]) == drawn != explorer.scenario


def test_every_slider_changes_the_picture(explorer: PoolOrPages) -> None:
    explorer.preset.value = "thread-as-discussed"
    for control in CONTROLS:
        slider = explorer.sliders[control.field]
        before, was = explorer.image.value, slider.value
        slider.value = control.values[1] if was == control.values[0] else control.values[0]
        assert explorer.image.value != before, control.label
        slider.value = was


def test_saving_twice_overwrites_nothing(explorer: PoolOrPages) -> None:
    first, second = explorer.export(), explorer.export()
    assert len(first) == len(second) == 6
    assert not set(first) & set(second)
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_a_saved_scenario_and_result_can_be_read(explorer: PoolOrPages) -> None:
    files = {p.suffix: p for p in explorer.export()}
    assert krcsim.load_scenario(files[".toml"]) == explorer.scenario
    assert krcsim.load_result(files[".json"]) == explorer.result
    assert files[".txt"].read_text() == explorer.answer.value


@pytest.mark.skipif(os.name != "posix", reason="needs a device that is always full")
def test_an_unwritable_folder_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    explorer = PoolOrPages(blocked, rungs=(0,))
    assert explorer.export() == []
    assert "Not saved" in explorer.status.value
    assert blocked.read_text() == "not a folder"


def test_the_newest_value_wins_and_the_first_result_is_never_starved() -> None:
    shown: list[Any] = []

    def work(ticket: Ticket) -> Any:
        for step in range(50):
            if ticket.stop[0]:
                raise Stopped
            time.sleep(0.002)
            yield ticket.value, step

    async def drag() -> None:
        latest = Latest(work, shown.append, lambda _state: None, Stopped)
        for value in range(10):
            latest.submit(value)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)

    asyncio.run(drag())
    assert shown[-1] == (9, 49)
    assert len({value for value, _ in shown}) >= 5


def test_cancel_stops_at_once_and_an_error_is_told() -> None:
    states: list[str] = []

    def work(ticket: Ticket) -> Any:
        if ticket.value == "bad":
            raise ValueError("no such thing")
        while not ticket.stop[0]:
            time.sleep(0.001)
        raise Stopped
        yield

    async def use() -> None:
        latest = Latest(work, lambda _result: None, states.append, Stopped)
        latest.submit("long")
        await asyncio.sleep(0.05)
        latest.cancel()
        await asyncio.sleep(0.05)
        latest.submit("bad")
        await asyncio.sleep(0.05)

    asyncio.run(use())
    assert states == ["running", "stopped", "running", "error: no such thing"]
