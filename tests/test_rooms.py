# SPDX-License-Identifier: GPL-2.0-only
"""Who may import whom, and what the repository must not mention."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import krcsim

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "krcsim"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# Heavy libraries, and the only rooms or modules that import them.
HOME_OF = {
    "scipy": {
        "results.estimate",
        "methods",
        "studies.limits",
        "studies.sensitivity",
        "sweeps.digest",
        "trace.intervals",
        "trace.two_states",
    },
    "matplotlib": {
        "report",
        "claims.picture",
        "guest.picture",
        "studies.size_chart",
        "studies.sensitivity_chart",
        "widgets",
    },
    "dask": {"sweeps.cluster"},
    "distributed": {"sweeps.cluster"},
    "PIL": {"widgets", "report.style"},
    "ipywidgets": {"widgets"},
    "anywidget": {"widgets"},
    "IPython": {"widgets"},
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of all imported modules; `from krcsim import x` counts as krcsim.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: write the import from krcsim, not relative"
            if node.module == "krcsim":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def parsed(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def test_a_module_imports_only_from_its_room_and_from_floors_below() -> None:
    lint = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_a_floor() -> None:
    """A folder that the contract does not name would import what it likes."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(x for x in contracts["contracts"] if x["type"] == "layers")["layers"]
    named = {room.strip() for layer in layers for room in re.split("[|:]", layer)}
    assert {f"krcsim.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")} == named


FINDS_ITS_FILES = "cli.verbs.__init__"  # imports each file of its own folder, and nothing else


@pytest.mark.parametrize("name", [name for name in MODULES if name != FINDS_ITS_FILES])
def test_no_module_is_imported_by_a_name_in_a_string(name: str) -> None:
    calls = [n for n in ast.walk(parsed(name)) if isinstance(n, ast.Call)]
    called = {ast.unparse(call.func).split(".")[-1] for call in calls}
    assert not called & {"__import__", "import_module"}


@pytest.mark.parametrize("name", list(MODULES))
def test_a_heavy_library_has_few_homes(name: str) -> None:
    heavy = {x.split(".")[0] for x in imports(parsed(name))} & set(HOME_OF)
    homes = {name, name.split(".")[0]}
    assert {x for x in heavy if not homes & HOME_OF[x]} == set()


@pytest.mark.parametrize("name", list(MODULES))
def test_of_the_package_itself_only_the_version_is_used(name: str) -> None:
    """`import krcsim` is no way around the floors."""
    used = {
        node.attr
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "krcsim"
    }
    assert used <= {"__version__", "__file__"}


def test_public_names_are_known_to_tab_and_all_exist() -> None:
    assert set(krcsim.__all__) <= set(dir(krcsim))
    assert all(getattr(krcsim, name) is not None for name in krcsim.__all__)


# scipy.stats takes longer than the rest together; scipy.special has what is needed.
NEVER = "matplotlib PIL ipywidgets anywidget IPython dask distributed scipy.stats"


@pytest.mark.parametrize(
    ("used", "heavy"),
    [
        ("", f"{NEVER} scipy numba"),
        ("krcsim.ask;", f"{NEVER} scipy.special"),
        ("krcsim.ask('thread-as-posted', max_runs=8, workers=1);", NEVER),
    ],
    ids=["import", "name", "answer"],
)
@pytest.mark.usefixtures("warm_engine")
def test_importing_the_package_is_light(used: str, heavy: str) -> None:
    code = f"import krcsim, sys; {used} print(*(m for m in {heavy.split()} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (out.stdout.strip(), out.stderr, out.returncode) == ("", "", 0)


def test_runner_and_view_know_nothing_of_the_package() -> None:
    for name in ("latest", "live_picture"):
        tree = parsed(f"widgets.{name}")
        assert {x for x in imports(tree) if x.startswith("krcsim")} == set()


@pytest.mark.parametrize("name", list(MODULES))
def test_a_module_names_its_licence_and_its_purpose(name: str) -> None:
    assert MODULES[name].read_text().startswith("# SPDX-License-Identifier: GPL-2.0-only\n")
    assert ast.get_docstring(parsed(name))


MODULE_LINES, FUNCTION_LINES = 500, 80


@pytest.mark.parametrize("name", list(MODULES))
def test_modules_and_functions_can_be_seen_at_a_glance(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= MODULE_LINES
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno
            assert node.end_lineno - node.lineno < FUNCTION_LINES, node.name


# Written so that this file does not match itself.
ELSEWHERE = re.compile(rb"\.\./shared|(?<![\w.~)}>-])/(?:work|root|tmp|home)/")


def kept_files() -> list[Path]:
    """The files git tracks, and those it would; without git (an unpacked archive) the sources."""
    ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        out = subprocess.run(ask, cwd=ROOT, capture_output=True, check=True)
        return [ROOT / name.decode() for name in out.stdout.split(b"\0") if name]
    folders = ("krcsim tests validation benchmarks notebooks data docs .ci .jupyter").split()
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
