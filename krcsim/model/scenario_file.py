# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios as TOML files, presets by name, and the command that makes a scenario again."""

import shlex
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, did_you_mean, refuse
from krcsim.base.reading import read_text, read_toml
from krcsim.model.scenario import Scenario, as_dict, from_dict

LONGEST_COMMAND = 2000  # characters
SCENARIO_FILE = "scenario.toml"  # how a command calls a scenario that is too long for it
RECORDING = "recording"  # the table of draws in a file that krcsim read made; see model/joint.py
UNSET = "unset"  # the --set value that leaves a field to its default


def overrides(base: Scenario, scenario: Scenario) -> list[tuple[str, str]]:
    """The dotted fields in which `scenario` differs from `base`, as text for --set."""
    old = flat(as_dict(base))
    new = flat(as_dict(scenario))

    changes = [(path, _as_text(value)) for path, value in new.items() if old.get(path) != value]
    left_out = [(path, UNSET) for path in old if path not in new]
    return changes + left_out


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")


def command_near(verb: str, scenario: Scenario, options: str = "") -> str:
    """The shell command of a verb with a scenario, as the nearest preset and what differs from it.

    Where that would make a line of thousands of characters (recorded lengths) the command names a
    file: scenario.toml.
    """
    changes = {name: overrides(preset, scenario) for name, preset in _presets().items()}
    near = min(changes, key=lambda name: len(changes[name]))
    sets = [f"--set {shlex.quote(f'{path}={text}')}" for path, text in changes[near]]

    words = [near, *sets]
    if sum(map(len, sets)) > LONGEST_COMMAND:
        words = [SCENARIO_FILE]
    return " ".join(["krcsim", verb, *words, options]).rstrip()


@cache
def _presets() -> dict[str, Scenario]:
    return {name: load_scenario(name) for name in presets()}


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, by dotted names."""
    merged: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            merged |= flat(value, f"{prefix}{key}.")
        else:
            merged[prefix + key] = value
    return merged


def read_scenario(path: str | Path) -> Scenario:
    """Read a TOML scenario file; raises KrcsimError with the file's name."""
    names = presets()
    hint = "give the path of a .toml file, or a name from: " + ", ".join(names)
    text = read_text(path, "scenario file", did_you_mean(str(path), names, hint))

    path = Path(path)
    given = read_toml(text, f"scenario file {path}")
    given.pop(RECORDING, None)
    try:
        return from_dict(given, path.parent)
    except KrcsimError as exc:
        raise KrcsimError(f"{path}: {exc}") from None


def value_from(text: str) -> Any:
    """A value as TOML reads it, else the text itself: 12, 0.5, true, atomic; `unset` is None."""
    text = text.strip()
    if text == UNSET:
        return None

    try:
        found = read_toml(f"x = {text}", "it")
    except KrcsimError:
        return text

    return found["x"] if len(found) == 1 else text


def data_folder() -> Path:
    """The folder with scenarios and recordings.

    It is data/ of a checkout, next to the package, or lies inside an installed package.
    """
    with resources.as_file(resources.files("krcsim")) as package:
        inside = package / "data"
        return inside if inside.is_dir() else package.parent / "data"


def presets() -> list[str]:
    """Names of the scenarios that come with krcsim."""
    return sorted(path.stem for path in (data_folder() / "scenarios").glob("*.toml"))


def load_scenario(name: str | Path) -> Scenario:
    """A scenario by preset name or by the path of a TOML file."""
    refuse(
        not isinstance(name, (str, Path)),
        "scenario",
        name,
        "the name of a preset or the path of a .toml file",
        "presets are " + ", ".join(presets()),
    )
    preset = data_folder() / "scenarios" / f"{name}.toml"
    return read_scenario(preset if str(name) in presets() else name)


def toml_text(scenario: Scenario, title: str = "") -> str:
    """The scenario as TOML that read_scenario() turns into an equal value."""
    import tomli_w

    return "".join(f"# {line}\n" for line in title.splitlines()) + tomli_w.dumps(as_dict(scenario))


def given(scenario: Scenario | str) -> Scenario:
    """A scenario, or the one of that name or path."""
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
