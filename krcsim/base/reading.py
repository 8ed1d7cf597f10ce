# SPDX-License-Identifier: GPL-2.0-only
"""Reading text, TOML and JSON that others wrote: bounded in size and time."""

import errno
import json
import os
import re
import select
import stat
import tomllib
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, refuse, shown
from krcsim.base.fields import is_finite

_PATIENCE_S = 60.0  # for the next part of a text that comes through a pipe

# Values, keys and lines of a TOML text: more take Python's reader more than a second.
_MOST_PARTS = 200_000

_MOST_NAMES = 16  # in one dotted key: the time that Python's reader takes grows with their square

# A key of too many names, bare or in quotes. A match cannot begin within a name, so that it is
# looked for only once.
_LONG_KEY = re.compile(
    r"""(?:(?:(?<![\w-])[\w-]++|(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    + f"{{{_MOST_NAMES}}}"
)


def read_text(path: str | Path, what: str, remedy: str, most: int = 10) -> str:
    """The text of a user's file, or of a pipe, of at most `most` MB; raises KrcsimError."""
    refuse(
        not isinstance(path, (str, os.PathLike)), f"the name of the {what}", path, "a path", remedy
    )
    try:
        raw = _read(path, most * 1_000_000 + 1)
        if len(raw) <= most * 1_000_000:
            return raw.decode()
        reason = f"it is larger than {most} MB: shorten it"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text: save it as such"
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
    raise KrcsimError(f"{what} {path} cannot be read ({reason}); {remedy}")


def _read(path: str | Path, most: int) -> bytes:
    """Up to `most` bytes of a file, or of what is written into a pipe.

    Raises OSError where nothing comes through the pipe for a while.
    """
    parts = []
    left = most
    with os.fdopen(
        os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0
    ) as stream:
        pipe = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
        while left > 0:
            part = stream.read(min(left, 1 << 20))
            if part is None:  # somebody holds the other end and has not written yet
                if not select.select([stream], [], [], _PATIENCE_S)[0]:
                    raise OSError(errno.ETIMEDOUT, f"nothing came through it for {_PATIENCE_S:g} s")
                continue
            if not part:
                break
            parts.append(part)
            left -= len(part)
        if pipe and not parts:
            raise OSError(errno.ENODATA, "it is a pipe that nobody writes into")
    return b"".join(parts)


def read_toml(text: str, what: str) -> dict[str, Any]:
    """The tables of a TOML text; raises KrcsimError.

    What would take Python's reader seconds is refused at once.
    """
    parts = sum(map(text.count, ",=[\\\n"))
    if parts > _MOST_PARTS:
        raise KrcsimError(
            f"{what} holds {parts:,} values, keys and lines; allowed: up to {_MOST_PARTS:,}; "
            "shorten it"
        )

    if long := _LONG_KEY.search(text):
        raise KrcsimError(
            f"{what} has a key of {_MOST_NAMES} names and more, {shown(long[0])}; allowed: up to "
            "three; write for example allocator.episode.page"
        )

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise KrcsimError(f"{what} nests too deeply; write flat tables") from None
    except ValueError as exc:  # also a number of more digits than Python reads
        raise KrcsimError(f"{what} is not TOML: {exc}; mend that place") from None


def read_json(text: str, what: str) -> Any:
    """What a JSON text holds, all numbers finite and no name given twice; raises KrcsimError."""
    try:
        return json.loads(
            text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_each_once
        )
    except (ValueError, RecursionError):
        raise KrcsimError(f"{what} is not JSON or was cut short") from None


def _finite(word: str) -> float:
    if not is_finite(found := float(word)):
        raise ValueError("a number that is not finite")
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found
