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

_TAG = f"py{sys.version_info[0]}{sys.version_info[1]}"  # each Python keeps its own files
_OLD_S = 30 * 86400.0  # kept code of this age, of another version, is taken away
_LOCK_S = 300.0  # for another process to compile the same; then both do


def whole(
    make: Callable[[], Any],
    types: tuple[Any, ...],
    name: str = "",
    *,
    check: Callable[[Any], bool] = lambda _function: True,
    say: Callable[[str], None] = lambda _text: None,
) -> Any:
    """A function that `make` decorates with numba.njit(cache=True), compiled for arguments of some
    types.

    `name`: a part of the function's qualified name that no other kept function has; `check`:
    whether the function is what was asked for, or else it is compiled again; `say` gets a sentence
    if it is kept elsewhere than usual, or not at all.

    Where the source is read-only and there is no home, it is kept in a folder of the user's own
    among the temporary files. What cannot be kept, because the disk is full, is compiled all the
    same. Raises KrcsimError.
    """
    function = _placed(make)
    folder = Path(function.stats.cache_path)
    with _alone(folder, name):
        if not _is_whole(folder, name):
            _throw_away(folder, name)
        _compile(function, types)
        if not check(function):
            _throw_away(folder, name)
            function = _placed(make)
            _compile(function, types)

        if function.stats.cache_misses:
            kept = _keep_sums(folder, name)
            _throw_away_old(folder, name)
            if not kept:
                say(
                    f"the compiled engine cannot be kept in {folder}; the next start compiles again"
                )
            elif not (numba.config.CACHE_DIR or _is_beside(function, folder)):
                say(
                    f"the folder of krcsim cannot be written to; the compiled engine is in {folder}"
                )
    return function


def is_kept(make: Callable[[], Any], name: str = "") -> bool:
    """Whether the compiled function is on disk, as whole() would find it."""
    try:
        return _is_whole(Path(_placed(make).stats.cache_path), name)
    except KrcsimError:
        return False


def _placed(make: Callable[[], Any]) -> Any:
    """The decorated function, with a folder where it can be kept; raises KrcsimError."""
    function = _in_folder(make, None) or _in_folder(make, _own_folder())
    if function is None:
        raise KrcsimError(
            "the compiled engine can be kept nowhere; make one of these writable: the folder of "
            "krcsim, "
            "your home, or the folder for temporary files; or name another with "
            "NUMBA_CACHE_DIR=FOLDER"
        )
    return function


def _compile(function: Any, types: tuple[Any, ...]) -> None:
    try:
        function.compile(types)
    except OSError:  # compiled, but there was no room to keep it
        if not function.signatures:
            raise


def _is_beside(function: Any, folder: Path) -> bool:
    """Whether the folder is the usual one, next to the source."""
    return folder.parent == Path(function.py_func.__code__.co_filename).parent


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
def _alone(folder: Path, name: str) -> Iterator[None]:
    """While no other process compiles the same into the folder, where the file system can tell."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            lock = os.open(
                folder / f"lock.{name}.{_TAG}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            stack.callback(os.close, lock)
            until = time.monotonic() + _LOCK_S
            while time.monotonic() < until:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.05)
        yield


def _files(folder: Path, name: str) -> list[Path]:
    """What numba keeps of a function."""
    found = folder.glob(f"*.{name}.*.{_TAG}.*" if name else f"*.{_TAG}.*")
    return sorted(path for path in found if path.suffix in (".nbi", ".nbc"))


def _sums_file(folder: Path, name: str) -> Path:
    return folder / f"sums.{name}.{_TAG}.sha256"


def _sums(folder: Path, name: str) -> bytes:
    """What sha256sum prints of the kept files."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in _files(folder, name)
    ]
    return "".join(lines).encode()


def _keep_sums(folder: Path, name: str) -> bool:
    """Write the checksums, without which it is compiled again the next time; whether all is
    kept.
    """
    try:
        sums = _sums(folder, name)
        write_whole(_sums_file(folder, name), sums, overwrite=True)
    except (KrcsimError, OSError):
        return False
    return b".nbc" in sums


def _is_whole(folder: Path, name: str) -> bool:
    try:
        return _sums_file(folder, name).read_bytes() == _sums(folder, name)
    except OSError:
        return False


def _throw_away(folder: Path, name: str) -> None:
    for path in [*_files(folder, name), _sums_file(folder, name)]:
        path.unlink(missing_ok=True)


def _throw_away_old(folder: Path, name: str) -> None:
    """Take away what versions of before have left; the last part of a name is a digest."""
    family, _, digest = name.rpartition("_")
    if not family:
        return
    before = time.time() - _OLD_S
    for path in folder.glob(f"*{family}_{'?' * len(digest)}*.{_TAG}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
