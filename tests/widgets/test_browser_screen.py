# SPDX-License-Identifier: GPL-2.0-only
"""The first notebook on screens of several sizes, light and dark: what is seen without scrolling,
and what follows the screen while a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from krcsim.widgets.controls import CONTROLS, MOST_ON_A_TAB
from tests.browser import (
    CHROMIUM,
    DESKTOP,
    LAPTOP,
    NARROW,
    ZOOMED,
    Notebook,
    Screen,
    notebooks_in_a_browser,
)
from tests.needs import BROWSER

pytestmark = [
    pytest.mark.usefixtures("warm_engine"),
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=BROWSER.reason()),
]
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
PICTURE, CONTROLS_BOX, VERDICT, PROGRESS = (
    "img",
    ".krcsim-controls",
    ".krcsim-verdict",
    ".krcsim-progress",
)
ACTIONS = ".krcsim-actions"
NO_CLIPBOARD = """() => Object.defineProperty(navigator, "clipboard", {
    configurable: true, value: {writeText: () => Promise.reject(new DOMException("no"))}})"""
SELECTED = """() => document.activeElement.value?.slice(
    document.activeElement.selectionStart, document.activeElement.selectionEnd)
    ?? getSelection().toString()"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    with notebooks_in_a_browser(tmp_path_factory.mktemp("lab")) as open_notebook:
        yield open_notebook("01_pool_or_pages")


@pytest.fixture
def notebook(opened: Notebook) -> Iterator[Notebook]:
    yield opened
    opened.calm()
    opened.screen(*LAPTOP)
    opened.theme(LIGHT)


def test_after_run_all_everything_that_matters_is_on_a_laptops_first_screen(
    notebook: Notebook,
) -> None:
    """The first test of the module: nobody has scrolled yet."""
    notebook.until(notebook.is_drawn_as_shown, "picture of the size that there is")
    seen, *parts = notebook.edges(ACTIONS, PICTURE, CONTROLS_BOX, VERDICT, PROGRESS)
    for name, part in zip("actions picture controls verdict progress".split(), parts, strict=True):
        assert part["top"] >= seen["top"], name
        assert part["bottom"] <= seen["bottom"], name
        assert part["right"] <= seen["right"], name


def test_controls_stand_left_of_the_picture_and_the_verdict_above_both(notebook: Notebook) -> None:
    _, picture, controls, verdict, progress = notebook.edges(
        PICTURE, CONTROLS_BOX, VERDICT, PROGRESS
    )
    assert controls["right"] <= picture["left"]
    assert verdict["bottom"] <= min(controls["top"], picture["top"])
    assert picture["bottom"] <= progress["top"]


def test_each_tab_has_at_most_six_controls(notebook: Notebook) -> None:
    notebook.begin()
    for tab in notebook.tabs("controls"):
        tab.click()
        shown = notebook.root.locator(".krcsim-controls .widget-inline-hbox:visible").count()
        assert 1 <= shown <= MOST_ON_A_TAB


def test_tabs_are_gone_through_by_keyboard(notebook: Notebook) -> None:
    notebook.open_tab("Remedy")
    notebook.root.get_by_role("tab", name="Remedy").press("ArrowRight")
    notebook.page.keyboard.press("Enter")
    first = CONTROLS["allocator.episode.page"].label
    notebook.until(lambda: notebook.box(first).is_visible(), "controls of the next tab")


def test_what_a_control_is_in_the_kernel_is_said_when_it_has_the_focus(notebook: Notebook) -> None:
    control = CONTROLS["allocator.episode_ms"]
    handle = notebook.handle(control.label)
    handle.focus()
    why = notebook.root.locator(".krcsim-why")
    notebook.until(lambda: why.inner_text() == control.explanation(), "explanation")
    described = handle.evaluate(
        "e => document.getElementById(e.getAttribute('aria-describedby')).textContent"
    )
    assert described == control.explanation()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_the_picture_has_the_background_of_the_theme(notebook: Notebook, theme: str) -> None:
    notebook.theme(theme)
    notebook.until(notebook.is_in_theme, f"picture in {theme}")


