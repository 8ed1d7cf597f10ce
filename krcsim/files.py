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

def write_set(folder: Path, stem: str, files: dict[str, bytes]) -> list[Path]:
    """Write files of one stem by suffix, all or none, as stem, or stem-2, stem-3, ... where one is taken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise KrcsimError(f"the folder {folder} cannot be made ({exc.strerror}); choose another") from None
    for n in range(1, 1000):
        paths = [folder / f"{stem}{f'-{n}' if n > 1 else ''}{suffix}" for suffix in files]
        done: list[Path] = []
        if any(path.exists() for path in paths):
            continue
        try:
            for path, data in zip(paths, files.values(), strict=True):
                done.append(write_whole(path, data))
            return done
        except KrcsimError:
            for path in done:
                path.unlink(missing_ok=True)
            if not any(path.exists() for path in paths):  # else somebody took the name meanwhile
                raise
    raise KrcsimError(f"{folder} holds a thousand files named {stem}; move some away")
