# SPDX-License-Identifier: GPL-2.0-only
"""Who may import whom, and what the repository must not mention."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "krcsim"

# A module imports only from floors below its own; modules of one floor do not know each other.
# `engine` is a floor of its own, below run; what goes on inside it stands in ENGINE.
FLOORS = (
    "values kernel",
    "workload allocator memory grace_period remedy files cells",
    "scenario engine kept",
    "run estimate idle",
    "result measures",
    "study",
)
# Inside the engine a module imports only from those before it, and nothing else of krcsim.
ENGINE = "rng state calendar memory grace kfree_rcu marks source loop fork".split()
# Stricter than their floor: all of krcsim that these may import.
ONLY = {
    "estimate": {"values"},  # arrays in, numbers out
    "kernel": set(),
    "values": set(),
}
# Heavy libraries, and the only modules that import them.
HOME_OF = {
    "scipy": {"estimate"},
    "matplotlib": set(),
    "dask": set(),
    "distributed": set(),
    "PIL": set(),
    "ipywidgets": set(),
    "anywidget": set(),
    "IPython": set(),
    # What lives beside the package knows it, never the other way round; but `python -m krcsim` is
    # the shell.
    "krcsim_explorers": set(),
    "krcsim_kernel": set(),
    "krcsim_report": set(),
    "krcsim_studies": set(),
    "krcsim_shell": {"__main__"},
}
# Beside the package: what a front end knows of the others.
KNOWS = {
    "krcsim_report": set(),
    "krcsim_studies": {"krcsim_report"},
    "krcsim_kernel": {"krcsim_report", "krcsim_shell"},
    "krcsim_shell": {"krcsim_report", "krcsim_studies", "krcsim_kernel"},
    "krcsim_explorers": {"krcsim_report", "krcsim_studies", "krcsim_shell", "krcsim_kernel"},
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


NOTEBOOKS = ROOT / "notebooks"
BESIDE = sorted(ROOT.glob("*/krcsim_*/**/*.py"))
MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
INIT, ENGINE_INIT, MAIN = "__init__", "engine.__init__", "__main__"
FLOOR_OF = {name: level for level, names in enumerate(FLOORS) for name in names.split()}
TOP = len(FLOORS)  # where a module stands that has no floor yet


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of all imported modules; `from krcsim import x` counts as krcsim.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: write the import from krcsim, not relative"
            if node.module in ("krcsim", "krcsim.engine"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def inner_imports(name: str) -> set[str]:
    """The modules of krcsim that one of them imports, without the leading `krcsim.`."""
    found = {x for x in imports(parsed(name)) if x.split(".")[0] == "krcsim"}
    return {x.removeprefix("krcsim").lstrip(".") for x in found} - {"", "engine"}


def parsed(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def modules_but(*names: str) -> list[str]:
    return [name for name in MODULES if name not in names]


def test_every_module_has_a_floor() -> None:
    there = {name.split(".")[0] for name in modules_but(INIT, MAIN)}
    assert there - set(FLOOR_OF) == set(), "a module without a floor: add it to FLOORS"
    assert {n for n in MODULES if n.startswith("engine.")} - {ENGINE_INIT} == {
        f"engine.{n}" for n in ENGINE
    }


@pytest.mark.parametrize("name", modules_but(INIT, ENGINE_INIT, MAIN))
def test_a_module_imports_only_from_floors_below(name: str) -> None:
    if name.startswith("engine."):
        below = {f"engine.{n}" for n in ENGINE[: ENGINE.index(name.removeprefix("engine."))]}
    elif name in ONLY:
        below = ONLY[name]
    else:
        floor = FLOOR_OF.get(name, TOP)
        below = {
            other for other in modules_but(INIT) if FLOOR_OF.get(other.split(".")[0], TOP) < floor
        }
    assert inner_imports(name) <= below


@pytest.mark.parametrize("name", modules_but(INIT))
def test_a_heavy_library_has_few_homes(name: str) -> None:
    heavy = {x.split(".")[0] for x in imports(parsed(name))} & set(HOME_OF)
    assert {x for x in heavy if name not in HOME_OF[x]} == set()


@pytest.mark.parametrize("name", modules_but(INIT))
def test_of_the_package_itself_only_the_version_is_used(name: str) -> None:
    """`import krcsim` is no way around the floors."""
    used = {
        node.attr
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "krcsim"
    }
    assert used <= {"__version__"}


# scipy.stats takes longer than the rest together; scipy.special has what is needed.
NEVER = "matplotlib PIL ipywidgets anywidget IPython dask distributed scipy.stats"


@pytest.mark.parametrize(
    ("used", "heavy"),
    [
        ("", f"{NEVER} scipy numba"),
        ("krcsim.ask;", f"{NEVER} scipy.special"),
        ("krcsim.ask('thread-as-posted', max_rung=0, workers=1);", NEVER),
    ],
    ids=["import", "name", "answer"],
)
def test_importing_the_package_is_light(used: str, heavy: str) -> None:
    code = f"import krcsim, sys; {used} print(*(m for m in {heavy.split()} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (out.stdout.strip(), out.stderr, out.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    "path", BESIDE, ids=lambda path: ".".join(path.relative_to(ROOT).with_suffix("").parts[1:])
)
def test_what_stands_beside_the_package_has_floors_too(path: Path) -> None:
    package = path.relative_to(ROOT).parts[1]
    tops = {x.split(".")[0] for x in imports(ast.parse(path.read_text()))}
    others = {x for x in tops if x.startswith("krcsim_")} - {package}
    assert others <= KNOWS[package]


def test_runner_and_view_know_nothing_of_the_package() -> None:
    for name in ("latest", "view"):
        tree = ast.parse((NOTEBOOKS / "krcsim_explorers" / f"{name}.py").read_text())
        assert {x for x in imports(tree) if x.startswith("krcsim")} == set()


@pytest.mark.parametrize("name", list(MODULES))
def test_a_module_names_its_licence_and_its_purpose(name: str) -> None:
    assert MODULES[name].read_text().startswith("# SPDX-License-Identifier: GPL-2.0-only\n")
    assert ast.get_docstring(parsed(name))


# Written so that this file does not match itself.
ELSEWHERE = re.compile(rb"\.\./shared|(?<![\w.~)}>-])/(?:work|root|tmp|home)/")


def kept_files() -> list[Path]:
    """The files git tracks, and those it would; without git (an unpacked archive) the sources."""
    ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        out = subprocess.run(ask, cwd=ROOT, capture_output=True, check=True)
        return [ROOT / name.decode() for name in out.stdout.split(b"\0") if name]
    folders = (
        "krcsim report studies shell kernel tests validation benchmarks notebooks data docs "
        ".ci .jupyter"
    ).split()
    return [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if "__pycache__" not in path.parts
    ] + list(ROOT.glob("*"))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    files = [path for path in kept_files() if path.is_file()]
    assert len(files) > 20
    found = [
        f"{path.relative_to(ROOT)}:{n}: {line.strip()[:80].decode(errors='replace')}"
        for path in files
        if b"\0" not in (data := path.read_bytes())
        for n, line in enumerate(data.splitlines(), 1)
        if ELSEWHERE.search(line)
    ]
    assert found == []
