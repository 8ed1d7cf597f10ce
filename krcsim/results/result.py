# SPDX-License-Identifier: GPL-2.0-only
"""The table of answers with everything needed to make it again; saved and loaded without loss."""

import hashlib
import html
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.files import write_whole
from krcsim.base.reading import read_json, read_text, read_toml
from krcsim.model.scenario import Scenario, from_dict
from krcsim.model.scenario_file import toml_text
from krcsim.results.estimate import NOTHING, Estimate

FORMAT = "krcsim-result/2"
Cell = str | int | float | bool | None
BASE = ("window", "quantity", "unit", "value", "lo", "hi", "kind", "replications", "rung", "method")
# How a row was found: plain runs, forks and splitting, the exact chain, a proof; "bound" where runs
# of any kind saw nothing and only their number says how rare it is; None in files of before, which
# do not say.
METHODS = ("skipping", "rare", "exact", "by construction", "bound")
_DIFF = ("remedy", "baseline", "window", "quantity", "value", "lo", "hi", "pairing_saves")
# The columns of each format that is read; what an older one did not have is None.
FORMATS = {
    "krcsim-result/1": (
        "window",
        "quantity",
        "unit",
        "value",
        "lo",
        "hi",
        "kind",
        "replications",
        "rung",
    ),
    FORMAT: BASE,
}
# What a file may hold: each column of BASE and of _DIFF, the whole, and its provenance.
KINDS = ("interval", "rough", "bound", "none", "exact")
RULES = {
    "window": cells.NAME,
    "quantity": cells.NAME,
    "unit": cells.LINE,
    "value": cells.either(cells.AMOUNT),
    "lo": cells.either(cells.NUMBER),
    "hi": cells.either(cells.AMOUNT),
    "kind": cells.word(*KINDS),
    "replications": cells.COUNT,
    "rung": cells.whole(99),
    "method": cells.either(cells.NAME),
}
_DIFF_RULES = (
    dict.fromkeys(_DIFF[:4], cells.NAME)
    | dict.fromkeys(_DIFF[4:], cells.NUMBER)
    | {"value": cells.either(cells.NUMBER)}
)
_FILE = {
    "format": cells.NAME,
    "provenance": cells.TABLE,
    "columns": cells.several(cells.NAME),
    "rows": cells.several(cells.Rule("a row", lambda x: isinstance(x, list))),
    "difference_columns": cells.several(cells.NAME),
    "differences": cells.several(cells.Rule("a row", lambda x: isinstance(x, list))),
}
_PROVENANCE = {
    "command": cells.COMMAND,
    "scenario": cells.TEXT,
    "seed": cells.COUNT,
    "versions": cells.mapping(cells.LINE),
}
_ENCODER = json.JSONEncoder(indent=1, allow_nan=False, sort_keys=True)


def provenance(command: str, s: Scenario, seed: int, **more: Any) -> dict[str, Any]:
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
        "scenario": toml_text(s),
        "seed": seed,
        "versions": versions | {"python": platform.python_version()},
        **more,
    }


