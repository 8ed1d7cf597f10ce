# SPDX-License-Identifier: GPL-2.0-only
"""The notebooks as pages: each is run in a kernel of its own, and stills become pictures."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell

from website.stills import STILL

ROOT = Path(__file__).parent.parent
HANGS_S = 600  # a cell that takes longer never ends
AT_ONCE = min(4, os.cpu_count() or 1)
BEGIN = "from website.stills import show_stills\nshow_stills()"
WIDGET = "application/vnd.jupyter.widget-view+json"
DARK_END = "-dark.png"
HOW_TO_RUN = re.compile(  # what a notebook says about JupyterLab
    r"\s*\b(?:No|If you see no) (?:sliders|picture|table)\b[^*]*\*Run > Run All Cells\*\."
    r"(?: Your last setting comes back\.)?"
)
HOW_TO_MOVE = (
    "This is a picture of what the sliders show first: a page without Python cannot move them. "
    "To move them, run `make lab` ([the first ten minutes](../docs/tutorial.md)) and open "
    "`notebooks/{name}.ipynb`."
)
NEEDS_PYTHON = (
    "Here are controls that need Python: run `make lab` ([the first ten "
    "minutes](../docs/tutorial.md)) and open `notebooks/{name}.ipynb`."
)


@dataclass(frozen=True)
class NotebookPage:
    """A notebook of the gallery: its name, title and question, and its first picture, if any."""

    name: str
    title: str
    question: str
    picture: str


def write_notebooks(into: Path) -> list[NotebookPage]:
    """Run all notebooks and write them as pages; raises what a cell raises."""
    (into / "pictures").mkdir(parents=True)
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    asyncio.run(_run_all(notebooks))

    pages = []
    for path, notebook in zip(paths, notebooks, strict=True):
        pages.append(as_page(path.stem, notebook, into))
        nbformat.write(notebook, into / path.name)
    return pages


async def _run_all(notebooks: list[Any]) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def run(notebook: Any) -> None:
        async with free:
            await run_with_stills(notebook)

    await asyncio.gather(*map(run, notebooks))


async def run_with_stills(notebook: Any) -> None:
    """Run a notebook in place, with stills where sliders would be."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else ipykernel writes to stderr
    }
    with tempfile.TemporaryDirectory() as desk:  # explorers keep a setting next to the notebook
        notebook.cells.insert(0, new_code_cell(BEGIN))
        client = NotebookClient(
            notebook,
            timeout=HANGS_S,
            kernel_name="python3",
            resources={"metadata": {"path": desk}},
            store_widget_state=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        await client.async_execute(env=environment)
        del notebook.cells[0]


def as_page(name: str, notebook: Any, into: Path) -> NotebookPage:
    """Change a notebook that was run into a page, in place; writes its pictures below `into`."""
    cells, pictures = [], []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = without_how_to_run(cell.source)
        cells.append(cell)
        if cell.cell_type == "code":
            _fold_as_in_jupyterlab(cell)
            stills, cell.outputs = _taken_out(cell.outputs, STILL)
            for data in stills:
                pictures.append(_write_still(f"pictures/{name}-{number}", data[STILL], into))
                cells.append(
                    new_markdown_cell(text_of_still(name, pictures[-1], data[STILL], into))
                )
            widgets, cell.outputs = _taken_out(cell.outputs, WIDGET)
            if widgets:
                cells.append(new_markdown_cell(NEEDS_PYTHON.format(name=name)))
            pictures += _name_pictures(cell, name, number, into)
    notebook.cells = cells

    heading, question = first_paragraphs(notebook.cells[0].source)
    return NotebookPage(name, heading, question, pictures[0] if pictures else "")


def without_how_to_run(source: str) -> str:
    """Markdown without the sentence that says how to run the notebook in JupyterLab."""
    return HOW_TO_RUN.sub("", source)


def first_paragraphs(source: str) -> tuple[str, str]:
    """Title and first paragraph of a notebook."""
    title, question, *_ = [*source.split("\n\n"), ""]
    return title.removeprefix("# ").strip(), question.strip()


def _write_still(stem: str, still: Any, into: Path) -> str:
    """Write the pictures of a still; returns the name of the light one."""
    for end, theme in ((".png", "light"), (DARK_END, "dark")):
        if still[theme]:
            (into / f"{stem}{end}").write_bytes(base64.b64decode(still[theme]))
    return f"{stem}.png"


def picture_in_both_themes(picture: str, alt: str, folder: Path, target: str = "") -> str:
    """A picture of the site as Markdown, with that of the dark theme if there is one beside it."""
    alt = re.sub(r"\s+", " ", alt)
    dark = picture.removesuffix(".png") + DARK_END
    both = ((picture, "only-light"), (dark, "only-dark krcsim-dark"))
    shown = both if (folder / dark).exists() else ((picture, "krcsim-one"),)
    link = f":target: {target}\n" if target else ""
    return "\n".join(
        f"```{{image}} {name}\n:alt: {alt}\n:class: {kind}\n:width: 100%\n{link}```\n"
        for name, kind in shown
    )


def text_of_still(name: str, picture: str, still: Any, folder: Path) -> str:
    """A still as Markdown: what was found, the picture, and how to get the sliders."""
    said = f"**{still['verdict']}**\n\n" if still["verdict"] else ""
    command = f"\n\nThe same from a shell:\n\n    {still['command']}" if still["command"] else ""
    return (
        f"{said}{picture_in_both_themes(picture, still['alt'], folder)}\n"
        f'```{{raw}} html\n<div class="krcsim-words">{still["words"]}</div>\n```\n\n'
        f"{HOW_TO_MOVE.format(name=name)}{command}\n"
    )


def _taken_out(outputs: list[Any], kind: str) -> tuple[list[Any], list[Any]]:
    """The data of outputs of a kind, and the other outputs."""
    return (
        [out.data for out in outputs if kind in out.get("data", {})],
        [out for out in outputs if kind not in out.get("data", {})],
    )


def _fold_as_in_jupyterlab(cell: Any) -> None:
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]


def _name_pictures(cell: Any, name: str, number: int, into: Path) -> list[str]:
    """Give the pictures of a cell their text, and keep them for the gallery, too."""
    kept = []
    for n, out in enumerate(cell.outputs):
        data = out.get("data", {})
        if "image/png" in data:
            alt = re.sub(r"^<Picture: (.*)>$", r"\1", data.get("text/plain", ""), flags=re.S)
            cell.metadata["mystnb"] = {"image": {"alt": re.sub(r"\s+", " ", alt), "width": "100%"}}
            kept.append(f"pictures/{name}-{number}-{n}.png")
            (into / kept[-1]).write_bytes(base64.b64decode(data["image/png"]))
    return kept
