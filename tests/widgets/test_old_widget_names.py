# SPDX-License-Identifier: GPL-2.0-only
"""Notebooks and settings of before: each old name is taken, or refused with the new one."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import krcsim
import krcsim.widgets
from krcsim.widgets import OneEpisode, PoolOrPages
from krcsim.widgets.autosave import restore
from krcsim.widgets.latest import Latest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INCLUDED = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
NEW_NAMES = {
    "krcsim_explorers": "krcsim.widgets",
    "krcsim_report": "krcsim.report",
    "krcsim_studies": "krcsim.studies",
    "krcsim_shell": "krcsim.cli",
    "krcsim_kernel": "krcsim.guest",
}
OLD_SETTING = """
krcsim = 1
[allocator]
spells = "exponential"
spell_ms = 500.0
[allocator.spell]
page = 0.5
[workload]
rate_hz = 700.0
"""


def installed(folder: Path) -> Path:
    """A folder with the modules that an installation puts next to krcsim."""
    for source, target in INCLUDED.items():
        if target.endswith(".py"):
            (folder / target).write_bytes((ROOT / source).read_bytes())
    return folder


def imported(code: str, *path: Path) -> str:
    """The last line that Python says for some code, with some folders in front of its path."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("name", NEW_NAMES)
def test_a_package_of_before_is_refused_in_a_sentence_with_the_new_name(
    name: str, tmp_path: Path
) -> None:
    said = imported(f"from {name}.questions import PoolOrPages", installed(tmp_path))
    assert said.startswith(f"ImportError: {name} is {NEW_NAMES[name]} now: write `")


def test_so_it_is_where_an_old_checkout_left_its_folders(tmp_path: Path) -> None:
    """Folders without modules make empty packages, and stand first on the path."""
    for name in NEW_NAMES:
        (tmp_path / "stale" / name / "__pycache__").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    path = (tmp_path / "stale", installed(tmp_path / "site"))

    said = imported("from krcsim_explorers import PoolOrPages", *path)
    assert "krcsim_explorers is krcsim.widgets now" in said

    said = imported("import krcsim_report.figures", *path)
    assert "krcsim_report is krcsim.report now" in said


@pytest.mark.parametrize("name", krcsim.OLD_NAMES)
def test_a_public_name_of_before_is_taken_with_the_new_one(name: str) -> None:
    new = krcsim.OLD_NAMES[name]
    with pytest.warns(FutureWarning, match=f"krcsim.{name} is called krcsim.{new} now"):
        assert getattr(krcsim, name) is getattr(krcsim, new)


@pytest.mark.parametrize("name", krcsim.widgets.OLD_NAMES)
def test_an_explorer_of_before_is_taken_with_the_new_name(name: str) -> None:
    new = krcsim.widgets.OLD_NAMES[name]
    with pytest.warns(FutureWarning, match=f"{name} is called {new} now"):
        assert getattr(krcsim.widgets, name) is getattr(krcsim.widgets, new)


def test_rungs_are_called_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    with pytest.warns(FutureWarning, match=r"write runs=\(8, 16\)"):
        assert PoolOrPages(tmp_path, rungs=(0, 1)).runs == (8, 16)


def test_settings_and_pins_with_names_of_before_are_back(tmp_path: Path) -> None:
    (tmp_path / "pool-or-pages.autosave.toml").write_text(OLD_SETTING)
    (tmp_path / "pool-or-pages.pin-A.toml").write_text(OLD_SETTING)
    found = restore(tmp_path, "pool-or-pages", 3)
    assert found.setting is not None
    assert found.setting.allocator.episode_ms == 500.0
    assert found.pins == {"A": found.setting}
    assert "is back" in found.message


def test_the_setting_of_an_explorer_that_had_another_name_is_back(tmp_path: Path) -> None:
    (tmp_path / "one-spell.autosave.toml").write_text(OLD_SETTING)
    explorer = OneEpisode(tmp_path)
    assert explorer.controls["workload.rate_hz"].value == 700.0
    assert "is back, from one-spell.autosave.toml" in explorer.status.value
    assert (tmp_path / "one-episode.autosave.toml").exists()


def test_a_loaded_file_with_names_of_before_is_on_the_sliders_and_says_the_new_ones(
    tmp_path: Path,
) -> None:
    (tmp_path / "old.toml").write_text(OLD_SETTING)
    explorer = OneEpisode(tmp_path)
    explorer.file.value = str(tmp_path / "old.toml")
    assert explorer.controls["allocator.episode_ms"].value == 500.0
    assert "allocator.spell_ms is called allocator.episode_ms now" in explorer.status.value
