# SPDX-License-Identifier: GPL-2.0-only
"""environment.yml and CITATION.cff say what pyproject.toml says, and what is installed meets it."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import krcsim

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEV, SITE = (
    [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
    for extra in ("dev", "site")
)

RENAMED = {"matplotlib": "matplotlib-base"}  # on conda-forge, without the Qt that nobody needs
CONDA_ONLY = {"python", "pip"}
CFF_KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi"),
    *("identifiers", "keywords", "license", "license-url", "message", "preferred-citation"),
    *("references", "repository", "repository-artifact", "repository-code", "title", "type"),
    *("url", "version"),
}


def environment() -> Any:
    """environment.yml."""
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def conda() -> dict[str, str]:
    """What conda is asked for: names and bounds."""
    lines = [line for line in environment()["dependencies"] if isinstance(line, str)]
    parts = [re.fullmatch(r"([a-z0-9-]+)(.*)", line) for line in lines]
    assert all(parts)
    return {part[1]: part[2] for part in parts if part}


def test_environment_has_the_same_names_and_bounds() -> None:
    there = {
        name: SpecifierSet(bounds) for name, bounds in conda().items() if name not in CONDA_ONLY
    }
    here = {RENAMED.get(r.name, r.name): r.specifier for r in RUNTIME}
    assert there == here


def test_environment_names_one_python_that_the_package_takes() -> None:
    found = re.fullmatch(r"=(3\.\d+)", conda()["python"])
    assert found, "Binder's builder reads only `python=3.N`"
    assert found[1] in SpecifierSet(PROJECT["requires-python"])


def test_environment_has_one_channel_and_one_pip_line() -> None:
    assert environment()["channels"] == ["conda-forge"]
    (pip,) = [line for line in environment()["dependencies"] if isinstance(line, dict)]
    assert pip == {"pip": ["-e ."]}


def test_nothing_hides_environment_yml_from_a_binder() -> None:
    """A folder binder/ or .binder/ would be read instead."""
    assert not (ROOT / "binder").exists()
    assert not (ROOT / ".binder").exists()


# ---- CITATION.cff


def citation() -> Any:
    """CITATION.cff."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_has_what_its_format_asks_for() -> None:
    """The keys that version 1.2.0 requires, and only keys that it knows."""
    there = citation()
    assert there["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(there) <= CFF_KEYS
    assert there["type"] in ("software", "dataset")
    for author in there["authors"]:
        assert set(author) in ({"name"}, {"family-names", "given-names"})
        assert all(isinstance(name, str) and name.strip() for name in author.values())


def test_the_citation_is_of_this_package() -> None:
    there = citation()
    assert there["title"] == PROJECT["name"]
    assert str(there["version"]) == krcsim.__version__
    assert there["license"] == PROJECT["license"]
    assert there["abstract"] == PROJECT["description"]


# ---- what is installed


@pytest.mark.parametrize("needed", [*RUNTIME, *DEV], ids=lambda r: canonicalize_name(r.name))
def test_installed_version_meets_its_bounds(needed: Requirement) -> None:
    assert needed.specifier.contains(version(needed.name), prereleases=True)


def test_every_bound_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for needed in (*RUNTIME, *DEV, *SITE):
        lines = [x for x in text.splitlines() if x.strip().startswith(f'"{needed.name}>=')]
        assert lines
        assert all("  # " in x for x in lines), f"{needed.name} stands there without a reason"
