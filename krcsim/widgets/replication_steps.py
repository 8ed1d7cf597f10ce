# SPDX-License-Identifier: GPL-2.0-only
"""The steps in which an explorer refines: numbers of replications, each a double of 8."""

from typing import Any

from krcsim.base.errors import refuse
from krcsim.runs.ladder import FIRST_RUNG, MAX_RUNG, replications_at


def check_steps(steps: tuple[int, ...]) -> None:
    """Raise FieldError unless each step is 8, 16, 32, ... replications."""
    allowed = [replications_at(doublings) for doublings in range(MAX_RUNG + 1)]

    for runs in steps:
        refuse(
            runs not in allowed,
            "runs",
            runs,
            f"{allowed[0]}, {allowed[1]}, {allowed[2]}, ... up to {allowed[-1]} replications",
            "each step is a double of the one before it",
        )


def doublings(runs: int) -> int:
    """How often the first step is doubled until it has so many replications."""
    return (runs // FIRST_RUNG).bit_length() - 1


def limit(runs: int) -> dict[str, Any]:
    """The argument that limits a study to so many replications."""
    return {"max_rung": doublings(runs)}


def option(runs: int) -> str:
    """The same as an option of the shell."""
    return f"--max-rung {doublings(runs)}"
