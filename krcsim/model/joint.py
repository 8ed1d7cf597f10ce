# SPDX-License-Identifier: GPL-2.0-only
"""A scenario that was made of a recording, and draws of what the recording does not know of it.

In a file the draws stand in a table [recording] behind the scenario, which others skip.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, refuse, shown
from krcsim.base.reading import read_text, read_toml
from krcsim.model.scenario import Scenario, as_dict, changed, from_dict
from krcsim.model.scenario_file import RECORDING, flat, toml_text

FEWEST_DRAWS, MOST_DRAWS = 8, 200
_RULES = {
    "seconds": cells.AMOUNT,
    "varies": cells.several(cells.NAME),
    "assumed": cells.several(cells.NAME),
    "draw": cells.several(cells.TABLE),
}


@dataclass(frozen=True)
class Joint:
    """The fitted scenario, and `draws` of it: as likely as each other, given the recording.

    `varies`: the fields in which the draws differ. `assumed`: fields that the recording could have
    said, but did not. `seconds`: the time that it covers.
    """

    scenario: Scenario
    draws: tuple[Scenario, ...]
    varies: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        check_draws(len(self.draws))


def check_draws(count: int) -> None:
    """Raise FieldError for a number of draws that cannot be."""
    refuse(
        not FEWEST_DRAWS <= count <= MOST_DRAWS,
        "draws",
        count,
        f"{FEWEST_DRAWS} to {MOST_DRAWS}, or 0 for the fitted scenario alone",
        "20 are usual",
    )


def with_changes(joint: Joint, **overrides: Any) -> Joint:
    """The same with fields replaced in the scenario and in each draw, as changed() does: what is
    set is no longer uncertain.
    """
    if not overrides:
        return joint
    known = tuple(
        field
        for field in joint.varies
        if not any(field == path or field.startswith(f"{path}.") for path in overrides)
    )
    return replace(
        joint,
        scenario=changed(joint.scenario, **overrides),
        draws=tuple(changed(draw, **overrides) for draw in joint.draws),
        varies=known,
        assumed=tuple(field for field in joint.assumed if field not in overrides),
    )


def fewer(joint: Joint, draws: int) -> Joint:
    """The first so many draws; raises KrcsimError where there are not so many."""
    if not FEWEST_DRAWS <= draws <= len(joint.draws):
        raise KrcsimError(
            f"draws is {draws}; allowed: {FEWEST_DRAWS} to {len(joint.draws)}, which the recording "
            "has, or 0 for the fitted scenario alone; krcsim read --draws makes more"
        )
    return replace(joint, draws=joint.draws[:draws])


def joint_text(joint: Joint, title: str = "") -> str:
    """The scenario as TOML, with its draws behind it; load_joint() makes an equal value of it."""
    import tomli_w

    base = flat(as_dict(joint.scenario))
    draws = [
        {path: value for path, value in flat(as_dict(draw)).items() if base.get(path) != value}
        for draw in joint.draws
    ]
    table = {
        "seconds": joint.seconds,
        "varies": list(joint.varies),
        "assumed": list(joint.assumed),
        "draw": draws,
    }
    return toml_text(joint.scenario, title) + "\n" + tomli_w.dumps({RECORDING: table})


def load_joint(path: str | Path) -> Joint | None:
    """The scenario of a file with its draws, None where it has none; raises KrcsimError."""
    text = read_text(path, "scenario file", "give the path of a .toml file")
    given = read_toml(text, f"scenario file {path}")
    table = given.pop(RECORDING, None)
    if table is None:
        return None
    if not isinstance(table, dict):
        raise KrcsimError(f"{path}: recording is {shown(table)}; allowed: a table [recording]")
    if wrong := cells.wrong_in_table(_RULES, table):
        raise KrcsimError(f"{path}: [recording] is wrong: {wrong}; let krcsim read write it")

    try:
        scenario = from_dict(given, Path(path).parent)
        check_draws(len(table["draw"]))
        return Joint(
            scenario,
            tuple(changed(scenario, **draw) for draw in table["draw"]),
            tuple(table["varies"]),
            tuple(table["assumed"]),
            float(table["seconds"]) if math.isfinite(table["seconds"]) else 0.0,
        )
    except KrcsimError as exc:
        raise KrcsimError(f"{path}: {exc}") from None
