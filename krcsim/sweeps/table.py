# SPDX-License-Identifier: GPL-2.0-only
"""The table of a large sweep: a head with the whole plan, then CSV, a line a point in order of the
points.

CSV, because whatever draws or counts reads it; a line a point, because then a torn end is easily
cut, and the number of lines says where to go on. Each line ends in a check of itself and of the
head, so that a changed row is never taken for one that was computed. It holds no times and no
hosts, so that whoever computes it gets the same bytes.
"""

import ast
import contextlib
import csv
import fcntl
import functools
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from krcsim.base import cells, old_names
from krcsim.base.csv_text import csv_line
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_toml
from krcsim.model.scenario import as_dict, from_dict
from krcsim.model.scenario_file import UNSET, toml_text
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, KINDS, Cell, Result, wrong_estimate
from krcsim.runs.ladder import FIRST_RUNS, MOST_RUNS, Have, Stop, steps
from krcsim.runs.replications import WINDOWS
from krcsim.studies.ask import METHODS, ask
from krcsim.studies.unseen import columns_of, how_found
from krcsim.sweeps.plan import MAX_SIZE, Plan, Range

FORMAT = "krcsim-sweep/3"
# Formats of before are read, but not gone on with; the first had no check in its rows.
FIRST_FORMAT, SECOND_FORMAT = "krcsim-sweep/1", "krcsim-sweep/2"
OLD_FORMATS = (FIRST_FORMAT, SECOND_FORMAT)
PARTS = ("value", "lo", "hi", "kind", "method", "replications")  # of a quantity
OLD_PARTS = (*PARTS, "rung")
SYNC_S = 1.0  # at most so much is lost when the power goes
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LONGEST = 10_000_000  # bytes of a line
_CHECK = 8  # hexadecimal digits at the end of a row
_LIST = cells.Rule("a list of values", lambda x: isinstance(x, list) and len(x) > 0)
_HEAD = {
    "format": cells.word(*OLD_FORMATS, FORMAT),
    "draws": cells.within(1, MAX_SIZE, "a whole number from 1 on"),
    "quantities": cells.several(cells.word(*QUANTITIES)),
    "window": cells.word(*WINDOWS),
    "seed": cells.COUNT,
    "precision": cells.within(0, 1, "a number from 0 to 1"),
    "max_runs": cells.Rule(
        f"{FIRST_RUNS}, {2 * FIRST_RUNS}, ... or {MOST_RUNS}",
        lambda x: cells.COUNT.fits(x) and x in steps(MOST_RUNS),
    ),
    "method": cells.word(*METHODS),
    "points": cells.COUNT,
    "versions": cells.mapping(cells.LINE),
    "over": cells.mapping(_LIST),
    "sample": cells.mapping(_LIST),
    "scenario": cells.TABLE,
}
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


# The rooms and modules that decide what stands in a row; what only shows it, or asks other
# questions, may change under a half-done sweep.
DECIDE = ("base", "model", "engine", "runs", "results", "methods", "studies/ask.py", "sweeps")


@functools.cache
def versions() -> dict[str, str]:
    """What a table depends on beside its plan: releases, and between two releases a digest of the
    code, without its comments and docstrings.
    """
    import numba
    import numpy
    import scipy

    import krcsim

    code = sha256()
    for path in deciding_sources():
        code.update(code_of(path.read_text("utf-8")).encode())
    return {
        "krcsim": krcsim.__version__,
        "code": code.hexdigest()[:16],
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "scipy": scipy.__version__,
    }


def deciding_sources() -> list[Path]:
    """The source files that decide what stands in a row."""
    import krcsim

    package = Path(krcsim.__file__).parent
    sources: list[Path] = []
    for home in (package / name for name in DECIDE):
        sources += [home] if home.is_file() else sorted(home.rglob("*.py"))
    return sources


def code_of(source: str) -> str:
    """What a source does: its syntax tree without docstrings, alike in all versions of Python."""
    return repr(_shape(ast.parse(source)))


