# SPDX-License-Identifier: GPL-2.0-only
"""Standard output and standard error as they may be: closed, full, gone, or without a sign for what
is to be said.
"""

import contextlib
import os
import sys
from typing import Any

from krcsim.base.errors import KrcsimError


def say(text: str, end: str = "\n") -> None:
    """Write an answer to standard output, and see that it arrives; raises KrcsimError where it
    cannot.
    """
    check_output()
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except UnicodeEncodeError as exc:
        sign = ascii(exc.object[exc.start])
        raise KrcsimError(
            f"standard output is {exc.encoding} and has no sign for {sign}; set "
            "PYTHONIOENCODING=utf-8, or write to a file: --out NAME"
        ) from None
    except BrokenPipeError:
        silence(sys.stdout)
        raise KrcsimError(
            "whoever reads standard output went away before all was written; send it to a file "
            "instead if you want all of it"
        ) from None
    except OSError as exc:
        silence(sys.stdout)
        raise KrcsimError(
            f"standard output cannot be written ({exc.strerror or exc}); free some space, or send "
            "it somewhere else"
        ) from None


def check_output() -> None:
    """Raise KrcsimError if standard output is closed: before the work, not after it."""
    if sys.stdout is None or sys.stdout.closed:
        raise KrcsimError("standard output is closed; send it to a file, or to /dev/null")


def note(text: str) -> None:
    """Write to standard error; if that is impossible nobody can read it, and the work goes on."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except (OSError, ValueError):
        silence(sys.stderr)


def silence(stream: Any) -> None:
    """Let what a stream still holds go nowhere, or the interpreter would fail on it once more at
    its end.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def open_error() -> None:
    """Give what is written to a closed standard error somewhere to go, on the descriptor that a
    file would get.
    """
    if sys.stderr is None:
        # It lives as long as the process.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
