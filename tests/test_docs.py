# SPDX-License-Identifier: GPL-2.0-only
"""The pages of docs/ are on the map, their links lead somewhere, and they name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import krcsim
from krcsim.studies.ask import BUDGET, CLOSING

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "data").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_page_is_on_the_map() -> None:
    linked = re.findall(r"\]\(([^)]+)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"README.md"}
    assert pages <= set(linked)


def test_every_public_name_is_on_its_page() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)(?:\(\))?`", page))
    assert set(krcsim.__all__) - {"__version__"} <= named


def test_the_limits_of_work_are_those_of_the_code() -> None:
    page = (DOCS / "methods.md").read_text(encoding="utf-8")
    for events in (BUDGET, CLOSING):
        assert f"after {events:.2g}".replace("e+0", "e") in page.replace("\n", " ")


def test_files_that_a_page_names_exist() -> None:
    """A path of the package, of the tests or of the data that moved is found here."""
    gone = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        if page.name != "CHANGELOG.md"
        for name in re.findall(
            r"`((?:krcsim|tests|validation|benchmarks|data|docs)/[\w./-]*)`",
            page.read_text(encoding="utf-8"),
        )
        if not (ROOT / name).exists()
    ]
    assert gone == []
