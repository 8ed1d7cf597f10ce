# SPDX-License-Identifier: GPL-2.0-only
"""The notebook of recordings in a real Chromium: a sample, dropped files, a hostile one."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from krcsim.trace.recordings import samples
from krcsim.widgets.recorded_preset import LABEL, RECORDED
from tests.browser import CHROMIUM, HANGS_S, ROOT, Notebook, notebooks_in_a_browser
from tests.needs import BROWSER

pytestmark = [
    pytest.mark.usefixtures("warm_engine"),
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=BROWSER.reason()),
]
DATA = """(_image, [text, name]) => {
    const data = new DataTransfer(), bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    data.items.add(new File([bytes], name));
    return data;
}"""
NAME = "10_your_machine"
HOSTILE = b"<img src=x onerror=window.hacked=1><script>window.hacked=1</script> $\\frac{ 99 calls\n"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    with notebooks_in_a_browser(tmp_path_factory.mktemp("lab")) as opened:
        yield opened(NAME)


def says(machine: Notebook, text: str) -> None:
    machine.until(lambda: text in machine.answer(), f"verdict with {text!r}", HANGS_S)


def shows(machine: Notebook, text: str) -> None:
    """What the picture shows, as who cannot see it is told."""
    machine.until(
        lambda: text in (machine.root.locator("img").first.get_attribute("alt") or ""),
        f"picture of {text!r}",
        HANGS_S,
    )


def choose(machine: Notebook, *files: Path) -> None:
    """By the button, which opens the browser's own dialog."""
    with machine.page.expect_file_chooser() as chooser:
        machine.root.get_by_role("button", name="choose files").click()
    chooser.value.set_files([str(path) for path in files])


def drop(machine: Notebook, path: Path) -> None:
    """From outside the browser onto the picture."""
    target = machine.root.locator("img").first
    data = target.evaluate_handle(DATA, [base64.b64encode(path.read_bytes()).decode(), path.name])
    target.dispatch_event("dragover", {"dataTransfer": data})
    target.dispatch_event("drop", {"dataTransfer": data})


def test_a_sample_is_read_and_checked_and_judged(machine: Notebook) -> None:
    says(machine, "single-argument call")
    text = machine.root.inner_text()
    assert "workload.rate_hz" in text
    assert "Predicted against recorded" in text
    field = machine.root.locator("select").last
    assert field.evaluate("e => e.selectedOptions[0].text") == "workload.rate_hz"
    machine.shot(ROOT / "output" / "10_your_machine.png")


def test_the_one_under_a_hog_has_no_verdict(machine: Notebook) -> None:
    machine.root.locator("select").first.select_option(label="6.12-hog")
    says(machine, "No verdict. Refused as evidence: of page requests of kfree_rcu()")
    machine.shot(ROOT / "output" / "10_your_machine-hog.png")


def test_a_hostile_file_is_a_sentence_and_no_markup(machine: Notebook, tmp_path: Path) -> None:
    bad = tmp_path / "<img src=x onerror=window.hacked=1>.txt"
    bad.write_bytes(HOSTILE * 100)
    choose(machine, bad)
    says(machine, "Not read: nothing in")

    mixed = tmp_path / "mixed.txt"
    mixed.write_bytes(gzip.decompress(samples()["7.3-bursts"].read_bytes()) + HOSTILE * 3)
    choose(machine, mixed)
    shows(machine, "12,")
    says(machine, "single-argument call")
    assert "were not understood" in machine.root.inner_html()
    assert machine.page.evaluate("window.hacked") is None
    assert machine.root.locator("img[src=x]").count() == 0


def test_a_dropped_file_goes_onto_the_sliders_and_becomes_a_preset(machine: Notebook) -> None:
    drop(machine, samples()["6.12-onoff"])
    shows(machine, "3,916 calls of kfree_rcu() in 30.02 s on 1 CPU: the scenario reproduces")
    says(machine, "single-argument call")
    machine.root.get_by_role("button", name="Open with sliders").click()
    machine.until(lambda: (machine.folder / RECORDED).is_file(), "scenario next to the notebook")
    sliders = machine.page.locator(".krcsim-explorer").nth(1)
    machine.until(
        lambda: sliders.locator(f"option:text-is('{LABEL}')").count() == 1, "preset on the sliders"
    )
    machine.until(lambda: "for a grace period" in sliders.inner_text(), "answer", HANGS_S)
    machine.page.wait_for_timeout(500)
    machine.page.screenshot(path=ROOT / "output" / "10_your_machine-sliders.png")


def test_in_the_dark_theme_it_is_drawn_in_the_dark(machine: Notebook) -> None:
    machine.theme("JupyterLab Dark")
    machine.until(lambda: machine.pixels()[0, 0].max() < 50, "dark picture")
    machine.shot(ROOT / "output" / "10_your_machine-dark.png")
    machine.theme("JupyterLab Light")


def test_nothing_went_wrong_meanwhile(machine: Notebook) -> None:
    assert machine.tracebacks() == []
    assert machine.console == []
    assert machine.too_wide() == []
