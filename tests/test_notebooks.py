# SPDX-License-Identifier: GPL-2.0-only
"""Notebooks are thin, stored without outputs, and run from top to bottom in a fresh kernel."""

from __future__ import annotations

import ast
import builtins
import json
import statistics
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
HANGS_S = 600  # a cell that takes longer never ends; how long one takes is for the benchmarks
MEDIAN_LINES, MOST_LINES = 3, 15
# A rule of the model, a loop over replications, a class: all of that belongs into krcsim/.
NOT_HERE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)

PICTURES = {
    "02_one_episode": 1,
    "03_cold_start": 1,
    "04_how_big": 3,
    "05_pressure": 1,
    "06_rare_and_exact": 1,
    "07_against_a_kernel": 1,
    "10_your_machine": 1,
}  # that cells show, next to those of the sliders
MOST_REPR = 400  # signs: an object that is shown as text is shown in a line or two

EACH_DAY = "02_one_episode"  # is run in make test, the others in make validate

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_notebook_to_run = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem == EACH_DAY else pytest.mark.slow)
        for path in NOTEBOOKS
    ],
)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def lines(source: str) -> int:
    return sum(1 for line in source.splitlines() if line.strip())


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS, f"no notebook in {FOLDER.name}/"


@each_notebook
def test_stored_without_outputs(path: Path) -> None:
    for n, cell in enumerate(code_cells(path), 1):
        assert cell.outputs == [], f"code cell {n} has outputs; clear them before saving"
        assert cell.execution_count is None, f"code cell {n} has a number; clear all outputs"
    assert "widgets" not in read(path).metadata


@each_notebook
def test_valid_and_for_any_kernel(path: Path) -> None:
    nbformat.validate(json.loads(path.read_text()))
    assert read(path).metadata.kernelspec.name == "python3"


@each_notebook
def test_cells_are_thin(path: Path) -> None:
    sizes = [lines(cell.source) for cell in code_cells(path)]
    assert sizes, "a notebook without code"
    assert min(sizes) > 0, "an empty cell"
    assert max(sizes) <= MOST_LINES
    assert statistics.median(sizes) <= MEDIAN_LINES


@each_notebook
def test_cells_hold_no_rule_of_the_model(path: Path) -> None:
    for n, cell in enumerate(code_cells(path), 1):
        tree = ast.parse(cell.source)  # no magics either
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, NOT_HERE)]
        assert found == [], f"code cell {n}"


@each_notebook
def test_asserts_a_number_that_it_shows(path: Path) -> None:
    trees = [ast.parse(cell.source) for cell in code_cells(path)]
    assert any(isinstance(node, ast.Assert) for tree in trees for node in ast.walk(tree))


@each_notebook
def test_each_cell_stands_alone(path: Path) -> None:
    """In any order: a cell uses no name that another one made."""
    for n, cell in enumerate(code_cells(path), 1):
        names = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
        made = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
        imported = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        assert used <= made | imported | set(dir(builtins)), f"code cell {n}"


@each_notebook_to_run
@pytest.mark.usefixtures("warm_engine")
def test_runs_from_top_to_bottom(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # else ipykernel writes to stderr
    notebook = read(path)
    NotebookClient(
        notebook, timeout=HANGS_S, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()  # raises what a cell raises
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert [out for out in outputs if out.output_type == "error"] == []
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    assert outputs, "nothing was shown"
    shown = [out.data for out in outputs if out.output_type in ("execute_result", "display_data")]
    assert sum("image/png" in data or "image/svg+xml" in data for data in shown) == PICTURES.get(
        path.stem, 0
    )
    for data in shown:
        text = data.get("text/plain", "")
        assert "<Figure size" not in text, "a figure that nobody sees"
        assert " object at 0x" not in text or "application/vnd.jupyter.widget-view+json" in data
        assert len(text) <= MOST_REPR, "the insides of an object instead of what it says"
