# SPDX-License-Identifier: GPL-2.0-only
"""Files, settings and constructors with old names: read, or answered with the new name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import krcsim
from krcsim.base import old_names
from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import data_folder, load_scenario, presets, read_scenario

OLD_OF = {new: old for old, new in old_names.FIELDS.items()}


def with_old_names(text: str) -> str:
    """A scenario file of today as it was written before episodes were called so."""
    for new, old in OLD_OF.items():
        section, name = new.split(".")
        text = text.replace(f"[{new}]", f"[{old}]")
        text = re.sub(rf"^{name}\b", old.removeprefix(f"{section}."), text, flags=re.M)
    return text


@pytest.mark.parametrize("name", presets())
def test_a_scenario_file_of_before_is_the_same_scenario(name: str, tmp_path: Path) -> None:
    text = (data_folder() / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
    old = with_old_names(text)
    assert old != text
    (tmp_path / "old.toml").write_text(old, encoding="utf-8")
    with pytest.warns(FutureWarning, match=r"^allocator\.spell.* is called allocator\.episode"):
        found = read_scenario(tmp_path / "old.toml")
    assert found == load_scenario(name)


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("allocator.spells", "allocator.episodes", "none"),
        ("allocator.spell_ms", "allocator.episode_ms", 7.0),
        ("allocator.spell.page", "allocator.episode.page", 0.25),
        ("allocator.spell", "allocator.episode", {"page": 0.25}),
    ],
)
def test_an_old_field_is_set_and_the_new_name_is_said(old: str, new: str, value: Any) -> None:
    with pytest.warns(FutureWarning, match=f"^{re.escape(old)} is called {re.escape(new)} now$"):
        found = changed(Scenario(), **{old: value})
    assert found == changed(Scenario(), **{new: value})


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_field_that_is_given_by_both_names_is_refused() -> None:
    for call in (
        lambda: changed(Scenario(), **{"allocator.spell_ms": 5, "allocator.episode_ms": 6}),
        lambda: from_dict({"allocator": {"spell_ms": 5, "episode_ms": 6}}),
    ):
        with pytest.raises(KrcsimError, match=r"give allocator\.episode_ms only$"):
            call()


@pytest.mark.parametrize(("new", "old"), OLD_OF.items())
def test_a_class_that_is_made_with_an_old_name_says_the_new_one(new: str, old: str) -> None:
    name, given = (path.removeprefix("allocator.") for path in (new, old))
    with pytest.raises(KrcsimError, match=rf"write Allocator\({name}=\.\.\.\)$"):
        krcsim.Allocator(**{given: 1})


def test_an_old_quantity_is_known_by_its_new_name() -> None:
    with pytest.warns(FutureWarning, match="^p_wait_spell is called p_wait_episode now$"):
        assert old_names.quantity("p_wait_spell") == "p_wait_episode"
    assert old_names.quantity("p_wait") == "p_wait"
