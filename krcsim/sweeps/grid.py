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
from krcsim.results.result import Result
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
    for empty in (k for k, v in over.items() if not v):
        raise KrcsimError(f"{empty} has no value to sweep over; give at least one")
    scenario, names = given(scenario), tuple(k for k in over if k != "remedy")
    points: dict[Point, Scenario] = {}
    for combo in itertools.product(*over.values()):
        values = dict(zip(over, combo, strict=True))
        cells = (v if isinstance(v, (str, int, float)) else str(v) for v in map(values.get, names))
        points[str(values.get("remedy", "as given")), *cells] = changed(scenario, **values)
    how["command"] = how.get("command") or same_in_a_shell(
        "sweep", scenario, THREAD, how, _options(over)
    )
    return answer_points(scenario, names, points, **how)


def _options(over: Mapping[str, list[Any] | tuple[Any, ...]]) -> str:
    """The grid as options of the shell."""
    texts = {
        name: ",".join(
            str(v).lower() if isinstance(v, bool) else UNSET if v is None else str(v)
            for v in values
        )
        for name, values in over.items()
    }
    return " ".join(f"--over {shlex.quote(f'{name}={text}')}" for name, text in texts.items())
