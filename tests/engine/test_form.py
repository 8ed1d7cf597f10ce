# SPDX-License-Identifier: GPL-2.0-only
"""The engine can be read: names spelled out, air between the steps, typed parameters.

The limits were measured on packages that read well: SimPy, pyhf, Skyfield, MC/DC.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import krcsim.engine

FILES = sorted(Path(krcsim.engine.__file__).parent.glob("*.py"))
LINES = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]
MOST_ONE_LETTER = 0.08  # of the names that are bound
LEAST_BLANK = 0.12
COLUMNS = 88  # nine lines of ten are no longer
MOST_UNTYPED = 0.02  # of the parameters


def nodes(*kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of these kinds."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds):
                yield node


def test_names_are_spelled_out() -> None:
    bound = [node.arg for node in nodes(ast.arg) if isinstance(node, ast.arg)]
    bound += [
        node.id
        for node in nodes(ast.Name)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id != "_"
    ]
    assert sum(len(name) == 1 for name in bound) <= MOST_ONE_LETTER * len(bound)


def test_code_breathes() -> None:
    assert sum(not line.strip() for line in LINES) >= LEAST_BLANK * len(LINES)
    assert np.quantile([len(line) for line in LINES if line.strip()], 0.9) <= COLUMNS


def test_parameters_are_typed() -> None:
    kinds = [
        ast.unparse(n.annotation or ast.Constant("Any"))
        for n in nodes(ast.arg)
        if isinstance(n, ast.arg)
    ]
    assert sum("Any" in kind for kind in kinds) <= MOST_UNTYPED * len(kinds)


def test_nothing_is_assigned_in_a_bundle() -> None:
    """A tuple is unpacked, but unrelated values are not assigned in one line."""
    bundles = [
        ast.unparse(node)
        for node in nodes(ast.Assign)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Tuple)
    ]
    assert not bundles
