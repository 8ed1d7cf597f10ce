# SPDX-License-Identifier: GPL-2.0-only
"""The data of a figure with a row a kernel: its numbers, and the change that moved them."""

import math
from dataclasses import dataclass

from krcsim.report.chart import Chart, Line, plotted_height
from krcsim.report.kernel_cells import COLUMNS, Column, cell_of
from krcsim.report.kernel_steps import kernels_of, steps, window_of
from krcsim.report.kernel_words import kernels_verdict, version
from krcsim.report.setting_words import load_in_words
from krcsim.results.estimate import Estimate
from krcsim.results.result import Result, scenario_of

XLABEL = "kernels, the oldest first"


@dataclass(frozen=True)
class KernelRow:
    """A kernel as it is drawn: its version, the change and its commit, and a cell a column.

    cells: estimates in the order of the columns. moved: of each, whether it is proven to differ
    from the row before.
    """

    version: str
    change: str
    commit: str
    cells: tuple[Estimate, ...]
    moved: tuple[bool, ...]

    @property
    def is_step(self) -> bool:
        """Whether its change moved anything."""
        return any(self.moved)


@dataclass(frozen=True)
class KernelsChart(Chart):
    """What is drawn of kernels: a row each, with a place for each number in its column.

    columns: what is drawn. setting: whose load it is.
    """

    rows: tuple[KernelRow, ...] = ()
    columns: tuple[Column, ...] = COLUMNS
    setting: str = ""

    def ends(self, column: int) -> tuple[float, float] | None:
        """The least and the most that is seen in a column; None if nothing is."""
        heights = [plotted_height(row.cells[column]) for row in self.rows]
        seen = [height for height in heights if height > 0.0 and math.isfinite(height)]
        return (min(seen), max(seen)) if seen else None

    def has_unseen(self, column: int) -> bool:
        """Whether a cell of a column has no place on its axis."""
        heights = [plotted_height(row.cells[column]) for row in self.rows]
        return not all(height > 0.0 for height in heights)


def chart_of_kernels(result: Result) -> KernelsChart:
    """The chart of a result with a row a kernel."""
    window = window_of(result)
    kernels = kernels_of(result)
    moved = {(step.kernel.name, step.quantity) for step in steps(result)}
    rows = tuple(
        KernelRow(
            version(kernel),
            kernel.change,
            next(iter(kernel.commits), ""),
            tuple(result.get(kernel.name, column.quantity, window) for column in COLUMNS),
            tuple((kernel.name, column.quantity) in moved for column in COLUMNS),
        )
        for kernel in kernels
    )
    return KernelsChart(
        _lines(rows),
        XLABEL,
        "each number on an axis of its own",
        bytes_axis=False,
        note=_note(result),
        title=kernels_verdict(result),
        rows=rows,
        setting=f"each kernel with {load_in_words(scenario_of(result))}",
    )


def _lines(rows: tuple[KernelRow, ...]) -> tuple[Line, ...]:
    """A line a column, a point a kernel: what the data of the figure are as CSV."""
    labels = tuple(row.version for row in rows)
    places = tuple(float(number) for number in range(1, len(rows) + 1))
    return tuple(
        Line(column.quantity, labels, places, tuple(row.cells[number] for row in rows), "dots")
        for number, column in enumerate(COLUMNS)
    )


def _note(result: Result) -> str:
    counts = sorted({int(str(result.cell(point, "replications"))) for point in result.points()})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{runs} replications a kernel, seed {result.provenance['seed']}"


def text_of(chart: KernelsChart, row: KernelRow, column: int) -> str:
    """What stands at a mark."""
    return cell_of(chart.columns[column].quantity, row.cells[column])
