# SPDX-License-Identifier: GPL-2.0-only
"""The explorers of a hog's depth and of the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, exact
from krcsim.results.result import number
from krcsim.studies.compare import compare
from krcsim.widgets import AgainstAKernel, Pressure, stall_and_wait_ms
from krcsim.widgets.against_a_kernel import sets
from krcsim.widgets.controls import values_of
from krcsim.widgets.setting import scenario_with
from krcsim.widgets.stall_or_wait import DEPTHS, draw_stall_and_wait, which_is_longer

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


def test_all_depths_are_drawn_with_their_numbers() -> None:
    ax = Figure().subplots()
    found = draw_stall_and_wait(ax, replications=4)
    assert list(found) == list(DEPTHS)
    said = [text.get_text().strip() for text in ax.texts]
    for lengths in found.values():
        for name, estimate in zip(
            ("reclaim stall", "grace-period wait"), lengths.values(), strict=True
        ):
            there = (
                "no " + name if estimate.value is None else f"{name}: {number(estimate.value)} ms"
            )
            assert there in said


def test_the_title_says_where_a_stall_is_the_longer_one() -> None:
    found = {
        "nowait": {"stall": NOTHING, "wait": NOTHING},
        "atomic": {"stall": exact(16.0), "wait": exact(11.0)},
        "reserves": {"stall": exact(2.0), "wait": exact(11.0)},
    }
    assert which_is_longer(found) == (
        "A reclaim stall is longer than the wait for a grace period where memory is taken to "
        "the ATOMIC mark (16 against 11 ms), shorter where the reserves are gone, too (2 against "
        "11 ms)."
    )
    alike = {"atomic": {"stall": exact(11.0), "wait": exact(11.0)}}
    assert "not proven" in which_is_longer(alike)


@pytest.mark.parametrize("hog", ["nowait", "atomic", "reserves", "none"])
def test_each_control_that_is_shown_moves_the_answer(tmp_path: Path, hog: str) -> None:
    explorer = Pressure(str(tmp_path), runs=())
    explorer.controls["memory.hog"].value = hog
    setting = explorer.scenario
    hidden = explorer.without_effect(setting)
    before = answer_to(setting)
    for field, widget in explorer.controls.items():
        if field in hidden or field == "memory.hog":
            continue
        others = [value for value in values_of(widget) if value != widget.value]
        values = {name: control.value for name, control in explorer.controls.items()}
        tried = [
            explorer.fitted(scenario_with(explorer.base, values | {field: value}))
            for value in (others[-1], others[0])
        ]
        assert any(answer_to(scenario) != before for scenario in tried), field


def answer_to(scenario: Scenario) -> list[str]:
    """What is said of a setting: waits, and the time in stalls and in waits."""
    result = compare(scenario, ["own"], max_runs=8, budget=0.0)
    return [
        str(result.get("own", quantity, "steady")) for quantity in ("p_wait", "stalled", "blocked")
    ]


def test_a_recorded_set_is_shown_with_its_misses() -> None:
    against = AgainstAKernel("pools", runs=(8,))
    assert against.image.value[:4] == b"\x89PNG"
    assert "conditions" in against.status.value
    assert "pools" in against.text.value


def test_every_recorded_set_of_drawn_failures_can_be_chosen() -> None:
    assert {"main", "pool", "rates", "loops", "longgp"} <= set(sets())
    assert not {"real", "gp", "smp"} & set(sets())
