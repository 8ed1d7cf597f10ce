# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim versions`: the same load on every kernel since v5.8."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from krcsim.cli import completion
from krcsim.cli.arguments import scenario_from
from krcsim.cli.delivery import check_targets, deliver, wants_text
from krcsim.cli.options import QUESTION, Budgeted, Delivered, Precise, Quiet, Verb, option
from krcsim.cli.progress import reporting


@dataclass(frozen=True, kw_only=True)
class Versions(Delivered, Precise, Budgeted, Quiet):
    """The same load on every kernel since v5.8: waits, memory held, time to free, and why."""

    verb: ClassVar[str] = "versions"

    kernels: Annotated[
        str,
        option(
            "versions with commas between them, for example 6.1,6.12,7.3 (all)",
            QUESTION,
            metavar="VERSIONS",
            completer=completion.kernels,
        ),
    ] = ""


def run(options: Versions, command: str) -> None:
    """Compare, print a row a kernel, and write the files."""
    from krcsim.report.kernels_chart import chart_of_kernels
    from krcsim.report.kernels_text import kernels_table, kernels_text
    from krcsim.studies.which_kernel import which_kernel

    check_targets(options)
    scenario = scenario_from(options)
    names = tuple(options.kernels.split(",")) if options.kernels else ()
    how: dict[str, Any] = dict(
        seed=options.seed,
        precision=options.precision,
        max_runs=options.max_runs,
        command=command,
    )
    if options.budget is not None:
        how["budget"] = options.budget

    with reporting(options.quiet) as report:
        progress = report and partial(_report_kernels, report)
        result = which_kernel(scenario, names, progress=progress, **how)

    text = kernels_text(result) if wants_text(options) else ""
    deliver(
        options,
        "which-kernel",
        scenario,
        command,
        chart_of_kernels(result),
        text,
        result,
        kernels_table(result),
    )


def _report_kernels(report: Any, done: int, total: int) -> None:
    report(f"{done} of {total} kernels done")


VERB = Verb(Versions, run)
