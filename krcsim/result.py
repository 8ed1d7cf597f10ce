# SPDX-License-Identifier: GPL-2.0-only
"""The table of answers with everything needed to make it again; saved and loaded without loss."""
import hashlib
import html
import json
import platform
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any
from krcsim.estimate import NOTHING, Estimate
from krcsim.files import write_whole
from krcsim.scenario import Scenario, from_dict, toml_text
from krcsim.values import KrcsimError, read_text
FORMAT = "krcsim-result/1"
Cell = str | int | float | bool | None
BASE = ("window", "quantity", "unit", "value", "lo", "hi", "kind", "replications", "rung")
_DIFF = ("remedy", "baseline", "window", "quantity", "value", "lo", "hi", "pairing_saves")
_dumped = partial(json.dumps, indent=1, allow_nan=False, sort_keys=True)

def provenance(command: str, s: Scenario, seed: int, **more: Any) -> dict[str, Any]:
    """What makes a result again: command, scenario, seed, versions, and what else a question has."""
    versions = {name: import_module(name).__version__ for name in ("krcsim", "numpy", "numba")}
    return {"command": command or "(called from Python)", "scenario": toml_text(s), "seed": seed,
        "versions": versions | {"python": platform.python_version()}, **more}

@dataclass(frozen=True)
class Result:
    """Answers of one question.

    `columns` of `rows`: the parameters that vary (always `remedy`), then BASE. `differences` compares each remedy with
    the first in the same worlds. `provenance`: the command, the scenario as TOML, seed, rungs and versions.
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
        return list(dict.fromkeys(row[: -len(BASE)] for row in self.rows))

    def get(self, point: tuple[Cell, ...] | str, quantity: str, window: str) -> Estimate:
        """The estimate of a quantity ("none" if it was not defined) at a point or a remedy."""
        return self._found.get(((point,) if isinstance(point, str) else point, window, quantity), NOTHING)

    @cached_property
    def _found(self) -> dict[tuple[tuple[Cell, ...], Cell, Cell], Estimate]:
        n = len(self.parameters)
        rows: Any = reversed(self.rows)
        return {(row[:n], row[n], row[n + 1]): Estimate(*row[n + 3 : n + 7]) for row in rows}

    def windows(self) -> list[str]:
        """Windows that have answers."""
        return list(dict.fromkeys(str(row[len(self.parameters)]) for row in self.rows))

    def cell(self, point: tuple[Cell, ...], column: str) -> Cell:
        """A column's value in the first row of a point (for replications or rung)."""
        n, i = len(self.parameters), self.columns.index(column)
        return next(row[i] for row in self.rows if row[:n] == point)

    def to_json(self) -> str:
        """The whole result as JSON with a checksum of itself."""
        body = {"format": FORMAT, "provenance": self.provenance, "columns": self.columns,
            "rows": self.rows, "difference_columns": _DIFF, "differences": self.differences}
        return _dumped({**body, "sha256": _checksum(body)}) + "\n"

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the result as a file; raises KrcsimError if it exists or cannot be written."""
        return write_whole(path, self.to_json().encode(), overwrite=overwrite)

    def _repr_html_(self) -> str:
        """How a notebook shows the table: remedies by the main quantities."""
        names = ("p_wait", "p_wait_spell", "p_spell", "blocked", "wait_ms", "bytes_at_full")
        rows = [[*map(str, p), window, *(words(self.get(p, q, window)) for q in names)]
            for p in self.points() for window in self.windows()]
        return html_table([*self.parameters, "window", *names], rows)

    def __repr__(self) -> str:
        """In a line what it is: the rows are for tables."""
        points, windows = len(self.points()), ", ".join(self.windows()[:4])
        return f"<Result: {points} points of {', '.join(self.parameters)[:60]} in {windows}; {len(self.rows)} rows>"

def html_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table for a notebook; whatever a cell or a column's name holds, it is text and no markup."""
    top = "".join(f"<th>{html.escape(str(c))}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

def scenario_of(result: Result) -> Scenario:
    """The scenario a result was made from."""
    try:
        return from_dict(tomllib.loads(result.provenance["scenario"]))
    except (tomllib.TOMLDecodeError, KrcsimError) as exc:
        raise KrcsimError(f"the result's scenario cannot be read: {exc}") from None

def number(x: float) -> str:
    """A number in at most eight characters: 0.00321, 3.2e-05, 12.3."""
    mantissa, e, power = f"{x or 0:.3g}".partition("e")
    return f"{mantissa}e{int(power)}" if e else mantissa

def words(e: Estimate) -> str:
    """An estimate in words: `0.0123 [0.011, 0.014]`, `< 0.003`, `-`."""
    if e.kind == "bound":
        return f"< {number(e.hi or 0.0)}"
    if e.kind == "none" or e.value is None:
        return "-"
    if e.kind == "exact":
        return f"{e.value:g}"
    between = "" if e.lo is None or e.hi is None else f" [{number(e.lo)}, {number(e.hi)}]"
    return ("" if between and e.kind != "rough" else "~ ") + number(e.value) + between

def load_result(path: str | Path) -> Result:
    """Read a saved result; raises KrcsimError for anything that is not one, whole and unchanged."""
    text = read_text(Path(path), "result file", "give a file that Result.save() wrote", 200)
    try:
        body = json.loads(text, parse_constant=int)  # int() refuses NaN
        known = isinstance(body, dict) and body.get("format") == FORMAT
        wrong = "" if known else f"is not a result of this version (format {FORMAT!r} expected)"
        if known and body.pop("sha256", None) != _checksum(body):
            wrong = "was changed or cut short after it was written"
        elif known and (body.get("columns", [])[-len(BASE) :] != [*BASE] or body.get("difference_columns") != [*_DIFF]):
            wrong = "does not have the columns of this version"
    except (ValueError, RecursionError):
        wrong = "is not JSON or was cut short"
    if wrong:
        raise KrcsimError(f"result file {path} {wrong}; save the result again")
    rows, differences = (tuple(map(tuple, body[name])) for name in ("rows", "differences"))
    return Result(tuple(body["columns"]), rows, differences, body["provenance"])

def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(_dumped(body).encode()).hexdigest()
