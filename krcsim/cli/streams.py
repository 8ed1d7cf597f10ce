# SPDX-License-Identifier: GPL-2.0-only
"""Standard output and standard error as they may be: closed, full, gone, or without a sign for what
is to be said.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from krcsim.base.errors import KrcsimError

EVERY_S = (
    10.0  # between two lines of progress where there is no terminal; what is quicker says nothing
)


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
            "PYTHONIOENCODING=utf-8, "
            "or write to a file: --out NAME"
        ) from None
    except BrokenPipeError:
        silence(sys.stdout)
        raise KrcsimError(
            "whoever reads standard output went away before all was written; send it to a file "
            "instead "
            "if you want all of it"
        ) from None
    except OSError as exc:
        silence(sys.stdout)
        raise KrcsimError(
            f"standard output cannot be written ({exc.strerror or exc}); free some space, or send "
            "it "
            "somewhere else"
        ) from None


def check_output() -> None:
    """Raise KrcsimError if standard output is closed: said before the work, not after it."""
    if sys.stdout is None or sys.stdout.closed:
        raise KrcsimError("standard output is closed; send it to a file, or to /dev/null")


def note(text: str) -> None:
    """Write to standard error; if that is impossible nobody can be told, and the work goes on."""
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
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  it lives as long as the process


def on_terminal() -> bool:
    """Whether standard error is a terminal, where a line can be written over."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


@contextlib.contextmanager
def telling(quiet: bool, every_s: float = EVERY_S) -> Iterator[Callable[[str], None] | None]:
    """What tells on standard error how far the work is: one line written over, elsewhere a line now
    and then.

    The latest is told again while nothing new is said, so that long work does not look like a dead
    one.
    """
    if quiet:
        yield None
    elif on_terminal():
        yield lambda text: note(f"\r  {text[:70]:70}\r")
        note(f"\r{'':72}\r")
    else:
        yield from _now_and_then(every_s)


def _now_and_then(every_s: float) -> Iterator[Callable[[str], None]]:
    latest, over, begun = "at work", threading.Event(), time.monotonic()

    def hear(text: str) -> None:
        nonlocal latest
        latest = text

    def tell() -> None:
        while not over.wait(every_s):
            note(f"krcsim: {latest}; {time.monotonic() - begun:.0f} s so far\n")

    thread = threading.Thread(target=tell, name="krcsim progress", daemon=True)
    thread.start()
    try:
        yield hear
    finally:
        over.set()
        thread.join()
