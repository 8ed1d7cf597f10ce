# SPDX-License-Identifier: GPL-2.0-only
"""Who waits for something that is not the answer itself hears for what, and about how long."""

import contextlib
import sys
from collections.abc import Callable, Iterator

Listener = Callable[[str], None]


def to_standard_error(text: str) -> None:
    """Write a line to standard error; if that is impossible, nobody hears it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"krcsim: {text}\n")
        sys.stderr.flush()


_listener: Listener | None = to_standard_error


def announce(text: str) -> None:
    """Say for what one has to wait."""
    if _listener is not None:
        _listener(text)


@contextlib.contextmanager
def announced_to(listener: Listener | None) -> Iterator[None]:
    """Meanwhile, `listener` gets what is announced, in any thread; None: nobody does."""
    global _listener  # noqa: PLW0603  one for the whole process, as standard error is
    before = _listener
    _listener = listener
    try:
        yield
    finally:
        _listener = before
