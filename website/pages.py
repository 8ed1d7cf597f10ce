# SPDX-License-Identifier: GPL-2.0-only
"""What Sphinx reads: the documents as they stand in the repository, and the tables of contents.

The README is the first page. The order of all others is that of the map, docs/README.md.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

from website.notebooks import NotebookPage, picture_in_both_themes

ROOT = Path(__file__).parent.parent
MAP = "docs/README.md"
FOLDERS = ("docs", "data")  # that have documents, next to those at the top
GALLERY = "notebooks/gallery.md"


def documents() -> list[str]:
    """All documents but the README, from the top of the repository."""
    found = [
        *ROOT.glob("*.md"),
        *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md")),
    ]
    names = (path.relative_to(ROOT).as_posix() for path in found)
    return sorted(name for name in names if name != "README.md")


def linked_files() -> list[str]:
    """Pictures and other files that documents link to, from the top of the repository."""
    found = set()
    for name in ["README.md", *documents()]:
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#\s:]+)", text):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
            if not target.endswith((".md", ".ipynb")) and (ROOT / target).is_file():
                found.add(target)
    return sorted(found)


def sections_of_the_map() -> dict[str, list[str]]:
    """Headings of the map, each with the pages that it lists."""
    _, *sections = re.split(r"^## ", (ROOT / MAP).read_text(encoding="utf-8"), flags=re.M)
    return {
        section.partition("\n")[0]: [
            posixpath.normpath(posixpath.join("docs", link))
            for link in re.findall(r"^\* \[[^]]*\]\(([^)#]+\.md)\)", section, re.M)
        ]
        for section in sections
    }


def contents(notebooks: list[NotebookPage]) -> str:
    """The tables of contents of all pages, for the margin."""
    listed = {"Notebooks": [GALLERY, *(f"notebooks/{page.name}.ipynb" for page in notebooks)]}
    listed |= {title: pages for title, pages in sections_of_the_map().items() if pages}
    on_map = {page for pages in listed.values() for page in pages}
    listed["The project"] = [name for name in documents() if name not in on_map]
    return "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(pages) + "\n```\n"
        for title, pages in listed.items()
    )


def gallery(notebooks: list[NotebookPage], folder: Path) -> str:
    """One picture and one question a notebook; folder: where the pictures are."""
    shown = [
        f"## [{page.title}]({page.name}.ipynb)\n\n{page.question}\n\n"
        + (
            picture_in_both_themes(page.picture, page.title, folder, f"{page.name}.html")
            if page.picture
            else ""
        )
        for page in notebooks
    ]
    head = (
        "# Gallery\n\nWhat the notebooks show when they are run as they are, one picture each. "
        "With sliders they open after `make lab` "
        "([the first ten minutes](../docs/tutorial.md)).\n"
    )
    return "\n".join([head, *shown])


def write_pages(into: Path, notebooks: list[NotebookPage]) -> None:
    """Write all documents, their pictures, the gallery and the tables of contents."""
    for name in documents():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, into / name)
    for name in linked_files():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, into / name)
    (into / GALLERY).write_text(gallery(notebooks, into / "notebooks"), encoding="utf-8")
    first = (ROOT / "README.md").read_text(encoding="utf-8")
    (into / "index.md").write_text(f"{first}\n{contents(notebooks)}", encoding="utf-8")
