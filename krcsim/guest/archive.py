# SPDX-License-Identifier: GPL-2.0-only
"""Archives that a kernel unpacks at boot (cpio, newc), the same bytes for the same files."""

import gzip
from collections.abc import Mapping

from krcsim.base.errors import KrcsimError

DIRECTORY = 0o040755
PROGRAM = 0o100755
FILE = 0o100644


def archive(entries: Mapping[str, tuple[int, bytes]]) -> bytes:
    """The compressed archive of paths with their modes and contents.

    A folder must stand before what it holds. Raises KrcsimError for what does not go into one.
    """
    parts = [
        _record(inode, path, mode, data)
        for inode, (path, (mode, data)) in enumerate(entries.items(), 1)
    ]
    parts.append(_record(0, "TRAILER!!!", 0, b""))
    return gzip.compress(b"".join(parts), 1, mtime=0)


def _record(inode: int, path: str, mode: int, data: bytes) -> bytes:
    if len(data) >= 1 << 32 or not path.isprintable():
        raise KrcsimError(
            f"{path} does not go into an archive; allowed: less than 4 GiB, under a printable name"
        )
    name = path.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device (two pairs), length of the name, check sum
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
