# SPDX-License-Identifier: GPL-2.0-only
"""The digest of a table covers each module that computes a row, and no room that only shows it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import krcsim
from krcsim.sweeps.digest import SHOW, deciding_sources

HOME = Path(krcsim.__file__).parent


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All that a module does but show itself."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "_repr_html_")):
            yield from nodes(node)


def imported(path: Path) -> set[Path]:
    """The modules of krcsim that a module imports."""
    names: set[str] = set()
    for node in nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("krcsim."):
            names |= {node.module or "", *(f"{node.module}.{name.name}" for name in node.names)}
    files = [HOME.parent / (name.replace(".", "/") + ".py") for name in names]
    return {file for file in files if file.is_file()}


def test_what_computes_a_row_is_in_the_digest_of_its_table() -> None:
    reached = {HOME / "sweeps" / "row.py"}
    while more := {file for path in reached for file in imported(path)} - reached:
        reached |= more
    reached |= set((HOME / "engine").glob("*.py"))  # compiled from its sources, not imported
    assert reached <= set(deciding_sources())


def test_what_only_shows_an_answer_is_not() -> None:
    rooms = {path.relative_to(HOME).parts[0] for path in deciding_sources()}
    assert rooms.isdisjoint({"report", "guest", "cli", "widgets"})


def test_what_puts_an_answer_into_words_computes_no_row() -> None:
    assert all((HOME / name).is_file() for name in SHOW)
    assert set(deciding_sources()).isdisjoint(HOME / name for name in SHOW)
