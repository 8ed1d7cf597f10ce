# SPDX-License-Identifier: GPL-2.0-only
"""The explorers of a hog's depth and of the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from krcsim.widgets import AgainstAKernel, Pressure, stall_and_wait_ms
from krcsim.widgets.against_a_kernel import sets
from krcsim.widgets.stall_or_wait import DEPTHS, draw_stall_and_wait

pytestmark = pytest.mark.usefixtures("warm_engine")


def test_without_a_hog_failures_are_drawn(tmp_path: Path) -> None:
    explorer = Pressure(str(tmp_path), runs=())
    assert explorer.scenario.memory.pressure == "pages"
    explorer.controls["memory.hog"].value = "none"
    assert explorer.scenario.memory.pressure == "injected"


def test_a_deeper_hog_gives_another_picture(tmp_path: Path) -> None:
    explorer = Pressure(str(tmp_path), runs=())
    before = explorer.image.value
    explorer.controls["memory.hog"].value = "nowait"
    assert explorer.image.value != before
    assert "in reclaim" in explorer.answers.table.value


def test_what_is_left_of_the_reserve_decides_which_is_longer() -> None:
    left, gone = stall_and_wait_ms("atomic", 8), stall_and_wait_ms("reserves", 8)
    assert left["stall"].value > left["wait"].value
    assert gone["stall"].value < gone["wait"].value


def test_all_depths_are_drawn() -> None:
    ax = Figure().subplots()
    assert list(draw_stall_and_wait(ax, replications=4)) == list(DEPTHS)
    assert sorted(ax.get_legend_handles_labels()[1]) == ["grace-period wait", "reclaim stall"]


def test_a_recorded_set_is_shown_with_its_misses() -> None:
    against = AgainstAKernel("pools", runs=(8,))
    assert against.image.value[:4] == b"\x89PNG"
    assert "conditions" in against.status.value
    assert "pools" in against.text.value


def test_every_recorded_set_of_drawn_failures_can_be_chosen() -> None:
    assert {"main", "pool", "rates", "loops", "longgp"} <= set(sets())
    assert not {"real", "gp", "smp"} & set(sets())
