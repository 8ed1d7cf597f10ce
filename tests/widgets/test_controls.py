# SPDX-License-Identifier: GPL-2.0-only
"""The table of controls: one row is one slider, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

import krcsim
from krcsim.model.scenario import Scenario
from krcsim.widgets import ColdStart, PoolOrPages
from krcsim.widgets.controls import CONTROLS, POOL_OR_PAGES, Control
from krcsim.widgets.latest import Latest


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_each_control_has_a_field_with_a_purpose_and_a_question(control: Control) -> None:
    assert control.purpose()
    assert control.questions
    assert control.value_in(Scenario()) is not None


def test_a_new_row_is_a_new_slider_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "workload.object_bytes"
    row = Control(name, "Object size (bytes)", "kmalloc()", (64, 256, 1024), (POOL_OR_PAGES,))
    monkeypatch.setitem(CONTROLS, name, row)
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    explorer = PoolOrPages(tmp_path)
    explorer.controls[name].value = 1024
    assert explorer.scenario.workload.object_bytes == 1024
    assert explorer.controls[name].tooltip.startswith("kmalloc(): ")
    assert name not in ColdStart(tmp_path).controls


def test_an_odd_value_of_a_loaded_scenario_gets_a_place_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    explorer = PoolOrPages(tmp_path)
    odd = krcsim.changed(krcsim.load_scenario("phone"), **{"workload.rate_hz": 1234.5})
    explorer.show_setting(odd)
    assert explorer.controls["workload.rate_hz"].value == 1234.5
    assert ("1234.5", 1234.5) in explorer.controls["workload.rate_hz"].options
