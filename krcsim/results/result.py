# SPDX-License-Identifier: GPL-2.0-only
"""The table of answers with everything needed to make it again; saved and loaded without loss."""

import platform
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.files import write_whole
from krcsim.base.reading import read_json, read_text, read_toml
from krcsim.base.tables import html_list, html_table, paragraph
from krcsim.model.scenario import Scenario, from_dict
from krcsim.model.scenario_file import toml_text
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.results.frame import data_frame
from krcsim.results.quantities import columns_of_tables
from krcsim.results.result_format import BASE as BASE
from krcsim.results.result_format import (
    DIFFERENCES,
    FORMAT,
    in_todays_format,
    signed,
    wrong_in_file,
)
from krcsim.results.result_format import KINDS as KINDS
from krcsim.results.result_format import METHODS as METHODS
from krcsim.results.result_format import Cell as Cell
from krcsim.results.result_format import wrong_estimate as wrong_estimate

MOST_MB = 200  # of a result file
_KINDS_OF_COLUMNS = {
    "remedy": "text",
    "window": "text",
    "quantity": "text",
    "unit": "text",
    "value": "real",
    "lo": "real",
    "hi": "real",
    "kind": "text",
    "replications": "whole",
    "method": "text",
}


def provenance(command: str, scenario: Scenario, seed: int, **more: Any) -> dict[str, Any]:
    """What makes a result again: command, scenario, seed, versions, and what else a question
    has.
    """
    refuse(
        command != "" and not cells.COMMAND.fits(command),
        "command",
        command,
        "a command line",
        "close its quotes",
    )
    import numba
    import numpy as np

    import krcsim

    versions = {"krcsim": krcsim.__version__, "numpy": np.__version__, "numba": numba.__version__}
    return {
        "command": command or "(called from Python)",
        "scenario": toml_text(scenario),
        "seed": seed,
        "versions": versions | {"python": platform.python_version()},
        **more,
    }


