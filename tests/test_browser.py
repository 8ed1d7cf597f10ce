# SPDX-License-Identifier: GPL-2.0-only
"""The first notebook in a real Chromium: every slider, moved by keyboard, changes the picture."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TOKEN = "krcsim-browser-test"
SHOTS = ROOT / "output"
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = [
    pytest.mark.usefixtures("warm_engine"),
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt install chromium)"),
]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on a copy of the notebooks; the URL of the first one."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    port = free_port()
    env = os.environ | {
        "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}",
               f"--ServerApp.root_dir={home}", "--allow-root"]  # fmt: skip
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log)
        try:
            for _ in range(240):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={TOKEN}"):
                        break
                except OSError:
                    time.sleep(0.25)
            else:
                pytest.fail("JupyterLab did not start: " + (home / "log").read_text()[-2000:])
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/01_pool_or_pages.ipynb?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Any]:
    """The notebook, run, on a small laptop's screen."""
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update"]  # fmt: skip
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=quiet)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(lab)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        # Without a kernel "Run All Cells" does nothing at all.
        page.get_by_text("| Idle").wait_for(timeout=60_000)
        page.get_by_text("Run", exact=True).first.click()
        page.get_by_text("Run All Cells", exact=True).click()
        try:
            page.wait_for_selector(".krcsim-explorer .noUi-handle", timeout=60_000)
            page.wait_for_selector(".krcsim-explorer img", timeout=60_000)
            yield page
        finally:
            SHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SHOTS / "last.png")
            browser.close()


def settled(page: Any) -> bytes:
    """The picture's pixels once its bytes stop changing."""
    last, same = b"", 0
    for _ in range(150):
        now = page.locator(".krcsim-explorer img").first.screenshot()
        same = same + 1 if now == last else 0
        if same == 3:
            break
        last = now
        page.wait_for_timeout(100)
    return bytes(last)


def changed_from(page: Any, before: bytes) -> bool:
    """Whether the picture becomes another one within some seconds."""
    for _ in range(100):
        if page.locator(".krcsim-explorer img").first.screenshot() != before:
            return True
        page.wait_for_timeout(50)
    return False


def test_no_news_pop_up_lies_over_the_plot(page: Any) -> None:
    assert page.get_by_text("notified about official Jupyter news").count() == 0


def test_every_slider_moved_by_keyboard_changes_the_picture(page: Any) -> None:
    handles = page.locator(".krcsim-explorer .noUi-handle")
    labels = page.locator(".krcsim-explorer .widget-label").all_inner_texts()
    assert handles.count() >= 10
    for k in range(handles.count()):
        handle = handles.nth(k)
        handle.scroll_into_view_if_needed()
        before = settled(page)
        start = handle.get_attribute("aria-valuenow")
        top = handle.get_attribute("aria-valuemax")
        key, other = ("ArrowLeft", "ArrowRight") if start == top else ("ArrowRight", "ArrowLeft")
        handle.focus()
        page.keyboard.press(key)
        assert changed_from(page, before), f"slider {k} of {labels} does not change the picture"
        page.keyboard.press(other)
    assert page.locator(".jp-OutputArea-output .ansi-red-fg").count() == 0


def test_a_preset_ends_with_an_answer_and_a_screenshot_is_kept(page: Any) -> None:
    page.locator(".krcsim-explorer select").first.select_option(label="Phone, light load")
    answer = page.locator(".krcsim-explorer textarea").first
    for _ in range(300):
        if "8 CPUs" in answer.input_value():
            break
        page.wait_for_timeout(100)
    assert "krcsim reply phone" in answer.input_value()
    assert "P(wait) of your setting" in page.locator(".krcsim-explorer").inner_text()
    SHOTS.mkdir(exist_ok=True)
    page.locator(".krcsim-explorer img").first.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / "01_pool_or_pages.png")
    assert (SHOTS / "01_pool_or_pages.png").stat().st_size > 20_000


def test_save_writes_all_files_beside_the_notebook(page: Any) -> None:
    page.get_by_role("button", name="Save figure, data, answer").click()
    page.wait_for_function(
        "document.querySelector('.krcsim-explorer').innerText.includes('Saved ')", timeout=20_000
    )
    text = page.locator(".krcsim-explorer").inner_text()
    assert all(end in text for end in (".png", ".svg", ".csv", ".toml", ".json", ".txt"))