def _shape(node: object) -> object:
    """A node as nested tuples of what it holds; what is empty is left out."""
    if isinstance(node, list):
        return tuple(_shape(part) for part in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    kept = [(name, _shape(part)) for name, part in fields.items() if part not in (None, [])]
    return (type(node).__name__, *kept)


def head(plan: Plan) -> str:
    """The head of a plan's table: TOML behind `# `, and the line with the names of the columns."""
    import tomli_w

    body = {
        "format": FORMAT,
        "draws": plan.draws,
        "quantities": list(plan.quantities),
        "window": plan.window,
        "seed": plan.seed,
        "precision": plan.precision,
        "max_runs": plan.max_runs,
        "method": plan.method,
        "points": plan.size,
        "versions": versions(),
        "over": {name: [UNSET if v is None else v for v in values] for name, values in plan.over},
        "sample": {r.field: [r.lo, r.hi, r.how] for r in plan.sample},
        "scenario": as_dict(plan.scenario),
    }
    text = tomli_w.dumps(body).replace("\n    ", " ").replace(",\n]", " ]")  # lists on one line
    return "".join(f"# {x}".rstrip() + "\n" for x in text.splitlines()) + _line(columns(plan))


def columns(plan: Plan) -> tuple[str, ...]:
    """Names of the columns."""
    return _names(plan.fields, plan.quantities, PARTS, FORMAT)


def _names(
    fields: Iterable[str], quantities: Iterable[str], parts: tuple[str, ...], form: str
) -> tuple[str, ...]:
    """Names of the columns of a table of some format."""
    found = (q if part == "value" else f"{q}.{part}" for q in quantities for part in parts)
    last = ("refused",) if form == FIRST_FORMAT else ("refused", "check")
    return ("point", *fields, *found, *last)


def _line(cells: Any) -> str:
    return csv_line(cells)


def plan_in(text: str) -> Plan:
    """The plan in the head of a table; raises KrcsimError for what is none."""
    body = _with_names_of_today(_body(text))
    if wrong := cells.wrong_in_table(_HEAD, body):
        raise KrcsimError(f"the head of the table holds what none does: {wrong}")
    if any(len(ends) != 3 for ends in body["sample"].values()) or set(body["sample"]) & set(
        body["over"]
    ):
        raise KrcsimError("the head of the table holds a sample that is none")
    over = tuple((k, tuple(None if x == UNSET else x for x in v)) for k, v in body["over"].items())
    sample = tuple(Range(k, *v) for k, v in body["sample"].items())
    plan = Plan(
        from_dict(body["scenario"]),
        over,
        sample,
        int(body["draws"]),
        tuple(body["quantities"]),
        body["window"],
        body["seed"],
        body["precision"],
        body["max_runs"],
        body["method"],
    )
    if plan.size != body["points"]:
        raise KrcsimError(
            f"the head of the table says {body['points']:,} points, and its plan has {plan.size:,}"
        )
    return plan


def _with_names_of_today(body: dict[str, Any]) -> dict[str, Any]:
    """The head of a table of a former format with the names of today."""
    if body.get("format") not in OLD_FORMATS:
        return body

    body = dict(body)
    if "max_rung" in body:
        body["max_runs"] = old_names.runs_on_rung(body.pop("max_rung"))
    if isinstance(body.get("quantities"), list):
        body["quantities"] = [old_names.QUANTITIES.get(str(q), q) for q in body["quantities"]]
    for part in ("over", "sample"):
        if isinstance(body.get(part), dict):
            body[part] = {old_names.field(name): values for name, values in body[part].items()}
    return body


def _body(text: str) -> dict[str, Any]:
    return read_toml(
        "\n".join(x[2:] for x in text.splitlines() if x.startswith("#")), "the head of the table"
    )


class Seal:
    """Ends the rows of a table: each with a check of itself, which is right only below that
    head.
    """

    def __init__(self, text: str) -> None:
        self.head = sha256(text.encode())

    def check(self, cells: bytes) -> str:
        """The check of a row's cells, as they are written."""
        whole = self.head.copy()
        whole.update(cells)
        return whole.hexdigest()[:_CHECK]

    def whole(self, cells: str) -> str:
        """A line without its end as a row of the table."""
        return f"{cells},{self.check(cells.encode())}\n"

    def holds(self, line: bytes) -> bool:
        """Whether a line is as it was written."""
        cells, _, check = line[:-1].rpartition(b",")
        return check == self.check(cells).encode()


def row(plan: Plan, i: int, seal: Seal, stop: Stop | None = None) -> str:
    """The line of point i, computed now in this thread; what cannot be asked of it is said in the
    column `refused`.
    """
    values, found, why = plan.values(i), list[Any](), ""
    scenario = None
    have: Have = {}  # the quantities share their replications
    for quantity in plan.quantities:
        try:
            scenario = scenario or plan.point(i)
            f = ask(
                scenario,
                quantity,
                window=plan.window,
                seed=plan.seed,
                precision=plan.precision,
                max_runs=plan.max_runs,
                method=plan.method,
                stop=stop,
                have=have,
                workers=1,
            )
            e = f.estimate
            found += [e.value, e.lo, e.hi, e.kind, f.method, f.replications]
        except KrcsimError as exc:
            found += [None, None, None, "refused", None, None]
            why = why or " ".join(str(exc).split())
    return seal.whole(
        _line([i, *map(_text, values.values()), *map(_text, found), why]).rstrip("\n")
    )


def _text(value: Any) -> str:
    """A cell without loss; words stay as they are."""
    if isinstance(value, (bool, list, tuple)) or isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    return "" if value is None else value if isinstance(value, str) else repr(value)


@dataclass
class Growing:
    """A table held open and locked; rows go to its end."""

    path: Path
    fd: int
    rows: int
    end: int  # bytes that are whole rows
    safe: int = 0  # rows that are on the disk
    synced: float = 0.0

    def append(self, lines: list[str]) -> None:
        """Add rows; raises KrcsimError when the disk takes no more, and leaves whole rows
        behind.
        """
        data = "".join(lines).encode()
        written = 0
        try:
            while written < len(data):
                # At a place of our own counting: an interrupted one is written over.
                written += os.pwrite(self.fd, data[written:], self.end + written)
        except OSError as exc:
            self._count(data[: data[:written].rfind(b"\n") + 1])
            with contextlib.suppress(OSError):
                os.ftruncate(self.fd, self.end)
            raise self.full(exc, self.rows) from None
        self._count(data)
        if time.monotonic() - self.synced > SYNC_S:
            self.sync()

    def _count(self, data: bytes) -> None:
        self.end += len(data)
        self.rows += data.count(b"\n")

    def sync(self) -> None:
        """See that what was added is on the disk."""
        try:
            os.fsync(self.fd)
        except OSError as exc:
            raise self.full(exc, self.safe) from None
        self.safe, self.synced = self.rows, time.monotonic()

    def full(self, exc: OSError, rows: int) -> KrcsimError:
        """What to say when it cannot grow."""
        return KrcsimError(
            f"{self.path} cannot grow ({exc.strerror}); its {rows} rows are safe: free some space, "
            "then "
            "give the same command to go on"
        )


@contextlib.contextmanager
def growing(path: str | Path, plan: Plan) -> Iterator[Growing]:
    """The table of a plan, new or with the rows that it has, locked while it is open; raises
    KrcsimError.
    """
    path = Path(path)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        why = getattr(exc, "strerror", None) or str(exc)
        raise KrcsimError(
            f"{path} cannot be opened for writing ({why}); choose another place"
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise KrcsimError(f"{path} is not a file that can be gone on with; choose another name")
        _lock(path, fd)
        table = Growing(path, fd, *_there(path, plan))
        if not table.end:
            _begin(table, head(plan).encode())
        if os.fstat(fd).st_size > table.end:
            os.ftruncate(fd, table.end)
        yield table
        table.sync()
    finally:
        os.close(fd)  # and with it the lock


def _lock(path: Path, fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise KrcsimError(
            f"{path} is being written by another sweep; wait for it, or choose another name"
        ) from None
    except OSError as exc:
        raise KrcsimError(
            f"{path} cannot be locked ({exc.strerror}); choose a place on another file system"
        ) from None


def _begin(table: Growing, data: bytes) -> None:
    try:
        os.ftruncate(table.fd, 0)
        written = os.pwrite(table.fd, data, 0)
        if written < len(data):
            os.pwrite(table.fd, data[written:], written)
        table.end = len(data)
    except OSError as exc:
        raise table.full(exc, 0) from None


def _there(path: Path, plan: Plan) -> tuple[int, int]:
    """Whole rows and their end in bytes; (0, 0) for a file without a whole head. Raises
    KrcsimError.
    """
    wanted = head(plan).encode()
    with path.open("rb") as stream:
        found = stream.read(len(wanted))
        if found != wanted:
            if wanted.startswith(found):  # nothing, or killed in its first line
                return 0, 0
            stream.seek(0)
            raise KrcsimError(_other(path, _read_head(stream), wanted.decode()))
        rows, end = 0, len(wanted)
        for line in _rows(path, stream, Seal(wanted.decode())):
            rows, end = rows + 1, end + len(line)
    if rows > plan.size:
        raise KrcsimError(
            f"{path} holds {rows} rows, its plan has {plan.size} points; choose another name"
        )
    return rows, end


def _read_head(stream: BinaryIO) -> str:
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


def _rows(path: Path, stream: BinaryIO, seal: Seal | None) -> Iterator[bytes]:
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


def _other(path: Path, text: str, wanted: str) -> str:
    """What differs between the heads of two tables."""
    mine, theirs = dict(_flat(_body(wanted))), {}
    with contextlib.suppress(KrcsimError):
        theirs = dict(_flat(_body(text)))
    if theirs.get("format") in OLD_FORMATS:
        return (
            f"{path} was begun by an older version (format {theirs['format']}), and is read but "
            "not gone on with; choose another name to compute all points now, or go on with the "
            "version that began it"
        )
    if theirs.get("format") != FORMAT:
        return f"{path} exists and is not a table of this kind of sweep; choose another name"
    names = sorted(
        {**mine, **theirs}, key=lambda name: name == "points"
    )  # the cause before its effect
    for name in (name for name in names if repr(mine.get(name)) != repr(theirs.get(name))):
        was, now = (shown(x[name]) if name in x else "nothing" for x in (theirs, mine))
        return (
            f"{path} was begun with {name} = {was}, and this sweep has {now}; choose another name, "
            "or go on with "
            "what it was begun with"
        )
    return f"{path} has other columns or another order of fields; choose another name"


def _flat(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


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
        text = _read_head(stream)
        try:
            plan = plan_in(text)
        except KrcsimError as exc:
            why = f": {exc}" if text else "; give a file made with --into"
            raise KrcsimError(f"{path} is not the table of a sweep{why}") from None
        body = _body(text)
        form = body["format"]
        lines = list(_rows(path, stream, None if form == FIRST_FORMAT else Seal(text)))

    parts = OLD_PARTS if form in OLD_FORMATS else PARTS
    there = _names(
        (*body.get("over", ()), *body.get("sample", ())), body["quantities"], parts, form
    )
    if text.splitlines()[-1] != _line(there).rstrip("\n"):
        raise KrcsimError(f"{path} does not have the columns of its plan; take the file as it was")

    rules = _rules(plan, there, parts)
    rows = tuple(_read_row(path, plan, rules, parts, line) for line in lines)
    kept = [at for at, name in enumerate(there) if not name.endswith(".rung")]
    names = _names(plan.fields, plan.quantities, PARTS, form)
    return Table(plan, names, tuple(tuple(row[at] for at in kept) for row in rows))


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


def result_of(table: Table) -> Result:
    """The answers of a table as a Result, which figures and replies read; refused points are left
    out.
    """
    plan, n = table.plan, len(table.plan.fields)
    names = tuple(name for name in plan.fields if name != "remedy")
    rows = []
    for _, *found in table.rows:
        values = dict(zip(plan.fields, found, strict=False))
        for k, quantity in enumerate(plan.quantities):
            parts: Any = found[n + k * len(PARTS) : n + (k + 1) * len(PARTS)]
            value, lo, hi, kind, method, count = parts
            if kind != "refused":
                e = Estimate(value, lo, hi, kind)
                rows.append(
                    (
                        str(values.get("remedy", "as given")),
                        *map(values.get, names),
                        plan.window,
                        quantity,
                        QUANTITIES[quantity].unit,
                        *columns_of(e, count, how_found(kind, method)),
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
