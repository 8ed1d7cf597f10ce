# SPDX-License-Identifier: GPL-2.0-only
"""A scenario with draws: one file holds both, and who knows nothing of draws reads the scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.joint import Joint, fewer, joint_text, load_joint, with_changes
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario, read_scenario

POSTED = load_scenario("thread-as-posted")
DRAWS = tuple(
    changed(
        POSTED, **{"workload.rate_hz": 900.0 + 20.0 * n, "allocator.episode.page": 0.9 - n / 99}
    )
    for n in range(10)
)
JOINT = Joint(POSTED, DRAWS, ("workload.rate_hz", "allocator.episode.page"), ("machine.hz",), 60.0)


def test_a_file_holds_the_scenario_and_its_draws(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(joint_text(JOINT, "a title"))
    assert load_joint(path) == JOINT
    assert read_scenario(path) == POSTED


def test_a_plain_scenario_has_no_draws(tmp_path: Path) -> None:
    path = tmp_path / "plain.toml"
    path.write_text("krcsim = 1\n")
    assert load_joint(path) is None


def test_what_is_set_is_set_in_every_draw_and_no_longer_uncertain() -> None:
    set_in_all = with_changes(JOINT, **{"workload.rate_hz": 5.0, "machine.hz": 100})
    assert {draw.workload.rate_hz for draw in set_in_all.draws} == {5.0}
    assert set_in_all.varies == ("allocator.episode.page",)
    assert set_in_all.assumed == ()


def test_a_section_that_is_set_takes_its_fields_along() -> None:
    other = load_scenario("phone").allocator
    assert with_changes(JOINT, allocator=other).varies == ("workload.rate_hz",)


def test_fewer_draws_are_the_first_ones() -> None:
    assert fewer(JOINT, 8).draws == DRAWS[:8]


@pytest.mark.parametrize("draws", [-1, 1, 7, 11])
def test_draws_that_are_not_there_are_refused(draws: int) -> None:
    with pytest.raises(KrcsimError, match=r"allowed: 8 to 10.*krcsim read"):
        fewer(JOINT, draws)


@pytest.mark.parametrize(
    "table",
    [
        "recording = 3",
        "[recording]\nseconds = 1",
        "[recording]\nseconds = -1.0\nvaries = []\nassumed = []\ndraw = []",
        "[recording]\nseconds = 1.0\nvaries = [1]\nassumed = []\ndraw = []",
        "[recording]\nseconds = 1.0\nvaries = []\nassumed = []\ndraw = []",
        "[recording]\nseconds = 1.0\nvaries = []\nassumed = []\ndraw = [" + "{}," * 300 + "]",
        "[recording]\nseconds = 1.0\nvaries = []\nassumed = []\ndraw = ["
        + '{"machine.cups" = 1},' * 9
        + "]",
    ],
)
def test_a_file_that_lies_is_refused_in_a_line(table: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f"krcsim = 1\n{table}\n")
    with pytest.raises(KrcsimError) as told:
        load_joint(path)
    assert "\n" not in str(told.value)
    assert "bad.toml" in str(told.value)
