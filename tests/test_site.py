# SPDX-License-Identifier: GPL-2.0-only
"""The site: what its pages are made of, and what was built holds together without a server.

Sphinx is there after `make site` or `make validate` only; the quick tests do without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from packaging.requirements import Requirement

from krcsim.widgets import YourMachine
from tests.browser import CHROMIUM, EXPLORERS, chromium
from tests.needs import BROWSER
from tests.test_environment import SITE
from website.links import faults
from website.notebooks import (
    ROOT,
    WIDGET,
    NotebookPage,
    as_page,
    first_paragraphs,
    without_how_to_run,
)
from website.pages import contents, documents, gallery, linked_files
from website.stills import STILL, still_of_explorer, still_of_machine

OTHERS = ("07_against_a_kernel", "08_claims", "10_your_machine")  # with widgets of another kind
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = [NotebookPage(name, f"Title of {name}", "What?", "") for name in NOTEBOOKS]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
TELEPHONE = dict(width=390, height=844)


# ---- pages


def test_every_page_is_in_one_table_of_contents() -> None:
    listed = re.findall(r"^[\w./-]+\.(?:md|ipynb)$", contents(PAGES), re.M)
    wanted = {*documents(), "notebooks/gallery.md", *(f"notebooks/{n}.ipynb" for n in NOTEBOOKS)}
    assert sorted(listed) == sorted(wanted)


def test_the_gallery_has_every_notebook(tmp_path: Path) -> None:
    shown = gallery(PAGES, tmp_path)
    assert all(f"({name}.ipynb)" in shown for name in NOTEBOOKS)


def test_pictures_of_documents_are_taken_along() -> None:
    assert "docs/pool-or-pages.png" in linked_files()


# ---- notebooks


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_begins_with_a_title_and_a_question(name: str) -> None:
    first = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells[0]
    title, question = first_paragraphs(first.source)
    assert title
    assert not title.startswith("#")
    assert question.endswith(("?", ".", ":", "**"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_does_not_say_how_to_run_a_notebook_and_says_all_else(name: str) -> None:
    for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            kept = without_how_to_run(cell.source)
            assert "Run All Cells" not in kept
            assert len(cell.source) - len(kept) < 120


def executed(data: dict[str, Any]) -> Any:
    """A notebook with one cell that displayed something."""
    cell = new_code_cell("explorer", outputs=[new_output("display_data", data)])
    head = "# Title\n\nA question?\n\nNo sliders? *Run > Run All Cells*."
    return new_notebook(cells=[new_markdown_cell(head), cell])


def test_a_still_becomes_a_picture_with_its_text_and_the_way_to_the_sliders(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    still = {"light": PNG, "dark": PNG, "alt": "a line\nthat falls", "command": "krcsim x"}
    still |= {"verdict": "1 call in 10 waits.", "words": "0.1"}
    notebook = executed({STILL: still})
    page = as_page("01_x", notebook, tmp_path)
    text = notebook.cells[-1].source
    assert ":alt: a line that falls\n" in text
    assert "**1 call in 10 waits.**" in text
    assert text.count("```{image}") == 2, "one for each theme"
    assert "make lab" in text
    assert "    krcsim x" in text
    assert (tmp_path / page.picture).read_bytes().startswith(b"\x89PNG")
    assert (page.title, page.question) == ("Title", "A question?")
    assert "Run All Cells" not in notebook.cells[0].source


def test_a_widget_without_a_still_becomes_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    notebook = executed({WIDGET: {}})
    as_page("01_x", notebook, tmp_path)
    assert notebook.cells[1].outputs == []
    assert "controls that need Python" in notebook.cells[2].source


@pytest.mark.usefixtures("warm_engine")
def test_the_still_of_a_recording_has_its_picture_its_verdict_and_its_fields(
    tmp_path: Path,
) -> None:
    still = still_of_machine(YourMachine("7.3-onoff", tmp_path, runs=8))
    assert still.light.startswith("iVBOR")
    assert still.dark.startswith("iVBOR")
    assert still.light != still.dark
    assert "the scenario reproduces what the kernel did" in still.alt
    assert "single-argument call" in still.verdict
    assert "workload.rate_hz" in still.words


@pytest.mark.usefixtures("warm_engine")
def test_the_still_of_an_explorer_has_a_picture_words_and_a_command(tmp_path: Path) -> None:
    still = still_of_explorer(EXPLORERS["01_pool_or_pages"](tmp_path, runs=(8,)))
    assert still.light.startswith("iVBOR")
    assert still.dark.startswith("iVBOR")
    assert still.light != still.dark
    assert still.alt
    assert still.verdict or still.words
    assert still.command.startswith("krcsim compare thread-as-posted")


# ---- links


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<a href="nowhere.html">x</a>', "leads nowhere"),
        ('<a href="#no-such-place">x</a>', "leads nowhere"),
        ('<img src="https://example.org/x.png">', "loaded from elsewhere"),
        ('<script src="//example.org/x.js"></script>', "loaded from elsewhere"),
        ("<p>[a link](x.md)</p>", "stayed text"),
    ],
)
def test_a_fault_of_a_page_is_named(html: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(html)
    assert [said in fault for fault in faults(tmp_path)][:1] == [True]


def test_a_style_sheet_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("@import 'https://example.org/x.css';")
    assert len(faults(tmp_path)) == 1


def test_what_leads_somewhere_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<p id="top"><a href="#top">x</a> <a href="https://example.org/">y</a>'
        '<a href="index.html">z</a><code>[a](b)</code></p>'
    )
    assert faults(tmp_path) == []


# ---- the site as it is built


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, with all notebooks run."""
    from website.__main__ import build

    into = tmp_path_factory.mktemp("built") / "site"
    assert build(into) == []
    return into


@pytest.mark.slow
@pytest.mark.parametrize("needed", SITE, ids=lambda needed: needed.name)
def test_what_makes_the_site_meets_its_bounds(needed: Requirement) -> None:
    assert needed.specifier.contains(version(needed.name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_of_a_notebook_has_no_trace_of_widgets(name: str, site: Path) -> None:
    html = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    for trace in ("widget-view", "Error displaying widget", "Run All Cells", "requirejs"):
        assert trace not in html


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*EXPLORERS, "07_against_a_kernel", "08_claims", "10_your_machine"]
)
def test_where_sliders_would_be_is_a_picture_and_the_way_to_them(name: str, site: Path) -> None:
    html = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    assert re.search(r'<img alt="[^"]+"[^>]* src="\.\./_images/', html)
    assert "a page without Python cannot move them" in html


@pytest.mark.slow
def test_the_search_knows_every_page(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    known = json.loads(index.removeprefix("Search.setIndex(").rstrip(")\n"))["docnames"]
    wanted = {name.rpartition(".")[0] for name in documents()}
    assert wanted | {f"notebooks/{name}" for name in NOTEBOOKS} <= set(known)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium."""
    with chromium() as opened:
        yield opened


in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason=BROWSER.reason())


@pytest.mark.slow
@pytest.mark.browser
@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_telephone_and_ask_no_other_host(scheme: str, site: Path, browser: Any) -> None:
    page = browser.new_page(viewport=TELEPHONE, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    colours = set()
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], (
            path.name
        )
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    (colour,) = colours
    assert (max(map(int, re.findall(r"\d+", colour))) < 64) == (scheme == "dark")


@pytest.mark.slow
@pytest.mark.browser
@in_a_browser
def test_the_search_finds_a_page_without_a_server(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{(site / 'search.html').as_uri()}?q=watermark")
    page.wait_for_selector("ul.search li a")
    assert page.locator("ul.search li a").count() >= 2
    page.close()
