# SPDX-License-Identifier: GPL-2.0-only
"""The text of the engine, ready to be compiled: as it stands, or with some fields of its world
record held constant.

A scenario without bursts, say, needs no rule about bursts. Where `bursty` is known to be 0 its
branches are taken out of the syntax tree before anything is compiled, so that the engine is written
once and what a scenario does not need costs no compile time.
"""

import ast
import hashlib
import types
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from krcsim import engine
from krcsim.base.syntax import tree_of
from krcsim.engine import codes, counters, pointers, record_form, records, sheaf_records

FOLDER = Path(str(engine.__file__)).parent
PACKAGE = engine.__name__
# Modules without a rule, which are used as they are.
DECLARATIONS = {
    "record_form": record_form,
    "counters": counters,
    "sheaf_records": sheaf_records,
    "records": records,
    "pointers": pointers,
    "codes": codes,
}
ENTRY = "entry_points"  # the module of the entry points
PURE_CALLS = ("float", "int", "bool", "abs", "min", "max", "range", "sum")
LITERALS = dict(
    MINUS_ONE=np.int64(-1),
    ZERO=np.int64(0),
    ONE=np.int64(1),
    TWO=np.int64(2),
    NO=np.bool_(False),
    YES=np.bool_(True),
)

Constants = Mapping[str, int | float]
Trees = Mapping[str, ast.Module]


def trees_of(constants: Constants, entry: str, start: str = ENTRY) -> dict[str, ast.Module]:
    """The syntax trees of what a function needs, by module, each after those it imports.

    `entry` is a function of the module `start`; `constants` holds fields of the engine's records,
    by name, and the value that each has from the beginning of a run to its end.
    """
    trees = _parsed(entry, start)
    defined = [
        node for tree in trees.values() for node in tree.body if isinstance(node, ast.FunctionDef)
    ]
    functions = {node.name: node for node in defined}
    assert len(functions) == len(defined), "two functions of the engine have the same name"

    pure = {*PURE_CALLS, *(name for name, node in functions.items() if _changes_nothing(node))}
    results: dict[str, ast.Constant] = {}
    empty: set[str] = set()
    known = -1
    while known < len(results) + len(empty):  # what was found last may lead to more
        known = len(results) + len(empty)
        for tree in trees.values():
            _Folded(constants, results, empty, pure).visit(tree)
        results |= {name: node for name, node in map(_result_of, functions.values()) if node}
        empty |= {name for name, node in functions.items() if all(map(_does_nothing, node.body))}

    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                _NoLiterals(functions).visit(node)
        ast.fix_missing_locations(tree)
    return trees


def digest_of(trees: Trees, *more: object) -> str:
    """A digest of what is compiled: neither a comment, a docstring nor an annotation changes it."""
    parts = [f"{name}: {ast.dump(tree)}" for name, tree in trees.items()]
    parts += [ast.dump(_bare(name)) for name in DECLARATIONS]
    return hashlib.sha256("\n".join([*parts, *map(str, more)]).encode()).hexdigest()


def entry_of(
    trees: Trees, entry: str, label: str, digest: int, compiled: Callable[[Any], Any]
) -> Any:
    """The entry point, plain Python, in modules made from these trees; `compiled` decorates all
    functions but this one.

    `label` becomes part of the functions' qualified names, so that several versions of the engine
    can be loaded in one process.
    """
    made = _modules_of(
        trees, label, lambda name, function: function if name == ENTRY else compiled(function)
    )
    made[ENTRY].__dict__["DIGEST"] = np.int64(digest)
    return getattr(made[ENTRY], entry)


def function_of(module: str, name: str, compiled: Callable[[Any], Any]) -> Any:
    """One function of the engine, decorated by `compiled` with all that it calls; for tests."""
    trees = trees_of({}, name, module)
    made = _modules_of(trees, f"{module}_alone", lambda _module, function: compiled(function))
    return getattr(made[module], name)


