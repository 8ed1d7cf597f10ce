# SPDX-License-Identifier: GPL-2.0-only
"""The benchmarks still start, and their history is read as it was written. How fast anything is, no
test asks.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rarity, record, slider
from benchmarks.__main__ import ALL
from benchmarks.record import Measured, Row
from krcsim.methods.finding import Finding
from krcsim.results.estimate import Estimate

ROOT = Path(__file__).parent.parent
SPEED = Measured("busy4, skipping", 12.3456, "M calls/CPU-s")


def finding(half_width: float, kind: str = "interval") -> Finding:
    e = Estimate(1.0, 1.0 - half_width, 1.0 + half_width, kind)
    return Finding("p_wait", "steady", e, "rare", "", 0, 8, 1.0)


def test_rows_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path, old = tmp_path / "history.csv", record.row(SPEED)
    new = replace(old, name='odd, "name"', value=1e-12)
    record.append([old], path)
    record.append([new], path)
    assert record.read(path) == [old, new]


def test_a_missing_history_is_empty(tmp_path: Path) -> None:
    assert record.read(tmp_path / "history.csv") == []


def test_the_kept_history_can_be_read() -> None:
    rows = record.read()
    assert rows
    assert all(r.value >= 0.0 and r.name and r.unit for r in rows)


def test_change_is_against_the_last_row_of_this_machine() -> None:
    here = record.row(SPEED)
    past = [
        replace(here, value=1.0),
        replace(here, value=10.0),
        replace(here, value=5.0, cpu="another"),
    ]
    assert record.change(replace(SPEED, value=11.0), past).startswith("+10% since")


@pytest.mark.parametrize(
    "field", [{"cpu": "another"}, {"cores": 10_000}, {"name": "another"}, {"unit": "another"}]
)
def test_no_change_is_reported_of_something_else(field: dict[str, object]) -> None:
    other: Row = replace(record.row(SPEED), **field)  # type: ignore[arg-type]
    assert record.change(SPEED, [other]) == ""


def test_a_change_from_zero_is_reported() -> None:
    assert record.change(SPEED, [replace(record.row(SPEED), value=0.0)]).startswith("was 0 since")


def test_half_the_width_costs_four_times() -> None:
    assert rarity.scaled(1.0, finding(0.2)) == pytest.approx(4 * rarity.scaled(1.0, finding(0.1)))


def test_an_order_of_magnitude_has_no_cost() -> None:
    assert rarity.scaled(1.0, finding(0.1, "rough")) == np.inf


def test_names_of_cases_differ() -> None:
    names = [c.name for c in rarity.cases() + rarity.page_cases()]
    assert len(set(names)) == len(names)


def test_an_order_of_magnitude_is_no_hit() -> None:
    f = finding(0.1, "rough")
    assert not slider.Point("", 0.25, f, 0.05, f, 0.05).hit


def test_a_narrow_interval_is_a_hit() -> None:
    f = finding(0.1)
    assert slider.Point("", 0.25, f, 0.05, f, 0.05).hit


@pytest.mark.parametrize("cpus", slider.CPUS)
def test_settings_of_the_slider_hang_on_the_seed(cpus: int) -> None:
    a, b = (slider.setting(np.random.default_rng(3), cpus) for _ in range(2))
    assert a == b
    assert a[0].machine.cpus == cpus


def test_make_bench_names_what_it_measures() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert (out.returncode, out.stderr) == (0, "")
    assert all(name in out.stdout for name in ALL)
