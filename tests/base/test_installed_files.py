# SPDX-License-Identifier: GPL-2.0-only
"""What the package reads at run time is found from a checkout and goes into a wheel."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from krcsim.guest import build
from krcsim.model.scenario_file import data_folder, presets

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "__init__.pyi",
        "widgets/guard.js",
        "guest/module/krcmeter.c",
        "guest/module/init",
    ],
)
def test_a_file_that_is_no_module_lies_in_the_package(name: str) -> None:
    assert resources.files("krcsim").joinpath(name).is_file()


def test_data_lie_next_to_the_package_and_go_into_a_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["krcsim"]
    assert wheel["force-include"]["data"] == "krcsim/data"
    assert data_folder() == ROOT / "data"
    assert "phone" in presets()


def test_the_sources_of_the_guest_are_those_of_the_package() -> None:
    assert build.sources() == ROOT / "krcsim" / "guest" / "module"