def _modules_of(
    trees: Trees, label: str, decorated: Callable[[str, Any], Any]
) -> dict[str, types.ModuleType]:
    """Modules made from these trees, their functions decorated."""
    made: dict[str, types.ModuleType] = {}
    for name, tree in trees.items():
        module = types.ModuleType(f"{PACKAGE}.{name}")
        namespace = module.__dict__
        namespace.update(_imported(tree, made))

        own = [node for node in tree.body if not _is_engine_import(node)]
        code = compile(ast.Module(own, []), str(FOLDER / f"{name}.py"), "exec")
        exec(code, namespace)  # noqa: S102  the engine's own text

        namespace.update(LITERALS)
        for known_as, value in list(namespace.items()):
            if type(value) is int:  # as NumPy scalars: see _NoLiterals
                namespace[known_as] = np.int64(value)
        for node in own:
            if isinstance(node, ast.FunctionDef):
                function = namespace[node.name]
                function.__qualname__ = f"{label}.{node.name}"
                namespace[node.name] = decorated(name, function)
        made[name] = module
    return made


# ---- reading


def _parsed(entry: str, start: str) -> dict[str, ast.Module]:
    """Bare trees of the modules that a function needs, in the order of their imports."""
    trees: dict[str, ast.Module] = {}

    def add(name: str, tree: ast.Module) -> None:
        for node in tree.body:
            for imported in _modules_named(node):
                if imported not in trees and imported not in DECLARATIONS:
                    add(imported, _bare(imported))
        trees[name] = tree

    tree = _bare(start)
    if start == ENTRY:  # of the entry points only one, and what it needs
        _keep_only(tree, entry)
    add(start, tree)
    return trees


def _keep_only(tree: ast.Module, entry: str) -> None:
    """Take the other functions of a module out, and the imports that they need."""
    tree.body = [
        node for node in tree.body if not isinstance(node, ast.FunctionDef) or node.name == entry
    ]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            node.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
    tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom) or node.names]