@dataclass(frozen=True)
class Result:
    """Answers of one question.

    `columns` of `rows`: the parameters that vary (always `remedy`), then BASE; `method` is one of
    METHODS. `differences` compares each remedy with the first in the same worlds: where one of the
    two saw nothing the value is None and the interval holds all that the rows allow. `provenance`:
    the command, the scenario as TOML, seed, rungs and versions.
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
        row: Any = self._found.get(
            ((point,) if isinstance(point, str) else point, window, quantity)
        )
        n = len(self.parameters)
        return Estimate(*row[n + 3 : n + 7]) if row else NOTHING

    @cached_property
    def _found(self) -> dict[tuple[tuple[Cell, ...], Cell, Cell], tuple[Cell, ...]]:
        n = len(self.parameters)
        return {(row[:n], row[n], row[n + 1]): row for row in reversed(self.rows)}

    def detail(
        self, point: tuple[Cell, ...] | str, quantity: str, window: str, column: str = "method"
    ) -> Cell:
        """A column of the row of a quantity at a point or a remedy: how it was found, or from how
        many replications.
        """
        row = self._found.get(((point,) if isinstance(point, str) else point, window, quantity))
        return row[self.columns.index(column, len(self.parameters))] if row else None

    def windows(self) -> list[str]:
        """Windows that have answers."""
        return list(dict.fromkeys(str(row[len(self.parameters)]) for row in self.rows))

    def cell(self, point: tuple[Cell, ...], column: str) -> Cell:
        """A column's value in the first row of a point (for replications or rung)."""
        n, i = len(self.parameters), self.columns.index(column)
        return next(row[i] for row in self.rows if row[:n] == point)

    def to_json(self) -> str:
        """The whole result as JSON with a checksum of itself."""
        body = {
            "format": FORMAT,
            "provenance": self.provenance,
            "columns": self.columns,
            "rows": self.rows,
            "difference_columns": _DIFF,
            "differences": self.differences,
        }
        return _ENCODER.encode({**body, "sha256": _checksum(body)}) + "\n"

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the result as a file; raises KrcsimError if it exists or cannot be written."""
        return write_whole(path, self.to_json().encode(), overwrite=overwrite)

    def _repr_html_(self) -> str:
        """How a notebook shows the table: remedies by the main quantities."""
        names = ("p_wait", "p_wait_episode", "p_episode", "blocked", "wait_ms", "bytes_at_full")
        rows = [
            [*map(str, p), window, *(words(self.get(p, q, window)) for q in names)]
            for p in self.points()
            for window in self.windows()
        ]
        return html_table([*self.parameters, "window", *names], rows)

    def __repr__(self) -> str:
        """In a line what it is: the rows are for tables."""
        points, windows = len(self.points()), ", ".join(self.windows()[:4])
        return (
            f"<Result: {points} points of {', '.join(self.parameters)[:60]} in {windows}; "
            f"{len(self.rows)} rows>"
        )


def html_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table for a notebook; whatever a cell or a column's name holds, it is text and no
    markup.
    """
    top = "".join(f"<th>{html.escape(str(c))}</th>" for c in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def scenario_of(result: Result) -> Scenario:
    """The scenario a result was made from."""
    try:
        return from_dict(read_toml(result.provenance["scenario"], "it"))
    except KrcsimError as exc:
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
    """Read a saved result, of an older format too; raises KrcsimError for what is not one, whole
    and unchanged.
    """
    text = read_text(path, "result file", "give a file that Result.save() wrote", 200)
    body = read_json(text, f"result file {path}")
    if wrong := _wrong(body):
        raise KrcsimError(f"result file {path} {wrong}; save the result again")
    missing = [BASE.index(name) - len(BASE) for name in BASE if name not in FORMATS[body["format"]]]
    rows, differences = (tuple(map(tuple, body[name])) for name in ("rows", "differences"))
    if missing:
        rows = tuple(_with_gaps(row, missing) for row in rows)
    parameters = body["columns"][: -len(FORMATS[body["format"]])]
    return Result((*parameters, *BASE), rows, differences, body["provenance"])


def _with_gaps(row: tuple[Cell, ...], missing: list[int]) -> tuple[Cell, ...]:
    """The row of an older format with None in the columns that it did not have, counted from the
    end.
    """
    whole = list(row)
    for place in sorted(missing, reverse=True):
        whole.insert(len(whole) + place + 1, None)
    return tuple(whole)


def _wrong(body: Any) -> str:
    """What is wrong with a result file, or ""."""
    if not isinstance(body, dict) or body.get("format") not in [*FORMATS]:
        return f"is not a result of this version (format {FORMAT!r} expected)"
    try:
        if body.pop("sha256", None) != _checksum(body):
            return "was changed or cut short after it was written"
    except RecursionError:
        return "nests too deeply to be one"
    base = FORMATS[body["format"]]
    if wrong := cells.wrong_in_table(_FILE, body) or cells.wrong_in_table(
        _PROVENANCE, body["provenance"]
    ):
        return f"holds what no result does: {wrong}"
    columns = body["columns"]
    parameters = columns[: -len(base)]
    if (
        columns[-len(base) :] != [*base]
        or body["difference_columns"] != [*_DIFF]
        or parameters[:1] != ["remedy"]
        or len(set(parameters)) < len(parameters)
    ):
        return "does not have the columns of this version"
    if not body["rows"]:
        return "holds no answer"
    rules = [
        ("remedy", cells.LINE),
        *((name, cells.VALUE) for name in parameters[1:]),
        *((k, RULES[k]) for k in base),
    ]
    at = len(parameters) + base.index("value")
    wrong = next(
        (
            wrong
            for row in body["rows"]
            if (wrong := cells.wrong_in_row(rules, row) or wrong_estimate(*row[at : at + 4]))
        ),
        "",
    ) or next(
        (wrong for row in body["differences"] if (wrong := cells.wrong_in_row(_DIFF_RULES, row))),
        "",
    )
    return wrong and f"holds what no result does: {wrong}"


def wrong_estimate(value: Cell, lo: Cell, hi: Cell, kind: Cell) -> str:
    """What is wrong with the parts of an Estimate, of which each for itself is right; or ""."""
    there = tuple(x is not None for x in (value, lo, hi))
    wanted = {
        "none": [(False, False, False)],
        "bound": [(False, True, True)],
        "exact": [(True, True, True)],
    }
    ordered: list[Any] = [x for x in (lo, value, hi) if x is not None]
    if there not in wanted.get(
        str(kind), [(True, True, True), (True, False, False)]
    ) or ordered != sorted(ordered):
        return f"value, lo and hi are {value}, {lo}, {hi}, which is no estimate of kind {kind}"
    return ""


def _checksum(body: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for part in _ENCODER.iterencode(
        body
    ):  # bit by bit: the whole text takes many times the memory of the result
        digest.update(part.encode())
    return digest.hexdigest()
