# SPDX-License-Identifier: GPL-2.0-only
"""The scenario of a recording as it is kept: with what the recording does not know of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from krcsim.model.joint import Joint, with_changes
from krcsim.model.scenario_file import load_scenario
from krcsim.trace.draws import joint_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import make


def joint_with(evidence: Evidence, base: str, changes: Mapping[str, Any]) -> Joint:
    """The scenario of a recording with draws of what that does not know; what was changed by hand
    is the same in all of them. Raises KrcsimError.
    """
    start = load_scenario(base)
    return with_changes(joint_of(make(evidence, start, base), start), **changes)


def title_of(names: Sequence[str], state: str) -> str:
    """What stands above the scenario in its file: printable, whatever the recording holds."""
    return "\n".join(
        "".join(c if c.isprintable() else "?" for c in line)
        for line in (f"Made of recordings: {', '.join(names)}", state)
    )