def test_a_theme_is_followed_in_mid_run_without_another_run(notebook: Notebook) -> None:
    notebook.refine()
    notebook.theme(DARK)
    notebook.until(notebook.is_in_theme, "dark picture")
    assert notebook.button("Cancel").is_enabled()  # it refines on
    notebook.press("Cancel")
    notebook.until(lambda: "stopped" in notebook.status(), "word that it stopped")
    there = notebook.picture()
    notebook.theme(LIGHT)
    notebook.until(notebook.is_in_theme, "light picture")
    assert notebook.picture().stamp == there.stamp
    assert "stopped" in notebook.status()


def test_on_a_narrow_screen_the_picture_stands_below_the_controls(notebook: Notebook) -> None:
    notebook.screen(*NARROW)
    notebook.until(notebook.is_drawn_as_shown, "picture of the size that there is")
    seen, picture, controls = notebook.edges(PICTURE, CONTROLS_BOX)
    assert controls["bottom"] <= picture["top"]
    assert picture["right"] <= seen["right"]
    assert notebook.too_wide() == []


def test_a_window_made_narrow_in_mid_run_gets_a_picture_that_fits(notebook: Notebook) -> None:
    notebook.refine()
    notebook.screen(*NARROW)
    notebook.until(notebook.is_drawn_as_shown, "picture of the size that there is")
    assert notebook.too_wide() == []
    assert notebook.button("Cancel").is_enabled()
    assert notebook.tracebacks() == []


def test_a_wide_screen_is_used(notebook: Notebook) -> None:
    _, before = notebook.edges(PICTURE)
    notebook.screen(*DESKTOP)

    def wider() -> bool:
        _, now = notebook.edges(PICTURE)
        return now["right"] - now["left"] > 1.5 * (before["right"] - before["left"])

    notebook.until(wider, "wider picture")
    notebook.until(notebook.is_drawn_as_shown, "sharp picture")


def test_zoomed_in_the_picture_has_the_pixels_of_the_screen(notebook: Notebook) -> None:
    notebook.screen(*ZOOMED)
    notebook.until(lambda: notebook.pixels().shape[1] >= 640, "dense picture")
    assert notebook.too_wide() == []


@pytest.mark.parametrize(
    ("tab", "part"),
    [
        ("Mail", "that sleep in synchronize_rcu()"),
        ("Shell command", "krcsim compare "),
        ("Python", "import krcsim"),
        ("Table", "P(wait) of your setting"),
    ],
)
def test_where_the_clipboard_is_forbidden_the_text_is_selected_and_a_sentence_says_so(
    notebook: Notebook, tab: str, part: str
) -> None:
    notebook.page.evaluate(NO_CLIPBOARD)
    notebook.open_tab(tab)
    notebook.root.locator(".krcsim-copy:visible").click()
    said = notebook.root.locator(".krcsim-copied:visible")
    notebook.until(lambda: "does not let this page copy" in said.inner_text(), "sentence")
    assert part in notebook.page.evaluate(SELECTED)


def test_copy_puts_the_shell_command_on_the_clipboard(notebook: Notebook) -> None:
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.page.evaluate("() => delete navigator.clipboard")  # the browser's own again
    notebook.open_tab("Shell command")
    notebook.root.locator(".krcsim-copy:visible").click()
    said = notebook.root.locator(".krcsim-copied:visible")
    notebook.until(lambda: said.inner_text() == "Copied.", "word that it was copied")
    assert notebook.page.evaluate("navigator.clipboard.readText()") == notebook.command()


@pytest.mark.parametrize("screen", [LAPTOP, NARROW, DESKTOP, ZOOMED], ids=str)
def test_nothing_is_wider_than_the_screen(notebook: Notebook, screen: Screen) -> None:
    notebook.screen(*screen)
    notebook.page.wait_for_timeout(300)
    assert notebook.too_wide() == []


def test_nothing_went_wrong_meanwhile(notebook: Notebook) -> None:
    assert notebook.tracebacks() == []
    assert notebook.console == []
