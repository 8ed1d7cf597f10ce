# SPDX-License-Identifier: GPL-2.0-only
"""environment.yml says what pyproject.toml says, and what is installed meets it."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEV = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]

RENAMED = {"matplotlib": "matplotlib-base"}  # on conda-forge, without the Qt that nobody needs
CONDA_ONLY = {"python", "pip"}


def conda_lines(section: str, indent: str = "  ") -> list[str]:
    """The items of one list of environment.yml; a reader for exactly the YAML used there."""
    lines = (ROOT / "environment.yml").read_text().splitlines()
    items = []
    for line in lines[lines.index(f"{section}:") + 1 :]:
        if line and not line.startswith(" "):
            break
        if line.startswith(f"{indent}- "):
            items.append(line.removeprefix(f"{indent}- "))
    return items


def conda() -> dict[str, Requirement]:
    lines = [line for line in conda_lines("dependencies") if line != "pip:"]
    return {r.name: r for r in map(Requirement, lines)}


def test_environment_has_the_same_names_and_bounds() -> None:
    there = {name: r.specifier for name, r in conda().items() if name not in CONDA_ONLY}
    here = {RENAMED.get(r.name, r.name): r.specifier for r in RUNTIME}
    assert there == here


def test_environment_has_the_same_python() -> None:
    assert str(conda()["python"].specifier) == PROJECT["requires-python"]


def test_environment_has_one_channel_and_one_pip_line() -> None:
    assert conda_lines("channels") == ["conda-forge"]
    assert conda_lines("dependencies", indent=" " * 6) == ["-e ."]


@pytest.mark.parametrize("needed", [*RUNTIME, *DEV], ids=lambda r: canonicalize_name(r.name))
def test_installed_version_meets_its_bounds(needed: Requirement) -> None:
    assert needed.specifier.contains(version(needed.name), prereleases=True)


def test_every_bound_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for needed in (*RUNTIME, *DEV):
        lines = [x for x in text.splitlines() if x.strip().startswith(f'"{needed.name}>=')]
        assert lines
        assert all("  # " in x for x in lines), f"{needed.name} stands there without a reason"
