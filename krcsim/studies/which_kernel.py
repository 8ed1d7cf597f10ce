# SPDX-License-Identifier: GPL-2.0-only
"""The same load on every kernel since v5.8: a row a kernel, with the same random draws."""

from typing import Any

from krcsim.model.kernel_rows import KERNELS, kernel_named, kernels_listed
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near, given
from krcsim.results.result import Result
from krcsim.studies.compare import USUAL, compare
from krcsim.studies.shell_command import options_of


def which_kernel(
    scenario: Scenario | str, kernels: tuple[str, ...] | list[str] = (), **how: Any
) -> Result:
    """All quantities of each kernel under the load, the machine and the pressure of a scenario.

    kernels: versions or rows, all if left out; the remedy of the scenario is not used. how: as of
    compare(). Raises KrcsimError.
    """
    scenario = given(scenario)
    rows = kernels_listed(",".join(map(str, kernels)))
    how["command"] = how.get("command") or command_of(scenario, rows, how)
    return compare(scenario, rows, **how)


def command_of(scenario: Scenario, rows: tuple[str, ...], how: dict[str, Any]) -> str:
    """The shell command with the same numbers."""
    versions = ",".join(kernel_named(row).kernel for row in rows)
    words = [] if rows == KERNELS else [f"--kernels {versions}"]
    return command_near("versions", scenario, " ".join([*words, *options_of(how, USUAL)]))
