# SPDX-License-Identifier: GPL-2.0-only
"""Code and page cite each other: every rule of docs/model.md has its place in the engine, and no
function cites a rule that is not there.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import krcsim.engine
from krcsim.engine.codes import HEAD_ALLOC
from krcsim.model import remedy

ROOT = Path(__file__).parents[2]
ENGINE = sorted(Path(krcsim.engine.__file__).parent.glob("*.py"))
TWIN = sorted((ROOT / "validation").glob("twin*.py"))
SERIES = re.compile(r"\bR(\d+)(?: to R(\d+))?")


def rules() -> list[int]:
    """The numbers of the page, in its order."""
    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    return [int(number) for number in re.findall(r"^\* \*\*R(\d+)\.\*\*", page, re.MULTILINE)]


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Name and docstring of each function and class."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, ast.get_docstring(node) or ""


def cited(paths: list[Path]) -> dict[int, list[str]]:
    """The rules that docstrings cite, each with its functions."""
    found: dict[int, list[str]] = {}
    for path in paths:
        for name, text in docstrings(path):
            for first, last in SERIES.findall(text):
                for number in range(int(first), int(last or first) + 1):
                    found.setdefault(number, []).append(f"{path.name}: {name}()")
    return found


def test_no_number_of_a_rule_is_used_twice() -> None:
    assert len(set(rules())) == len(rules())


def test_the_rules_of_the_first_kernels_are_numbered_one_after_another() -> None:
    assert sorted(rules())[:45] == list(range(1, 46))


def test_every_rule_has_a_function_of_the_engine() -> None:
    missing = [f"R{number}" for number in rules() if number not in cited(ENGINE)]
    assert not missing, "rules of docs/model.md that no docstring of krcsim/engine cites"


def test_every_rule_has_a_function_of_the_twin() -> None:
    missing = [f"R{number}" for number in rules() if number not in cited(TWIN)]
    assert not missing, "rules of docs/model.md that no docstring of validation/twin.py cites"


@pytest.mark.parametrize("paths", [ENGINE, TWIN], ids=["engine", "twin"])
def test_no_function_cites_a_rule_that_does_not_exist(paths: list[Path]) -> None:
    wrong = {f"R{n}": names for n, names in cited(paths).items() if n not in rules()}
    assert not wrong


def test_every_compiled_function_says_what_it_does() -> None:
    silent = [
        f"{path.name}: {name}" for path in ENGINE for name, text in docstrings(path) if not text
    ]
    # Functions inside intrinsics, and private ones that make codes and fields.
    silent = [name for name in silent if not re.search(r": (_|element|code|run\b)", name)]
    assert not silent


def test_the_ways_to_ask_for_an_rcu_head_are_those_of_a_remedy() -> None:
    assert tuple(HEAD_ALLOC) == remedy.HEAD_ALLOC
