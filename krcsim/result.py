# SPDX-License-Identifier: GPL-2.0-only
"""The table of answers with everything needed to make it again; saved and loaded without loss."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from krcsim.estimate import Estimate
from krcsim.files import write_whole
from krcsim.values import KrcsimError

FORMAT = "krcsim-result/1"
Cell = str | int | float | bool | None
KINDS = ("interval", "rough", "bound", "none", "exact")
_BASE = ("window", "quantity", "unit", "value", "lo", "hi", "kind", "replications", "rung")
_DIFF = ("remedy", "baseline", "window", "quantity", "value", "lo", "hi", "pairing_saves")
_PROVENANCE = ("command", "scenario", "seed", "rungs", "versions")

@dataclass(frozen=True)
class Result:
    """Answers of one question.

    `rows` has `columns`: the parameters that vary (always `remedy`), then window, quantity, unit,
    value, lo, hi, kind, replications, rung. `differences` compares each remedy with the first in
    the same worlds. `provenance`: the command, the scenario as TOML, seed, rungs and versions.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    differences: tuple[tuple[Cell, ...], ...]
    provenance: dict[str, Any]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the columns that vary."""
        return self.columns[: -len(_BASE)]

    def points(self) -> list[tuple[Cell, ...]]:
        """The parameter values of each point, in order."""
        n = len(self.parameters)
        return list(dict.fromkeys(row[:n] for row in self.rows))

    def get(self, point: tuple[Cell, ...] | str, quantity: str, window: str) -> Estimate:
        """The estimate of a quantity ("none" if it was not defined) at a point or a remedy."""
        key = (point,) if isinstance(point, str) else point
        n = len(self.parameters)
        for row in self.rows:
            d = dict(zip(self.columns[n:], row[n:], strict=True))
            if row[: len(key)] == key and d["quantity"] == quantity and d["window"] == window:
                return Estimate(_real(d["value"]), _real(d["lo"]), _real(d["hi"]), str(d["kind"]))
        return Estimate(None, None, None, "none")

    def windows(self) -> list[str]:
        """Windows that have answers."""
        i = self.columns.index("window")
        return list(dict.fromkeys(str(row[i]) for row in self.rows))

    def cell(self, point: tuple[Cell, ...], column: str) -> Cell:
        """A column's value in the first row of a point (for replications or rung)."""
        n, i = len(self.parameters), self.columns.index(column)
        return next(row[i] for row in self.rows if row[:n] == point)

    def to_json(self) -> str:
        """The whole result as JSON with a checksum of itself."""
        body = {"format": FORMAT, "provenance": self.provenance, "columns": self.columns,
            "rows": self.rows, "difference_columns": _DIFF, "differences": self.differences}
        text = json.dumps(body, indent=1, allow_nan=False, sort_keys=True)
        return json.dumps({**body, "sha256": hashlib.sha256(text.encode()).hexdigest()}, indent=1,
            allow_nan=False, sort_keys=True) + "\n"

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the result as a file; raises KrcsimError if it exists or cannot be written."""
        return write_whole(path, self.to_json().encode(), overwrite=overwrite)

    def csv(self) -> str:
        """The rows as CSV with the command in a comment."""
        lines = [f"# {self.provenance['command']}", ",".join(self.columns)]
        lines += [",".join("" if c is None else _csv(c) for c in row) for row in self.rows]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        """How a notebook shows the table: remedies by the main quantities."""
        names = ("p_wait", "p_wait_spell", "p_spell", "blocked", "wait_ms", "bytes_at_full")
        head = "".join(f"<th>{c}</th>" for c in (*self.parameters, "window", *names))
        body = ""
        for point in self.points():
            for window in self.windows():
                cells = "".join(f"<td>{_html(c)}</td>" for c in (*point, window))
                for q in names:
                    cells += f"<td>{words(self.get(point, q, window))}</td>"
                body += f"<tr>{cells}</tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

def row_of(params: tuple[Cell, ...], window: str, quantity: str, unit: str, e: Estimate, n: int,
        rung: int) -> tuple[Cell, ...]:
    """A row of a result's table."""
    return (*params, window, quantity, unit, e.value, e.lo, e.hi, e.kind, n, rung)

