# SPDX-License-Identifier: GPL-2.0-only
"""The table of a large sweep: a head with the whole plan, then CSV, a line a point in order of the points.

CSV, because whatever draws or counts reads it; a line a point, because then a torn end is easily cut, and the number of
lines says where to go on. It holds no times and no hosts, so that whoever computes it gets the same bytes.
"""
import contextlib
import csv
import fcntl
import functools
import io
import json
import os
import stat
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from krcsim.measures import QUANTITIES
from krcsim_studies.question import ask
from krcsim.result import BASE, Cell, Result
from krcsim.scenario import UNSET, as_dict, from_dict, toml_text
from krcsim.study import Have, Stop
from krcsim.values import KrcsimError, shown
from krcsim_studies.grid import Plan, Range
from krcsim_studies.unseen import how_found
FORMAT = "krcsim-sweep/1"
PARTS = ("value", "lo", "hi", "kind", "method", "replications", "rung")  # of a quantity
SYNC_S = 1.0  # at most so much is lost when the power goes

@functools.cache
def versions() -> dict[str, str]:
    """What a table depends on beside its plan: releases, and a digest of the sources between two releases."""
    import numba
    import numpy
    import scipy
    import krcsim
    homes = Path(krcsim.__file__).parent, Path(__file__).parent
    sources = [path for home in homes for path in sorted(home.rglob("*.py"))]
    code = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    return {"krcsim": krcsim.__version__, "code": code, "numpy": numpy.__version__, "numba": numba.__version__,
        "scipy": scipy.__version__}

def head(plan: Plan) -> str:
    """The head of a plan's table: TOML behind `# `, and the line with the names of the columns."""
    import tomli_w
    body = {"format": FORMAT, "draws": plan.draws, "quantities": list(plan.quantities),
        "window": plan.window, "seed": plan.seed, "precision": plan.precision, "max_rung": plan.max_rung,
        "method": plan.method, "points": plan.size, "versions": versions(),
        "over": {name: [UNSET if v is None else v for v in values] for name, values in plan.over},
        "sample": {r.field: [r.lo, r.hi, r.how] for r in plan.sample}, "scenario": as_dict(plan.scenario)}
    text = tomli_w.dumps(body).replace("\n    ", " ").replace(",\n]", " ]")  # lists on one line
    return "".join(f"# {x}".rstrip() + "\n" for x in text.splitlines()) + _line(columns(plan))

def columns(plan: Plan) -> tuple[str, ...]:
    """Names of the columns."""
    parts = (q if part == "value" else f"{q}.{part}" for q in plan.quantities for part in PARTS)
    return ("point", *plan.fields, *parts, "refused")

def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()

def plan_in(text: str) -> Plan:
    """The plan in the head of a table; raises ValueError or KeyError for what is none."""
    body = tomllib.loads("\n".join(x[2:] for x in text.splitlines() if x.startswith("#")))
    over = tuple((k, tuple(None if x == UNSET else x for x in v)) for k, v in body["over"].items())
    sample = tuple(Range(k, *v) for k, v in body["sample"].items())
    return Plan(from_dict(body["scenario"]), over, sample, body["draws"], tuple(body["quantities"]), body["window"],
        body["seed"], body["precision"], body["max_rung"], body["method"])

def row(plan: Plan, i: int, stop: Stop | None = None) -> str:
    """The line of point i, computed now in this thread; what cannot be asked of it is said in the last column."""
    values, cells, why = plan.values(i), [], ""
    scenario = None
    have: Have = {}  # the quantities share their replications
    for quantity in plan.quantities:
        try:
            scenario = scenario or plan.point(i)
            f = ask(scenario, quantity, window=plan.window, seed=plan.seed, precision=plan.precision,
                max_rung=plan.max_rung, method=plan.method, stop=stop, have=have, workers=1)
            e = f.estimate
            cells += [e.value, e.lo, e.hi, e.kind, f.method, f.replications, f.rung]
        except KrcsimError as exc:
            cells += [None, None, None, "refused", None, None, None]
            why = why or " ".join(str(exc).split())
    return _line([i, *map(_text, values.values()), *map(_text, cells), why])

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
        """Add rows; raises KrcsimError when the disk takes no more, and leaves whole rows behind."""
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
        return KrcsimError(f"{self.path} cannot grow ({exc.strerror}); its {rows} rows are safe: free some space, then "
            "give the same command to go on")

