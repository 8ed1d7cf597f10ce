# SPDX-License-Identifier: GPL-2.0-only
"""Files written whole or not at all, and never over another one unless asked."""
import contextlib
import os
import tempfile
from pathlib import Path
from krcsim.values import KrcsimError

def write_whole(path: str | Path, data: bytes, *, overwrite: bool = False) -> Path:
    """Write `data` to `path` in one step; raises KrcsimError with the remedy if it cannot."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise KrcsimError(f"{path} exists already; choose another name or ask to overwrite it")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    except OSError as exc:
        raise KrcsimError(f"nothing can be written into the folder {path.parent or '.'} "
            f"({exc.strerror}); make it, or choose another") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        _move(name, path, overwrite)
    except OSError as exc:
        raise KrcsimError(f"{path} cannot be written ({exc.strerror}); nothing was left behind: "
            "free some space or choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()
    return path

def _move(name: str, path: Path, overwrite: bool) -> None:
    """Give a finished file its name; unless it may overwrite, fail if the name is taken by now."""
    try:
        if not overwrite:
            os.link(name, path)
            return
    except OSError as exc:  # also on a file system without hard links
        if isinstance(exc, FileExistsError) or path.exists():
            raise KrcsimError(f"{path} appeared meanwhile; choose another name") from None
    Path(name).replace(path)

def free_name(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that does not exist."""
    n, free = 1, path
    while free.exists():
        n += 1
        free = path.with_name(f"{path.stem}-{n}{path.suffix}")
    return free
