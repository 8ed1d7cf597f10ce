# SPDX-License-Identifier: GPL-2.0-only
"""What decides a row of a table: the releases, and a digest of the code that computes it."""

import ast
import functools
from hashlib import sha256
from pathlib import Path

from krcsim.base.syntax import tree_of

# The rooms and modules that decide what stands in a row; what only shows it, or asks other
# questions, may change under a half-done sweep.
DECIDE = (
    "base",
    "model",
    "engine",
    "runs",
    "results",
    "methods",
    "studies/ask.py",
    "sweeps/plan.py",
    "sweeps/row.py",
)
# Modules of these rooms that only put an answer into words.
SHOW = (
    "model/remedy_words.py",
    "results/counts.py",
    "results/held_against.py",
    "results/legend.py",
    "results/one_answer.py",
    "results/verdict.py",
    "methods/finding_verdict.py",
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def versions() -> dict[str, str]:
    """What a table depends on besides its plan: releases, and between two releases a digest of the
    code, without its comments and docstrings.
    """
    import numba
    import numpy
    import scipy

    import krcsim

    code = sha256()
    for path in deciding_sources():
        code.update(code_of(path.read_text("utf-8")).encode())
    return {
        "krcsim": krcsim.__version__,
        "code": code.hexdigest()[:16],
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "scipy": scipy.__version__,
    }


def deciding_sources() -> list[Path]:
    """The source files that decide what stands in a row."""
    import krcsim

    package = Path(krcsim.__file__).parent
    sources: list[Path] = []
    for home in (package / name for name in DECIDE):
        sources += [home] if home.is_file() else sorted(home.rglob("*.py"))
    shown = {package / name for name in SHOW}
    return [source for source in sources if source not in shown]


def code_of(source: str) -> str:
    """What a source does: its syntax tree without docstrings, alike in all versions of Python."""
    return repr(_shape(tree_of(source)))


def _shape(node: object) -> object:
    """A node as nested tuples of what it holds; what is empty is left out."""
    if isinstance(node, list):
        return tuple(_shape(part) for part in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    kept = [(name, _shape(part)) for name, part in fields.items() if part not in (None, [])]
    return (type(node).__name__, *kept)
