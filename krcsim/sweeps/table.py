# SPDX-License-Identifier: GPL-2.0-only
"""The table of a large sweep, read: a head with the whole plan, then CSV, a line a point in the
order of the points.

CSV, because whatever draws or counts reads it; a line a point, because then a torn end is easily
cut, and the number of lines says where to go on. Each line ends in a check of itself and of the
head, so that a changed row is never taken for one that was computed. It holds no times and no
hosts, so that whoever computes it gets the same bytes.
"""

import contextlib
import csv
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from krcsim.base import cells
from krcsim.base.csv_text import csv_line
from krcsim.base.errors import KrcsimError, shown
from krcsim.model.scenario_file import toml_text
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, KINDS, Cell, Result, wrong_estimate
from krcsim.studies.entries import Entry, how_found
from krcsim.sweeps.digest import versions
from krcsim.sweeps.head import (
    FIRST_FORMAT,
    OLD_FORMATS,
    OLD_PARTS,
    PARTS,
    body_of,
    names_of_columns,
    plan_in,
)
from krcsim.sweeps.plan import Plan
from krcsim.sweeps.row import Seal

_LONGEST = 10_000_000  # bytes of a line
_NUMBER, _COUNT = cells.either(cells.NUMBER), cells.either(cells.COUNT)
_PART = {
    "value": _NUMBER,
    "lo": _NUMBER,
    "hi": _NUMBER,
    "kind": cells.word(*KINDS, "refused"),
    "method": cells.either(cells.LINE),
    "replications": _COUNT,
    "rung": _COUNT,  # in tables of before
}
_WORDS = (
    "kind",
    "method",
    "refused",
    "check",
)  # columns of words, also where these look like numbers


@dataclass(frozen=True)
class Table:
    """A table read back: its plan, the names of its columns, and the rows that it has so far."""

    plan: Plan
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """One column."""
        return tuple(row[self.columns.index(name)] for row in self.rows)


def read_table(path: str | Path) -> Table:
    """Read a table, complete or not; raises KrcsimError for what is none, or was changed."""
    path = Path(path)
    with _open(path) as stream:
        text = read_head(stream)
        try:
            plan = plan_in(text)
        except KrcsimError as exc:
            why = f": {exc}" if text else "; give a file made with --into"
            raise KrcsimError(f"{path} is not the table of a sweep{why}") from None
        body = body_of(text)
        form = body["format"]
        lines = list(whole_rows(path, stream, None if form == FIRST_FORMAT else Seal(text)))

    parts = OLD_PARTS if form in OLD_FORMATS else PARTS
    there = names_of_columns(
        (*body.get("over", ()), *body.get("sample", ())), body["quantities"], parts, form
    )
    if text.splitlines()[-1] != csv_line(there).rstrip("\n"):
        raise KrcsimError(f"{path} does not have the columns of its plan; take the file as it was")

    rules = _rules(plan, there, parts)
    rows = tuple(_read_row(path, plan, rules, parts, line) for line in lines)
    kept = [at for at, name in enumerate(there) if not name.endswith(".rung")]
    names = names_of_columns(plan.fields, plan.quantities, PARTS, form)
    return Table(plan, names, tuple(tuple(row[at] for at in kept) for row in rows))


def read_head(stream: BinaryIO) -> str:
    """The lines of a head up to the names of the columns, or "" if there is none."""
    lines, size = [b""], 0
    while size < _LONGEST and (line := stream.readline(_LONGEST)):
        lines.append(line)
        size += len(line)
        if not line.startswith(b"#"):
            break
    try:
        return b"".join(lines).decode() if lines[-1].startswith(b"point,") else ""
    except UnicodeDecodeError:
        return ""