@contextlib.contextmanager
def growing(path: str | Path, plan: Plan) -> Iterator[Growing]:
    """The table of a plan, new or with the rows that it has, locked while it is open; raises KrcsimError."""
    path = Path(path)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    except OSError as exc:
        raise KrcsimError(f"{path} cannot be opened for writing ({exc.strerror}); choose another place") from None
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
        raise KrcsimError(f"{path} is being written by another sweep; wait for it, or choose another name") from None
    except OSError as exc:
        raise KrcsimError(f"{path} cannot be locked ({exc.strerror}); choose a place on another file system") from None

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
    """Whole rows and their end in bytes; (0, 0) for a file without a whole head. Raises KrcsimError."""
    wanted = head(plan).encode()
    with path.open("rb") as stream:
        found = stream.read(len(wanted))
        if found != wanted:
            if wanted.startswith(found):  # nothing, or killed in its first line
                return 0, 0
            stream.seek(0)
            raise KrcsimError(_other(path, _read_head(stream), wanted.decode()))
        rows, end = 0, len(wanted)
        for line in _rows(path, stream):
            rows, end = rows + 1, end + len(line)
    if rows > plan.size:
        raise KrcsimError(f"{path} holds {rows} rows, its plan has {plan.size} points; choose another name")
    return rows, end

def _read_head(stream: BinaryIO) -> str:
    """The lines of a head up to the names of the columns, or "" if there is none."""
    lines = []
    for line in iter(lambda: stream.readline(10_000_000), b""):
        lines.append(line)
        if not line.startswith(b"#"):
            break
    try:
        return b"".join(lines).decode() if lines and lines[-1].startswith(b"point,") else ""
    except UnicodeDecodeError:
        return ""

def _rows(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    """The whole rows after a head; a last line without an end was torn, and is left out."""
    for n, line in enumerate(stream):
        if not line.endswith(b"\n"):
            return
        if not line.startswith(b"%d," % n):
            raise KrcsimError(f"{path} was changed: what should be the row of point {n} is {shown(line[:40])}; "
                "take the file as it was, or choose another name")
        yield line

def _other(path: Path, text: str, wanted: str) -> str:
    """What differs between the heads of two tables."""
    try:
        mine, theirs = (dict(_flat(tomllib.loads("\n".join(x[2:] for x in t.splitlines() if x.startswith("#")))))
            for t in (wanted, text))
    except tomllib.TOMLDecodeError:
        theirs = {}
    if theirs.get("format") != FORMAT:
        return f"{path} exists and is not a table of this kind of sweep; choose another name"
    names = sorted({**mine, **theirs}, key=lambda name: name == "points")  # the cause before its effect
    for name in (name for name in names if repr(mine.get(name)) != repr(theirs.get(name))):
        was, now = (shown(x[name]) if name in x else "nothing" for x in (theirs, mine))
        return f"{path} was begun with {name} = {was}, and this sweep has {now}; choose another name, or go on with " \
            "what it was begun with"
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
    """Read a table, complete or not; raises KrcsimError for what is none."""
    try:
        with Path(path).open("rb") as stream:
            text = _read_head(stream)
            plan = plan_in(text) if text else None
            lines = [line.decode() for line in _rows(Path(path), stream)] if plan else []
    except OSError as exc:
        raise KrcsimError(f"table {path} cannot be read ({exc.strerror}); give the file of a sweep") from None
    except (KeyError, TypeError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        plan = None
    if plan is None:
        raise KrcsimError(f"{path} is not the table of a sweep; give a file made with --into") from None
    return Table(plan, columns(plan), tuple(tuple(map(_cell, cells)) for cells in csv.reader(lines)))

def _cell(text: str) -> Cell:
    """A cell as a number, a flag, nothing or a word."""
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(text)
    return dict(true=True, false=False).get(text, text or None)

def result_of(table: Table) -> Result:
    """The answers of a table as a Result, which figures and replies read; refused points are left out."""
    plan, n = table.plan, len(table.plan.fields)
    names = tuple(name for name in plan.fields if name != "remedy")
    rows = []
    for _, *cells in table.rows:
        values = dict(zip(plan.fields, cells, strict=False))
        for k, quantity in enumerate(plan.quantities):
            value, lo, hi, kind, method, replications, rung = cells[n + k * len(PARTS) : n + (k + 1) * len(PARTS)]
            if kind != "refused":
                rows.append((str(values.get("remedy", "as given")), *map(values.get, names), plan.window, quantity,
                    QUANTITIES[quantity].unit, value, lo, hi, kind, replications, rung,
                    how_found(str(kind), str(method))))
    return Result(("remedy", *names, *BASE), tuple(rows), (), {"command": "(a table of a sweep)", "seed": plan.seed,
        "scenario": toml_text(plan.scenario), "rungs": {}, "versions": versions()})
