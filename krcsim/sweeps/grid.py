# SPDX-License-Identifier: GPL-2.0-only
"""A small grid of settings, all at once and in memory; what is larger goes into a table: see
run.py.
"""

import itertools
import math
import shlex
from collections.abc import Mapping
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.old_names import takes_rungs
from krcsim.model.remedy import THREAD
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import UNSET, given
from krcsim.results.result import Cell, Result
from krcsim.studies.compare import answer_points, same_in_a_shell
from krcsim.studies.differences import Point

MAX_POINTS = 10_000


@takes_rungs
def sweep(
    scenario: Scenario | str, over: Mapping[str, list[Any] | tuple[Any, ...]], **how: Any
) -> Result:
    """All combinations of values of dotted fields; `remedy` takes names; `how` as for compare().
    Raises KrcsimError.
    """
    refuse(
        not isinstance(over, Mapping),
        "over",
        over,
        "a dict of dotted field -> values",
        'write for example {"machine.cpus": [1, 2]}',
    )
    for name, listed in over.items():
        refuse(
            not isinstance(listed, (list, tuple)),
            f"the values of {name}",
            listed,
            "a list",
            "write [1, 2]",
        )
    size = math.prod(map(len, over.values()))
    if size > MAX_POINTS:
        raise KrcsimError(f"the grid has {size} points; allowed: up to {MAX_POINTS}; thin it out")
    for name in (name for name, values in over.items() if not values):
        raise KrcsimError(f"{name} has no value to sweep over; give at least one")

    scenario = given(scenario)
    names = tuple(name for name in over if name != "remedy")
    points: dict[Point, Scenario] = {}
    for combination in itertools.product(*over.values()):
        values = dict(zip(over, combination, strict=True))
        remedy = str(values.get("remedy", "as given"))
        points[remedy, *(_cell(values[name]) for name in names)] = changed(scenario, **values)

    how["command"] = how.get("command") or same_in_a_shell(
        "sweep", scenario, THREAD, how, _options(over)
    )
    return answer_points(scenario, names, points, **how)


def _cell(value: Any) -> Cell:
    """A value as a cell of a table."""
    return value if isinstance(value, (str, int, float)) else str(value)


def _options(over: Mapping[str, list[Any] | tuple[Any, ...]]) -> str:
    """The grid as options of the shell."""
    texts = {name: ",".join(map(_option, values)) for name, values in over.items()}
    return " ".join(f"--over {shlex.quote(f'{name}={text}')}" for name, text in texts.items())


def _option(value: Any) -> str:
    """A value as an option of the shell has it."""
    if value is None:
        return UNSET
    return str(value).lower() if isinstance(value, bool) else str(value)
