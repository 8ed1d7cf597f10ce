# SPDX-License-Identifier: GPL-2.0-only
"""Files that a browser gives, kept where readers find them; nothing of their names is trusted."""

import atexit
import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError

MOST_MB = 8  # Jupyter's server takes no larger messages than 10 MB
MOST_FILES = 50
_SAFE = re.compile(r"[^\w.-]+", re.ASCII)

_folders: list[tempfile.TemporaryDirectory[str]] = []  # one for a process, gone at its end


@dataclass(frozen=True)
class Given:
    """Files by (name as people know it, path)."""

    files: tuple[tuple[str, str], ...]

    def paths(self) -> list[Path]:
        """Where they are."""
        return [Path(path) for _, path in self.files]

    @classmethod
    def of_upload(cls, uploaded: Iterable[Mapping[str, Any]]) -> "Given":
        """What FileUpload has, as files of a temporary folder; raises KrcsimError."""
        files = list(uploaded)
        if len(files) > MOST_FILES:
            raise KrcsimError(f"{len(files)} files; allowed: {MOST_FILES} at most, drop fewer")
        return cls(tuple(_kept(str(one["name"]), bytes(one["content"])) for one in files))


def _kept(name: str, content: bytes) -> tuple[str, str]:
    safe = _SAFE.sub("_", Path(name.replace("\\", "/")).name)[-60:].lstrip(".-") or "recording"
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="krcsim-recording-"))
        atexit.register(_folders[0].cleanup)
    folder = Path(_folders[0].name) / hashlib.sha256(content).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    path = folder / safe
    path.write_bytes(content)
    return safe, str(path)


def without_folders(text: str, given: Given) -> str:
    """A sentence with files as people know them, and not where they are kept."""
    for name, path in given.files:
        text = text.replace(path, name)
    return text
