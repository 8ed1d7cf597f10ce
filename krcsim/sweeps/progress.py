# SPDX-License-Identifier: GPL-2.0-only
"""How far a large sweep is, and how long it still takes."""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from krcsim.runs.ladder import Progress

_WIDTH = 24
_EVERY_S = 0.1  # on a terminal
_LOG_S = 60.0  # elsewhere, so that a log stays short
_MEMORY_S = 60.0  # the rate is that of the last minute


def bar(stream: TextIO, clock: Callable[[], float] = time.monotonic) -> Progress:
    """A callback that keeps a line on a terminal: share, points, rate, time left; elsewhere it
    writes one a minute.
    """
    terminal, seen = stream.isatty(), deque[tuple[float, int]]()
    shown, calls = clock() - (_EVERY_S if terminal else 0.0), 0

    def progress(done: int, size: int) -> None:
        nonlocal shown, calls
        now, calls = clock(), calls + 1
        seen.append((now, done))
        if (
            calls == 2
        ):  # the first task brings the start of its worker with it: the rate counts from its end
            seen.popleft()
        while len(seen) > 2 and seen[1][0] < now - _MEMORY_S:
            seen.popleft()
        if now - shown < (_EVERY_S if terminal else _LOG_S) and (done < size or not terminal):
            return
        shown = now
        with contextlib.suppress(OSError, ValueError):  # full or gone: the work goes on without
            stream.write(
                f"\r\x1b[K{line(seen, size)}" + "\n" * (done >= size)
                if terminal
                else line(seen, size) + "\n"
            )
            stream.flush()

    return progress


def line(seen: deque[tuple[float, int]], size: int) -> str:
    """The line for (time, points done) pairs, the oldest first."""
    (t0, n0), (t1, n1) = seen[0], seen[-1]
    full = _WIDTH * n1 // max(1, size)
    text = (
        f"[{'#' * full}{'.' * (_WIDTH - full)}] {100 * n1 // max(1, size):3d} %  {n1:,} of "
        f"{size:,} points"
    )
    if n1 >= size:
        return text
    rate = (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0
    return f"{text}  {rate:,.3g}/s  {span((size - n1) / rate)} left" if rate > 0 else text


def span(seconds: float) -> str:
    """A length of time in the two units that matter: 41 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    s = round(seconds)
    for unit, name, part, small in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if s >= unit:
            return f"{s // unit} {name} {s % unit // part} {small}"
    return f"{s} s"