@dataclass(frozen=True)
class Result:
    """Answers of one question.

    `columns` of `rows`: the parameters that vary (always `remedy`), then BASE; `method` is one of
    METHODS. `differences` compares each remedy with the first with the same random draws: where one
    of the two saw nothing the value is None and the interval holds all that the rows allow.
    `provenance`: the command, the scenario as TOML, seed and versions.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    differences: tuple[tuple[Cell, ...], ...]
    provenance: dict[str, Any]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the columns that vary."""
        return self.columns[: -len(BASE)]

    def points(self) -> list[tuple[Cell, ...]]:
        """The parameter values of each point, in order."""
        return list(self._points)

    @cached_property
    def _points(self) -> tuple[tuple[Cell, ...], ...]:
        return tuple(dict.fromkeys(row[: -len(BASE)] for row in self.rows))

    def get(self, point: tuple[Cell, ...] | str, quantity: str, window: str) -> Estimate:
        """The estimate of a quantity ("none" if it was not defined) at a point or a remedy."""
        row: Any = self._row(point, quantity, window)
        if row is None:
            return NOTHING

        value_at = len(self.parameters) + BASE.index("value")
        return Estimate(*row[value_at : value_at + 4])

    def detail(
        self, point: tuple[Cell, ...] | str, quantity: str, window: str, column: str = "method"
    ) -> Cell:
        """A column of the row of a quantity at a point or a remedy: how it was found, or from how
        many replications.
        """
        row = self._row(point, quantity, window)
        return row[self.columns.index(column, len(self.parameters))] if row else None

    def _row(
        self, point: tuple[Cell, ...] | str, quantity: str, window: str
    ) -> tuple[Cell, ...] | None:
        where = (point,) if isinstance(point, str) else point
        return self._rows_by_place.get((where, window, quantity))

    @cached_property
    def _rows_by_place(self) -> dict[tuple[tuple[Cell, ...], Cell, Cell], tuple[Cell, ...]]:
        n = len(self.parameters)
        return {(row[:n], row[n], row[n + 1]): row for row in reversed(self.rows)}

    def windows(self) -> list[str]:
        """Windows that have answers."""
        return list(self._windows)  # texts on the result ask for them a thousand times

    @cached_property
    def _windows(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(row[len(self.parameters)]) for row in self.rows))

    def cell(self, point: tuple[Cell, ...], column: str) -> Cell:
        """A column's value in the first row of a point (for replications)."""
        n = len(self.parameters)
        at = self.columns.index(column)
        return next(row[at] for row in self.rows if row[:n] == point)

    def to_frame(self, library: str = "") -> Any:
        """The rows as a data frame with typed columns, a row an estimate.

        `library`: "pandas" or "polars"; left out, pandas if it is installed, else polars. Raises
        KrcsimError, with what to install, where it is missing: krcsim needs neither of them.
        """
        return data_frame(self.columns, self.rows, _KINDS_OF_COLUMNS, library)

    def to_json(self) -> str:
        """The whole result as JSON with a checksum of itself."""
        return signed(
            {
                "format": FORMAT,
                "provenance": self.provenance,
                "columns": self.columns,
                "rows": self.rows,
                "difference_columns": DIFFERENCES,
                "differences": self.differences,
            }
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the result as a file; raises KrcsimError if it exists or cannot be written."""
        return write_whole(path, self.to_json().encode(), overwrite=overwrite)

    def columns_shown(self) -> tuple[str, ...]:
        """The quantities of a table: the main ones that have an answer anywhere, and the first."""
        windows = self.windows()
        first, *others = columns_of_tables(
            by_episode=any(window.startswith("episode") for window in windows)
        )
        answered = [
            name
            for name in others
            if any(
                self.get(point, name, window).kind != "none"
                for point in self.points()
                for window in windows
            )
        ]
        return (first, *answered)

    def _repr_html_(self) -> str:
        """How a notebook shows it: the verdict, what each row is, and the main quantities."""
        from krcsim.results.legend import short_legend
        from krcsim.results.verdict import verdict

        names = self.columns_shown()
        rows = [
            [*point, window, *(words(self.get(point, name, window)) for name in names)]
            for point in self.points()
            for window in self.windows()
        ]
        table = html_table([*self.parameters, "window", *names], rows)
        return f"{paragraph(verdict(self))}{html_list(short_legend(self))}{table}"

    def __repr__(self) -> str:
        """In a line the verdict: the rows are for tables."""
        from krcsim.results.verdict import verdict

        return f"<Result: {len(self.points())} points; {verdict(self)}>"


def scenario_of(result: Result) -> Scenario:
    """The scenario a result was made from."""
    try:
        return _scenario_in(result.provenance["scenario"])
    except KrcsimError as exc:
        raise KrcsimError(f"the result's scenario cannot be read: {exc}") from None


@lru_cache(maxsize=16)
def _scenario_in(text: str) -> Scenario:
    """The scenario in a text, which a verdict, a legend and a figure of one result ask for."""
    return from_dict(read_toml(text, "it"))


def number(x: float) -> str:
    """A number in at most eight characters: 0.00321, 3.2e-05, 12.3."""
    mantissa, e, power = f"{x or 0:.3g}".partition("e")
    return f"{mantissa}e{int(power)}" if e else mantissa


def words(e: Estimate) -> str:
    """An estimate in words: `0.0123 [0.011, 0.014]`, `< 0.003`, `-`.

    `~` stands before what gives the order of magnitude only.
    """
    if e.kind == "bound":
        return f"< {number(e.hi or 0.0)}"

    if e.kind == "none" or e.value is None:
        return "-"

    if e.kind == "exact":
        return f"{e.value:g}"

    if e.lo is None or e.hi is None:
        return f"~ {number(e.value)}"

    sign = "~ " if e.kind == "rough" else ""
    return f"{sign}{number(e.value)} [{number(e.lo)}, {number(e.hi)}]"


def load_result(path: str | Path) -> Result:
    """Read a saved result, of an older format too.

    Raises KrcsimError for what is not one, whole and unchanged.
    """
    text = read_text(path, "result file", "give a file that Result.save() wrote", MOST_MB)
    body = read_json(text, f"result file {path}")
    if wrong := wrong_in_file(body):
        raise KrcsimError(f"result file {path} {wrong}")

    today = in_todays_format(body)
    return Result(
        tuple(today["columns"]),
        tuple(map(tuple, today["rows"])),
        tuple(map(tuple, today["differences"])),
        today["provenance"],
    )
