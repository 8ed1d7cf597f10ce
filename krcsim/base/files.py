# SPDX-License-Identifier: GPL-2.0-only
"""Files written whole or not at all, and never over another one unless asked."""

import contextlib
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from krcsim.base.errors import KrcsimError


def write_whole(path: str | Path, data: bytes, *, overwrite: bool = False) -> Path:
    """Write `data` to `path` in one step; raises KrcsimError with the remedy if it cannot."""
    path = Path(path)
    write_all({path: data}, overwrite=overwrite)
    return path


def write_all(files: Mapping[Path, bytes], *, overwrite: bool = False) -> None:
    """Write several files, all or none of them.

    Raises KrcsimError with the remedy if one cannot be written.
    """
    check_free(files, overwrite)
    staged: dict[Path, Path] = {}  # the new files, under names of their own
    kept: dict[Path, Path] = {}  # second names of the files that are replaced
    added: set[Path] = set()  # names that were free before
    moved: list[Path] = []

    try:
        for path, data in files.items():
            staged[path] = _staged(path, data)

        for path, new in staged.items():
            if not is_there(path):
                added.add(path)
            elif old := _second_name(path):
                kept[path] = old
            _move(new, path, overwrite)
            moved.append(path)
    except BaseException:
        for path in reversed(moved):
            with contextlib.suppress(OSError):
                if path in kept:
                    kept[path].replace(path)
                elif path in added:
                    path.unlink()
        raise
    finally:
        for left in [*staged.values(), *kept.values()]:
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def check_free(paths: Mapping[Path, object] | list[Path], overwrite: bool) -> None:
    """Refuse names that cannot be written to, before any work is done for them."""
    for path in paths:
        if is_there(path) and not overwrite:
            raise KrcsimError(f"{path} exists already; choose another name or ask to overwrite it")
        if path.is_dir():
            raise KrcsimError(f"{path} is a folder; choose another name")


def is_there(path: Path) -> bool:
    """Whether a file has this name; raises KrcsimError for a name that none can have."""
    try:
        os.lstat(path)
        return True
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise KrcsimError(f"{path} cannot be a file's name ({why}); choose another") from None


def _staged(path: Path, data: bytes) -> Path:
    """The data in a file next to `path`, under another name.

    It is as readable as the file that it replaces, or as the user's umask has it.
    """
    new = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}"
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as exc:
        raise KrcsimError(
            f"nothing can be written into the folder {path.parent or '.'} "
            f"({exc.strerror}); make it, or choose another"
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode) & 0o777)
            stream.write(data)
            stream.flush()
            os.fsync(handle)
    except BaseException as exc:
        new.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise _unwritten(path, exc) from None
        raise
    return new


def _second_name(path: Path) -> Path | None:
    """Another name of a file that is about to be replaced, by which it can be put back.

    None where the file system has no links.
    """
    second = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}"
    try:
        os.link(path, second, follow_symlinks=False)
    except OSError:
        return None
    return second


def _move(new: Path, path: Path, overwrite: bool) -> None:
    """Give a finished file its name; fails if that is taken by now, unless it may overwrite."""
    try:
        if not overwrite:
            os.link(new, path)
            return
    except OSError as exc:  # also on a file system without hard links
        if isinstance(exc, FileExistsError) or path.exists():
            raise KrcsimError(f"{path} appeared meanwhile; choose another name") from None
    try:
        new.replace(path)
    except OSError as exc:
        raise _unwritten(path, exc) from None


def _unwritten(path: Path, exc: OSError) -> KrcsimError:
    return KrcsimError(
        f"{path} cannot be written ({exc.strerror}); nothing was left behind: "
        "free some space or choose another place"
    )


def write_set(folder: Path, stem: str, files: dict[str, bytes]) -> list[Path]:
    """Write files of one stem, by their suffixes: all of them or none.

    Where a name is taken the stem becomes stem-2, stem-3 and so on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise KrcsimError(f"the folder {folder} cannot be made ({why}); choose another") from None

    for number in range(1, 1000):
        numbered = stem if number == 1 else f"{stem}-{number}"
        named = {folder / f"{numbered}{suffix}": data for suffix, data in files.items()}
        if any(map(is_there, named)):
            continue
        try:
            write_all(named)
            return list(named)
        except KrcsimError:
            if not any(map(is_there, named)):  # else somebody took the name meanwhile
                raise

    raise KrcsimError(f"{folder} holds a thousand files named {stem}; move some away")
