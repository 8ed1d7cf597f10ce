# SPDX-License-Identifier: GPL-2.0-only
"""Below the picture stand table, mail, shell command and Python of the answer that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import krcsim
from krcsim.report.export import Answer
from krcsim.results.result import Result
from krcsim.widgets import ColdStart, HowBig, OneEpisode, PoolOrPages, Pressure, RareAndExact
from krcsim.widgets.explorer import Explorer, not_shown
from krcsim.widgets.python_code import python_code
from tests.quick import mostly_slow

EXPLORERS: dict[str, type[Explorer]] = {
    kind.name: kind for kind in (PoolOrPages, ColdStart, OneEpisode, HowBig, Pressure, RareAndExact)
}
QUICK = (PoolOrPages.name, OneEpisode.name)

pytestmark = pytest.mark.usefixtures("warm_engine")


def made_by(python: str) -> Any:
    """What the lines of the tab Python give."""
    names: dict[str, Any] = {}
    exec(python, names)  # as a person does who copies them
    return names["result"]


def numbers(answer: Answer, found: Any) -> Any:
    """What must be the same: the rows of a result, a finding without its command, an episode."""
    if isinstance(found, Result):
        return found.rows, found.differences
    return getattr(found, "tried", None) or getattr(found, "rows", None) or answer.drawn


@pytest.mark.parametrize("name", mostly_slow(EXPLORERS, *QUICK))
def test_the_lines_of_python_give_the_numbers_on_the_screen(name: str, tmp_path: Path) -> None:
    explorer = EXPLORERS[name](tmp_path, runs=(8,))
    if "machine.cpus" in explorer.controls:
        explorer.controls["machine.cpus"].value = 2
    assert explorer.done is not None
    answer, found = explorer.done.answer, explorer.done.found
    again = made_by(explorer.done.python)
    shown = answer.result if found is None and answer.result else found
    assert numbers(answer, again if shown else None) == numbers(answer, shown)
    if isinstance(explorer, OneEpisode):
        assert again == answer.drawn


def test_a_scenario_is_made_again_with_fields_that_no_slider_has() -> None:
    odd = krcsim.changed(
        krcsim.load_scenario("phone"),
        **{
            "allocator.episodes": "schedule",
            "allocator.schedules": [[[100.0, 400.0], [500.0, float("inf")]], [[50.0, 70.0]]],
            "grace_period.mean_ms": None,
        },
    )
    assert made_by(python_code(odd, "scenario")) == odd


def test_all_tabs_are_of_the_answer_that_is_shown(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path, runs=())
    explorer.controls["workload.rate_hz"].value = 2000.0
    assert explorer.done is not None
    tabs, answer = explorer.answers, explorer.done.answer
    assert tabs.mail.value == answer.text
    assert answer.command.split()[2] in tabs.shell.value
    assert "2000.0" in tabs.python.value
    assert "P(wait) of your setting" in tabs.table.value


def test_the_verdict_stands_above_the_picture(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path, runs=(8,))
    assert explorer.done is not None
    assert explorer.done.verdict
    assert explorer.value.value == explorer.done.verdict
    assert explorer.done.verdict in explorer.browser_side.alt


def test_what_a_table_holds_is_text_and_no_markup(tmp_path: Path) -> None:
    assert "&lt;b&gt;" in not_shown({"<b>": ["<i>"]})
    assert not_shown({}) == ""
    explorer = PoolOrPages(tmp_path, runs=())
    explorer.progress.say_remark("<script>")
    assert "<script>" not in explorer.status.value