def _bare(name: str) -> ast.Module:
    """A module of the engine without docstrings, decorators and annotations."""
    tree = tree_of((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            node.decorator_list = []
            for argument in node.args.args:
                argument.annotation = None
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
            node.body = [x for x in node.body if not _is_text(x)] or [ast.Pass()]
    tree.body = [x for x in tree.body if not isinstance(x, ast.Expr)]
    return tree


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_engine_import(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)


def _modules_named(node: Any) -> list[str]:
    """The engine's modules that a statement imports, or from which it imports."""
    if not _is_engine_import(node):
        return []
    if node.module == PACKAGE:
        return [alias.name for alias in node.names]
    return [node.module.removeprefix(f"{PACKAGE}.")]


def _imported(tree: ast.Module, made: Mapping[str, types.ModuleType]) -> dict[str, Any]:
    """What a module imports from others of the engine, by the names that it uses."""
    found: dict[str, Any] = {}
    for node in tree.body:
        modules = [made.get(x) or DECLARATIONS[x] for x in _modules_named(node)]
        if not isinstance(node, ast.ImportFrom) or not modules:
            continue
        for place, alias in enumerate(node.names):
            known_as = alias.asname or alias.name
            whole = node.module == PACKAGE
            found[known_as] = modules[place] if whole else getattr(modules[0], alias.name)
    return found


# ---- folding


class _Folded(ast.NodeTransformer):
    """Takes out what can never happen while some fields of the records hold these constants.

    `results`: of functions that always return the same; `empty`: functions in which nothing is
    left; `pure`: functions that change nothing.
    """

    def __init__(
        self,
        constants: Constants,
        results: Mapping[str, ast.Constant],
        empty: Container[str],
        pure: Container[str],
    ) -> None:
        self.constants = constants
        self.results = results
        self.empty = empty
        self.pure = pure
        self.variables: Mapping[str, ast.Constant] = {}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.variables.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if _name_of(node.func) in self.results and self._are_pure(node.args):
            return self.results[_name_of(node.func)]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.attr in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.attr]), node)
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        stops_at = isinstance(node.op, ast.Or)  # the truth after which the rest is not looked at
        values: list[ast.expr] = []
        for value in node.values:
            if not isinstance(value, ast.Constant):
                values.append(value)
            elif bool(value.value) == stops_at:
                values.append(value)
                break
        if not values:
            return node.values[-1]
        if not stops_at and isinstance(values[-1], ast.Constant) and self._are_pure(values):
            return values[-1]
        node.values = values
        return values[0] if len(values) == 1 else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.copy_location(ast.Constant(not node.operand.value), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if all(isinstance(part, ast.Constant) for part in [node.left, *node.comparators]):
            expression = ast.fix_missing_locations(ast.Expression(node))
            value = eval(compile(expression, "", "eval"))  # noqa: S307  of constants only
            return ast.copy_location(ast.Constant(value), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_If(self, node: ast.If) -> Any:
        node.test = self.visit(node.test)
        if isinstance(node.test, ast.Constant):
            return self._block(node.body if node.test.value else node.orelse)
        node.body = self._block(node.body) or [ast.Pass()]
        node.orelse = self._block(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> Any:
        node.iter = self.visit(node.iter)
        node.body = self._block(node.body) or [ast.Pass()]
        return node

    def visit_While(self, node: ast.While) -> Any:
        node.test = self.visit(node.test)
        node.body = self._block(node.body) or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.variables = {}
        node.body = self._block(node.body) or [ast.Pass()]
        self.variables = _constant_variables(node)
        if self.variables:
            node.body = self._block(node.body) or [ast.Pass()]
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements, folded, up to the first that leaves the block."""
        kept: list[ast.stmt] = []
        for statement in body:
            folded = self.visit(statement)
            parts = folded if isinstance(folded, list) else [folded]
            kept += [part for part in parts if not self._calls_empty(part)]
            if kept and isinstance(kept[-1], (ast.Return, ast.Break, ast.Continue)):
                break
        return kept

    def _are_pure(self, expressions: Sequence[ast.expr]) -> bool:
        """Whether evaluating the expressions changes nothing."""
        calls = (
            part
            for expression in expressions
            for part in ast.walk(expression)
            if isinstance(part, ast.Call)
        )
        return all(_name_of(call.func) in self.pure for call in calls)

    def _calls_empty(self, node: ast.stmt) -> bool:
        """Whether a statement is a call of a function in which nothing is left."""
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            return False
        return _name_of(node.value.func) in self.empty and self._are_pure(node.value.args)


class _NoLiterals(ast.NodeTransformer):
    """Gives names to whole numbers and truth values that are passed to a function of the engine, or
    are the first value of a variable.

    numba compiles a function again for each value of a Python int or bool that it gets as an
    argument, but not for those of NumPy scalars.
    """

    def __init__(self, functions: Container[str]) -> None:
        self.functions = functions

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if _name_of(node.func) in self.functions:
            node.args = [self._named(value) for value in node.args]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.targets[0], ast.Name):
            node.value = self._named(node.value)
        return node

    def _named(self, value: ast.expr) -> ast.expr:
        text = ast.unparse(value)
        for name, scalar in LITERALS.items():
            if text == repr(scalar.item()):
                return ast.copy_location(ast.Name(name, ast.Load()), value)
        return value


def _changes_nothing(function: ast.FunctionDef) -> bool:
    """Whether a function, and what it calls, writes into nothing but its own variables."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            return False
        if isinstance(node, ast.Call) and _name_of(node.func) not in PURE_CALLS:
            return False
    return True


def _name_of(function: ast.expr) -> str:
    """The last part of the name by which a function is called."""
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _constant_variables(function: ast.FunctionDef) -> dict[str, ast.Constant]:
    """Variables of a function that are assigned once, and a constant."""
    assigned = [argument.arg for argument in function.args.args]
    constants: dict[str, ast.Constant] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            assigned.append(node.id)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants |= {x.id: node.value for x in node.targets if isinstance(x, ast.Name)}
    return {name: value for name, value in constants.items() if assigned.count(name) == 1}


def _result_of(function: ast.FunctionDef) -> tuple[str, ast.Constant | None]:
    """The name of a function, and the constant that is all it returns, if so."""
    (first, *_) = function.body
    is_constant = isinstance(first, ast.Return) and isinstance(first.value, ast.Constant)
    return function.name, first.value if is_constant else None  # type: ignore[attr-defined]


def _does_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Return) and node.value is None)
