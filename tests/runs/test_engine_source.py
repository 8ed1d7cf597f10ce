# SPDX-License-Identifier: GPL-2.0-only
"""What a scenario does not have is taken out of the engine before it is compiled, and no more."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from krcsim.engine.records import Record
from krcsim.runs import engine_source
from krcsim.runs.engine_source import digest_of, trees_of
from krcsim.runs.engines import LIGHT, VERSIONS, Version

CONSTANTS = dict(off=0, on=1, length=0.0)
ALLOWED = {"bias", "log_capacity"}  # written where copies are made: see the test


def folded(text: str) -> str:
    """A function of the text, with the constants above put in."""
    tree = ast.parse(f"def f():\n    {text}\n")
    results = {"three": ast.Constant(3)}
    engine_source._Folded(CONSTANTS, results, {"nothing"}, {"total"}).visit(tree)
    body = tree.body[0].body  # type: ignore[attr-defined]
    return "; ".join(" ".join(ast.unparse(node).split()) for node in body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = w.off", "x = 0"),
        ("w.off = 1", "w.off = 1"),
        ("x = not w.off", "x = True"),
        ("x = w.length > 0.0", "x = False"),
        ("x = a if w.off else b", "x = b"),
        ("x = w.off and f(a)", "x = 0"),
        ("x = w.on and f(a)", "x = f(a)"),
        ("x = w.off or f(a)", "x = f(a)"),
        ("x = (w.off and f(a)) or g(a)", "x = g(a)"),
        ("x = a > 0 and w.off", "x = 0"),
        ("x = f(a) and w.off", "x = f(a) and 0"),  # f() may do something
        ("x = a or 1", "x = a or 1"),  # a number, not a truth value
        ("return g(w.on)", "return g(1)"),
        ("x = three(a + 1)", "x = 3"),
        ("x = three(f(a))", "x = three(f(a))"),
        ("y = 0; x = y or f(a); z = y", "y = 0; x = f(a); z = 0"),
        ("y = 0; y += 1; x = y or f(a)", "y = 0; y += 1; x = y or f(a)"),
        ("nothing(total(a)); x = a", "x = a"),
        ("nothing(a); x = a; nothing(f(a))", "x = a; nothing(f(a))"),
        ("x = a * w.length", "x = a * 0.0"),  # nan and the sign of zero stay
    ],
)
def test_expressions(before: str, after: str) -> None:
    assert folded(before) == after


def test_branches_and_what_comes_after_the_end() -> None:
    assert folded("if w.off: f(a)\n    elif a: g(a)\n    else: h(a)") == "if a: g(a) else: h(a)"
    assert folded("if w.on: return a\n    f(a)") == "return a"
    assert folded("if w.off: f(a)") == "pass"
    assert folded("while a:\n        if w.on: break\n        f(a)") == "while a: break"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_constants_are_fields_that_nobody_writes(version: Version) -> None:
    """A copy of a run has no log of its own, and its bias ends with its first wait; the engine has
    neither a log nor copies where these are constants, so what is written is their constant.
    """
    fields = [name for record in Record.__subclasses__() for name in record.__annotations__]
    assert {fields.count(name) for name in version.constants} <= {1}  # one name, one record
    written = {
        node.attr
        for function in reached(version)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert written & set(version.constants) <= ALLOWED


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_no_python_number_is_an_argument(version: Version) -> None:
    """numba would compile the function again for each of them."""
    functions = {function.name: function for function in reached(version)}
    calls = [
        node
        for function in functions.values()
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and engine_source._name_of(node.func) in functions
    ]
    literals = [
        ast.unparse(call)
        for call in calls
        for value in call.args
        if isinstance(ast.literal_eval(value) if is_literal(value) else None, int)
    ]
    assert len(calls) > 100
    assert not literals


def is_literal(value: ast.expr) -> bool:
    """Whether an expression is a number as it stands."""
    return isinstance(value, ast.Constant) or (
        isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Constant)
    )


def reached(version: Version) -> list[ast.FunctionDef]:
    """The functions that the entry point of a version calls, directly or not."""
    functions = {
        node.name: node
        for tree in trees_of(version.constants, version.entry).values()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    found: list[ast.FunctionDef] = []
    todo = [version.entry]
    while todo:
        function = functions.pop(todo.pop(), None)
        if function is not None:
            found.append(function)
            todo += [
                engine_source._name_of(node)
                for node in ast.walk(function)
                if isinstance(node, (ast.Name, ast.Attribute))
            ]
    return found


def test_the_light_engine_has_no_rule_about_what_is_not_there() -> None:
    names = {function.name for function in reached(LIGHT)}
    everything = {function.name for version in VERSIONS for function in reached(version)}
    assert names < everything
    assert len(names) < 0.7 * len(everything)
    for module in ("event_log", "bursts", "danger", "biased_copies", "splitting"):
        text = (engine_source.FOLDER / f"{module}.py").read_text(encoding="utf-8")
        functions = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
        assert functions
        assert not names & set(functions)


def test_only_what_is_compiled_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "engine"
    shutil.copytree(engine_source.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(engine_source, "FOLDER", folder)

    def digest() -> str:
        return digest_of(trees_of(LIGHT.constants, LIGHT.entry))

    before = digest()
    path = folder / "event_loop.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('"""', '"""Said differently: ', 1).replace("\n\n\n", "\n\n\n# a remark\n"),
        encoding="utf-8",
    )
    assert digest() == before

    assert "& 1023" in text
    path.write_text(text.replace("& 1023", "& 511"), encoding="utf-8")
    assert digest() != before