def whole_rows(path: Path, stream: BinaryIO, seal: Seal | None) -> Iterator[bytes]:
    """The whole rows after a head; a last line without an end was torn, and is left out."""
    for n, line in enumerate(iter(lambda: stream.readline(_LONGEST), b"")):
        if not line.endswith(b"\n") and len(line) < _LONGEST:
            return
        if not line.startswith(b"%d," % n) or (seal and not seal.holds(line)):
            raise KrcsimError(
                f"{path} was changed: the row of point {n} is not as it was written "
                f"({shown(line[:40].decode(errors='replace'))}); take the file as it was, or cut "
                "it before that line: "
                "the same command then goes on from there"
            )
        yield line


def _open(path: Path) -> BinaryIO:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return os.fdopen(fd, "rb")
        os.close(fd)
        why = "it is no file"
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        why = getattr(exc, "strerror", None) or str(exc)
    raise KrcsimError(f"table {path} cannot be read ({why}); give the file of a sweep")


def _rules(
    plan: Plan, names: tuple[str, ...], parts: tuple[str, ...]
) -> list[tuple[str, cells.Rule]]:
    """What may stand in each column of a plan's table."""
    ends = {"point": cells.COUNT, "refused": cells.either(cells.LINE), "check": cells.LINE}
    found = [_PART[part] for _ in plan.quantities for part in parts]
    last = [ends[name] for name in names[-2:] if name in ends]
    rules = [cells.COUNT, *(cells.VALUE for _ in plan.fields), *found, *last]
    return list(zip(names, rules[: len(names)], strict=True))


def _read_row(
    path: Path,
    plan: Plan,
    rules: list[tuple[str, cells.Rule]],
    parts: tuple[str, ...],
    line: bytes,
) -> tuple[Cell, ...]:
    """The cells of a line; raises KrcsimError for what no sweep wrote."""
    try:
        texts = next(csv.reader([line.decode()], strict=True))
    except (csv.Error, UnicodeDecodeError, StopIteration) as exc:
        why = f"{shown(line[:40])} is no row ({exc})"
        raise KrcsimError(f"{path} was changed: {why}; take the file as it was") from None
    found = [
        (text or None) if name.rsplit(".", 1)[-1] in _WORDS else _cell(text)
        for (name, _), text in zip(rules, texts, strict=False)
    ]
    wrong = cells.wrong_in_row(rules, found if len(texts) == len(rules) else texts)
    for k in range(len(plan.quantities)):
        at = 1 + len(plan.fields) + k * len(parts)
        wrong = wrong or (wrong_estimate(*found[at : at + 4]) if found[at + 3] != "refused" else "")
    if wrong:
        raise KrcsimError(f"{path} was changed: {wrong}; take the file as it was")
    return tuple(found)


def _cell(text: str) -> Cell:
    """A cell as a number, a flag, nothing or a word."""
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(text)
    return dict(true=True, false=False).get(text, text or None)


def table_result(table: Table) -> Result:
    """The answers of a table as a Result, which figures and replies read; refused points are left
    out.
    """
    plan = table.plan
    names = tuple(name for name in plan.fields if name != "remedy")
    rows = []
    for _, *cells_of_row in table.rows:
        values = dict(zip(plan.fields, cells_of_row, strict=False))
        remedy = str(values.get("remedy", "as given"))
        for place, quantity in enumerate(plan.quantities):
            first = len(plan.fields) + place * len(PARTS)
            parts: Any = cells_of_row[first : first + len(PARTS)]
            value, low, high, kind, method, replications = parts
            if kind == "refused":
                continue
            e = Estimate(value, low, high, kind)
            entry = Entry(e, replications, how_found(kind, method))
            rows.append(
                (
                    remedy,
                    *map(values.get, names),
                    plan.window,
                    quantity,
                    QUANTITIES[quantity].unit,
                    *entry.columns(),
                )
            )
    return Result(
        ("remedy", *names, *BASE),
        tuple(rows),
        (),
        {
            "command": "(a table of a sweep)",
            "seed": plan.seed,
            "scenario": toml_text(plan.scenario),
            "runs": {},
            "versions": versions(),
        },
    )
