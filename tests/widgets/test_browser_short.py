# SPDX-License-Identifier: GPL-2.0-only
"""Two notebooks in a real Chromium, the short form for each day: sliders, picture, export.

test_browser.py has all notebooks and all that a person can do with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import krcsim
from krcsim.widgets.controls import CONTROLS
from tests.browser import CHROMIUM, Notebook, notebooks_in_a_browser
from tests.needs import BROWSER

pytestmark = [
    pytest.mark.usefixtures("warm_engine"),
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=BROWSER.reason()),
]
POOL_OR_PAGES, ONE_EPISODE = "01_pool_or_pages", "02_one_episode"
PAGE_FAILS = "allocator.episode.page"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Notebook]]:
    with notebooks_in_a_browser(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pool_or_pages(opened: Callable[[str], Notebook]) -> Notebook:
    return opened(POOL_OR_PAGES)


def test_sliders_moved_by_keyboard_and_by_mouse_change_the_picture(
    pool_or_pages: Notebook,
) -> None:
    notebook = pool_or_pages
    notebook.begin()
    before = notebook.picture()

    notebook.handle(CONTROLS[PAGE_FAILS].label).press("ArrowLeft")
    notebook.follows(PAGE_FAILS)
    after_key = notebook.picture()
    assert after_key.pixels != before.pixels

    was = notebook.value("workload.rate_hz")
    notebook.drag(CONTROLS["workload.rate_hz"].label, notebook.farther("workload.rate_hz"))
    notebook.until(lambda: notebook.value("workload.rate_hz") != was, f"other value than {was}")
    notebook.follows("workload.rate_hz")
    notebook.until(lambda: notebook.picture().pixels != after_key.pixels, "other picture")


def test_the_setting_is_kept_and_a_preset_is_back_on_the_sliders(pool_or_pages: Notebook) -> None:
    notebook = pool_or_pages
    notebook.until(lambda: notebook.kept() == notebook.drawn(), "setting next to the notebook")
    notebook.choose("Preset", "Phone, light load")
    notebook.until(lambda: notebook.says(krcsim.load_scenario("phone")), "phone on the sliders")
    notebook.until(lambda: " phone " in notebook.answer(), "answer for the phone")


def test_export_writes_all_kinds_of_files_next_to_the_notebook(pool_or_pages: Notebook) -> None:
    files = pool_or_pages.export()
    kinds = {".png", ".svg", ".pdf", ".csv", ".toml", ".json", ".txt"}
    assert {path.suffix for path in files} == kinds
    assert {path.parent for path in files} == {pool_or_pages.folder / "krcsim-export"}


def test_an_episode_is_gone_through_event_by_event(
    pool_or_pages: Notebook, opened: Callable[[str], Notebook]
) -> None:
    pool_or_pages.calm()
    notebook = opened(ONE_EPISODE)
    notebook.begin()
    notebook.until(
        lambda: notebook.picture().stamp.endswith(f" event {notebook.event()}"),
        "picture of the event under the slider",
    )
    number = notebook.event()
    notebook.press("Step")
    notebook.until(lambda: notebook.event() == number + 1, "next event")
    notebook.until(
        lambda: notebook.picture().stamp.endswith(f" event {number + 1}"), "picture of it"
    )
    notebook.press("Next wait")
    notebook.until(lambda: "synchronize_rcu()" in notebook.rule(), "wait")


@pytest.mark.parametrize("name", [POOL_OR_PAGES, ONE_EPISODE])
def test_nothing_went_wrong_meanwhile(opened: Callable[[str], Notebook], name: str) -> None:
    assert opened(name).tracebacks() == []
    assert opened(name).console == []
    assert opened(name).too_wide() == []
