# SPDX-License-Identifier: GPL-2.0-only
"""Compiled code that is kept on disk: loaded if it is as it was written, else compiled again.

numba loads what it finds; a damaged file ends in any exception, or in machine code that does
something else. So a list of checksums stands beside the files, and what does not agree with it is
thrown away.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole

_TAG = f"py{sys.version_info[0]}{sys.version_info[1]}"
_SUMS = f"sums.{_TAG}.sha256"  # each Python keeps its own files
_LOCK_S = 300.0  # for another process to compile the same; then both do


def whole(make: Callable[[], Any], types: tuple[Any, ...]) -> Any:
    """A function that `make` decorates with numba.njit(cache=True), compiled for arguments of some
    types.

    Where the source is read-only and there is no home, it is kept in a folder of the user's own
    among the temporary files. What cannot be kept, because the disk is full, is compiled all the
    same. Raises KrcsimError.
    """
    function = _in_folder(make, None) or _in_folder(make, _own_folder())
    if function is None:
        raise KrcsimError(
            "the compiled engine can be kept nowhere; make one of these writable: the folder of "
            "krcsim, "
            "your home, or the folder for temporary files; or name another with "
            "NUMBA_CACHE_DIR=FOLDER"
        )
    folder = Path(function.stats.cache_path)
    with _alone(folder):
        if not _is_whole(folder):
            _throw_away(folder)
        try:
            function.compile(types)
        except OSError:  # compiled, but there was no room to keep it
            if not function.signatures:
                raise
        if function.stats.cache_misses:
            with contextlib.suppress(
                KrcsimError
            ):  # without sums it is compiled again the next time
                write_whole(folder / _SUMS, _sums(folder), overwrite=True)
    return function


def _in_folder(make: Callable[[], Any], folder: Path | None) -> Any:
    """The decorated function, kept in a folder or else where numba chooses; None if it finds no
    place.
    """
    before = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = str(folder) if folder else before
        return make()
    except RuntimeError as exc:
        if "no locator available" not in str(exc):
            raise
        return None
    finally:
        numba.config.CACHE_DIR = before


def _own_folder() -> Path | None:
    """A folder among the temporary files that only this user can write to; None if there is no such
    place.
    """
    try:
        folder = Path(tempfile.gettempdir()) / f"krcsim-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not found.st_mode & 0o077
        ):
            return folder
        return Path(tempfile.mkdtemp(prefix="krcsim-"))
    except OSError:
        return None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other process compiles into the folder, where the file system can tell."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            until = time.monotonic() + _LOCK_S
            while time.monotonic() < until:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.05)
        yield


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*.{_TAG}.*") if path.suffix in (".nbi", ".nbc"))


def _sums(folder: Path) -> bytes:
    """What sha256sum prints of the kept files."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in _files(folder)
    ]
    return "".join(lines).encode()


def _is_whole(folder: Path) -> bool:
    try:
        return (folder / _SUMS).read_bytes() == _sums(folder)
    except OSError:
        return False


def _throw_away(folder: Path) -> None:
    for path in [*_files(folder), folder / _SUMS]:
        path.unlink(missing_ok=True)
