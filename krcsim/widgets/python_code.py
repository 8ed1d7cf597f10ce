# SPDX-License-Identifier: GPL-2.0-only
"""The lines of Python that give the numbers on the screen again."""

import math
from functools import cache
from typing import Any

from krcsim.model.scenario import Scenario, as_dict
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
    fields = [f'    "{path}": {_written(_field(scenario, path))},' for path, _ in changes[near]]

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
    """The value of a dotted field in plain values; None leaves a field to its default."""
    here: Any = as_dict(scenario)
    for name in path.split("."):
        here = here.get(name)
    return here


def _written(value: Any) -> str:
    """A plain value as Python has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return 'float("inf")' if value == math.inf else repr(value)


@cache
def _presets() -> dict[str, Scenario]:
    return {name: load_scenario(name) for name in presets()}
