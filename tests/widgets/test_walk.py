# SPDX-License-Identifier: GPL-2.0-only
"""Whoever moves the controls of an explorer in any order gets an answer or a sentence, never an
error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import krcsim
from krcsim.cli.main import main
from krcsim.report.episode import one_episode
from krcsim.widgets import ColdStart, HowBig, OneEpisode, PoolOrPages
from krcsim.widgets.explorer import Explorer
from tests.walk import EXPLORERS, walk

pytestmark = pytest.mark.usefixtures("warm_engine")
MOVES = {
    "01": 200,
    "02": 200,
    "03": 200,
    "04": 30,
    "05": 200,
    "06": 20,
    "09": 10,
}  # `python -m tests.walk` takes more
SEED = 20200404
EMPTY = {"workload.rate_hz": 1.0, "allocator.episode_ms": 10.0}  # ten ms in which no call comes


SLOW = ("04", "05", "06", "09")  # take longest


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in EXPLORERS],
)
def test_a_random_walk_ends_in_no_error(name: str) -> None:
    assert [*walk(EXPLORERS[name], SEED, MOVES[name], most=5e4)] == []


def test_an_episode_in_which_nothing_happened_is_drawn_in_a_shell(tmp_path: Path) -> None:
    sets = [word for path, value in EMPTY.items() for word in ("--set", f"{path}={value}")]
    ends = ("png", "svg", "pdf", "csv", "json", "txt")
    outs = [word for end in ends for word in ("--out", str(tmp_path / f"s.{end}"))]
    assert main(["simulate", "phone", "--episode", "1", *sets, *outs]) == 0
    assert len([*tmp_path.iterdir()]) == 6


def test_an_episode_in_which_nothing_happened_is_on_the_sliders(tmp_path: Path) -> None:
    explorer = OneEpisode(tmp_path, "phone")
    for path, value in {"workload.rate_hz": 10.0, "allocator.episode_ms": 10.0}.items():
        explorer.controls[path].value = value
    for number in range(1, 12):
        explorer.which.value = number
        assert "error" not in explorer.status.value
        assert explorer.episode is not None
        assert explorer.episode.number == number
        explorer._next_wait()
        explorer.browser_side.at = 0.5


@pytest.mark.parametrize("cpu", [0, 7])
def test_an_episode_without_any_event_of_a_cpu_has_a_picture(cpu: int) -> None:
    world = krcsim.changed(krcsim.load_scenario("phone"), **EMPTY)
    episodes = [
        one_episode(world, number=n, cpu=cpu, replication=k) for k in range(4) for n in (1, 2)
    ]
    empty = [episode for episode in episodes if not [e for e in episode.events if e.cpu >= 0]]
    assert empty
    assert empty[0]._repr_png_().startswith(b"\x89PNG")


def explorer_of(kind: type[Explorer], tmp_path: Path, **fields: Any) -> Explorer:
    """An explorer with a loaded scenario."""
    explorer = kind(tmp_path, runs=())
    path = tmp_path / "mine.toml"
    path.write_text(
        krcsim.toml_text(krcsim.changed(krcsim.load_scenario("thread-as-posted"), **fields))
    )
    explorer.file.value = str(path)
    return explorer


@pytest.mark.parametrize("kind", [PoolOrPages, HowBig])
def test_a_value_that_contradicts_another_moves_to_the_nearest_that_fits(
    kind: Any, tmp_path: Path
) -> None:
    explorer = explorer_of(kind, tmp_path)
    explorer.controls["grace_period.mean_ms"].value = 10
    explorer.controls["machine.hz"].value = 100  # a scan of 10 ms fits no more than once
    explorer.controls["machine.cpus"].value = 128
    assert "Not possible" not in explorer.status.value
    assert explorer.scenario.machine.cpus == 128


def test_a_question_that_has_no_answer_is_said_in_a_sentence_and_is_no_error(
    tmp_path: Path,
) -> None:
    explorer = explorer_of(ColdStart, tmp_path, **{"allocator.episodes": "none"})
    assert "error" not in explorer.status.value
    assert "without episodes" in explorer.status.value
