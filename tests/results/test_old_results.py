# SPDX-License-Identifier: GPL-2.0-only
"""Result files of before are read with the names of today, or refused with how to go on."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario_file import toml_text
from krcsim.report.reply import answer_text
from krcsim.results.result import BASE, Result, load_result, scenario_of
from krcsim.results.result_format import FORMAT

# Written by versions with those formats, of `thread-as-posted` with warmup_ms = 500 and
# horizon_ms = 3000, for 8 replications.
OLD = Path(__file__).parent / "old_results"
EPISODES = [OLD / "spells-1.json", OLD / "spells-2.json"]


def quietly(path: Path) -> Result:
    """The result of a file, which is read without a warning: nobody typed the old names now."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_result(path)


def given(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


@pytest.mark.parametrize("path", sorted(OLD.glob("*.json")), ids=lambda path: path.stem)
def test_an_old_result_keeps_every_number(path: Path, tmp_path: Path) -> None:
    found = quietly(path)
    old = given(path)
    at = old["columns"].index("value")
    assert [row[at : at + 5] for row in found.rows] == [
        tuple(row[at : at + 5]) for row in old["rows"]
    ]
    assert found.columns == ("remedy", *BASE)
    assert len(found.differences) == len(old["differences"])
    assert load_result(found.save(tmp_path / "today.json")) == found
    assert f'"format": "{FORMAT}"' in found.to_json()


@pytest.mark.parametrize("path", EPISODES, ids=lambda path: path.stem)
def test_a_spell_is_an_episode_now(path: Path) -> None:
    found = quietly(path)
    assert found.windows() == ["episode 1", "episode 2 on"]
    assert found.get("A1", "p_wait_episode", "episode 1").value
    assert found.get("A1", "p_episode", "episode 1").value
    assert "spell" not in json.dumps([found.rows, found.differences])


@pytest.mark.parametrize("path", sorted(OLD.glob("*.json")), ids=lambda path: path.stem)
def test_the_scenario_of_an_old_result_has_todays_names(path: Path) -> None:
    s = scenario_of(quietly(path))
    assert (s.warmup_ms, s.allocator.episode_ms) == (500.0, 500.0) if path not in EPISODES else True
    assert "spell" not in toml_text(s)
    assert "krcsim" in answer_text(quietly(path))


def test_how_a_row_was_found_is_nothing_where_the_file_does_not_say() -> None:
    first, second = map(quietly, EPISODES)
    assert {row[-1] for row in first.rows} == {None}
    assert {row[-1] for row in second.rows} <= {"skipping", "rare", "by construction", "bound"}


def test_a_format_to_come_is_refused_with_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(given(OLD / "compare-2.json") | {"format": "krcsim-result/99"}))
    with pytest.raises(KrcsimError) as caught:
        load_result(path)
    text = str(caught.value)
    assert "has the format 'krcsim-result/99'" in text
    assert "read it with the krcsim that wrote it, or make it again, by 'krcsim compare" in text
