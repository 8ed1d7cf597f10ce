# SPDX-License-Identifier: GPL-2.0-only
"""A table that grows: opened and locked by one sweep, gone on with where it ends."""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, shown
from krcsim.sweeps.head import FORMAT, OLD_FORMATS, body_of, head
from krcsim.sweeps.plan import Plan
from krcsim.sweeps.row import Seal
from krcsim.sweeps.table import read_head, whole_rows

SYNC_S = 1.0  # at most so much is lost when the power goes


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
        self.safe = self.rows
        self.synced = time.monotonic()

    def full(self, exc: OSError, rows: int) -> KrcsimError:
        """What to say when it cannot grow."""
        return KrcsimError(
            f"{self.path} cannot grow ({exc.strerror}); its {rows} rows are safe: free some space, "
            "then give the same command to go on"
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
            raise KrcsimError(_other(path, read_head(stream), wanted.decode()))
        rows = 0
        end = len(wanted)
        for line in whole_rows(path, stream, Seal(wanted.decode())):
            rows += 1
            end += len(line)
    if rows > plan.size:
        raise KrcsimError(
            f"{path} holds {rows} rows, its plan has {plan.size} points; choose another name"
        )
    return rows, end


def _other(path: Path, text: str, wanted: str) -> str:
    """What differs between the heads of two tables."""
    mine = dict(_flat(body_of(wanted)))
    theirs: dict[str, Any] = {}
    with contextlib.suppress(KrcsimError):
        theirs = dict(_flat(body_of(text)))
    if theirs.get("format") in OLD_FORMATS:
        return (
            f"{path} was begun by an older version (format {theirs['format']}), and is read but "
            "not gone on with; choose another name to compute all points now, or go on with the "
            "version that began it"
        )
    if theirs.get("format") != FORMAT:
        return f"{path} exists and is not a table of this kind of sweep; choose another name"

    # The cause before its effect.
    for name in sorted({**mine, **theirs}, key=lambda name: name == "points"):
        if repr(mine.get(name)) == repr(theirs.get(name)):
            continue
        was = shown(theirs[name]) if name in theirs else "nothing"
        now = shown(mine[name]) if name in mine else "nothing"
        return (
            f"{path} was begun with {name} = {was}, and this sweep has {now}; choose another name, "
            "or go on with what it was begun with"
        )
    return f"{path} has other columns or another order of fields; choose another name"


def _flat(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
