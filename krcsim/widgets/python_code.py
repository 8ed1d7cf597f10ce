# SPDX-License-Identifier: GPL-2.0-only
"""The lines of Python that give the numbers on the screen again."""

from functools import cache
from operator import attrgetter
from typing import Any

from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import (
    LONGEST_COMMAND,
    SCENARIO_FILE,
    load_scenario,
    overrides,
    presets,
)


def python_code(
    scenario: Scenario, call: str, imports: tuple[str, ...] = (), after: str = "result"
) -> str:
    """A program: the nearest preset with what differs from it, and a call that takes `scenario`.

    imports: lines besides `import krcsim`. after: the last line, which shows the result.
    """
    lines = ["import krcsim", *imports, "", *_scenario_lines(scenario), f"result = {call}", after]
    return "\n".join(lines) + "\n"


def arguments(**given: Any) -> str:
    """Keyword arguments as they stand in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def _scenario_lines(scenario: Scenario) -> list[str]:
    """The lines that make a scenario; one with thousands of values comes from an exported file."""
    changes = {name: overrides(preset, scenario) for name, preset in _presets().items()}
    near = min(changes, key=lambda name: len(changes[name]))
    fields = [f'    "{path}": {_field(scenario, path)!r},' for path, _ in changes[near]]

    if not fields:
        return [f'scenario = krcsim.load_scenario("{near}")']
    if sum(map(len, fields)) > LONGEST_COMMAND:
        return [f'scenario = krcsim.load_scenario("{SCENARIO_FILE}")  # of Export']
    return [
        "fields = {",
        *fields,
        "}",
        f'scenario = krcsim.changed(krcsim.load_scenario("{near}"), **fields)',
    ]


def _field(scenario: Scenario, path: str) -> Any:
    """The value of a dotted field; None leaves a field to its default."""
    value = attrgetter(path)(scenario)
    if isinstance(value, tuple):
        return [list(each) if isinstance(each, tuple) else each for each in value] or None
    return value


@cache
def _presets() -> dict[str, Scenario]:
    return {name: load_scenario(name) for name in presets()}