def columns(parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Column names of a result over these parameters."""
    return (*parameters, *_BASE)

def number(x: float) -> str:
    """A number in at most eight characters: 0.00321, 3.2e-05, 12.3."""
    if x == 0:
        return "0"
    text = f"{x:.3g}"
    if "e" in text:
        mantissa, power = text.split("e")
        return f"{mantissa}e{int(power)}"
    return text

def words(e: Estimate) -> str:
    """An estimate in words: `0.0123 [0.011, 0.014]`, `< 0.003`, `-`."""
    if e.kind == "none":
        return "-"
    if e.kind == "bound":
        return f"< {number(e.hi or 0.0)}"
    assert e.value is not None
    if e.kind == "exact":
        return f"{e.value:g}"
    if e.lo is None or e.hi is None:
        return f"~ {number(e.value)}"
    mark = "~ " if e.kind == "rough" else ""
    return f"{mark}{number(e.value)} [{number(e.lo)}, {number(e.hi)}]"

def load_result(path: str | Path) -> Result:
    """Read a saved result; raises KrcsimError for anything that is not one, whole and unchanged."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(200_000_001)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise KrcsimError(
            f"result file {path} cannot be read ({reason}); give a file that Result.save() wrote"
        ) from None
    if len(raw) > 200_000_000:
        raise KrcsimError(f"result file {path} is larger than 200 MB; it is not a krcsim result")
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise KrcsimError(
            f"result file {path} is not JSON or was cut short; save the result again") from None
    try:
        return _checked(body)
    except KrcsimError as exc:
        raise KrcsimError(f"result file {path} {exc}; save the result again") from None

def _checked(body: Any) -> Result:
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise KrcsimError(f"is not a result of this version (format {FORMAT!r} expected)")
    given = body.pop("sha256", None)
    text = json.dumps(body, indent=1, allow_nan=False, sort_keys=True)
    if given != hashlib.sha256(text.encode()).hexdigest():
        raise KrcsimError("was changed or cut short after it was written")
    names: Any = body.get("columns")
    rows: Any = body.get("rows")
    good = (isinstance(names, list) and all(isinstance(c, str) for c in names)
        and tuple(names[-len(_BASE) :]) == _BASE and names[:1] == ["remedy"]
        and _is_table(rows, len(names)) and _is_table(body.get("differences"), len(_DIFF))
        and isinstance(body.get("provenance"), dict) and all(k in body["provenance"]
        for k in _PROVENANCE) and isinstance(body["provenance"]["scenario"], str)
        and isinstance(body["provenance"]["command"], str)
        and all(row[names.index("kind")] in KINDS for row in rows))
    if not good:
        raise KrcsimError("does not have the columns of a result")
    return Result(tuple(names), tuple(tuple(row) for row in rows),
        tuple(tuple(row) for row in body["differences"]), body["provenance"])

def _is_table(rows: Any, width: int) -> bool:
    return isinstance(rows, list) and all(isinstance(row, list) and len(row) == width
        and all(c is None or isinstance(c, (str, int, float, bool)) for c in row) for row in rows)

def _real(x: Cell) -> float | None:
    return None if x is None or isinstance(x, str) or not math.isfinite(x) else float(x)

def _csv(c: Cell) -> str:
    text = repr(c) if isinstance(c, float) else str(c)
    return f'"{text}"' if "," in text or '"' in text else text

def _html(c: Cell) -> str:
    return str(c).replace("&", "&amp;").replace("<", "&lt;")

def _no_constant(name: str) -> float:
    raise ValueError(name)
