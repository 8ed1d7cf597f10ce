# SPDX-License-Identifier: GPL-2.0-only
"""How far long work is, on standard error: a line that is written over on a terminal, elsewhere a
plain line now and then.
"""

import contextlib
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from krcsim.cli.streams import note

# Between two lines where there is no terminal; what is quicker than the first says nothing.
REPORT_EVERY_S = 10.0
COUNT_EVERY_S = 60.0

_WIDTH = 24  # of a bar
_RATE_OVER_S = 60.0  # the rate of a sweep is that of the last minute


class _StandardError(io.StringIO):
    """Standard error for rich: what cannot be written is dropped, and the work goes on."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(sys.stderr, "encoding", None) or "ascii"

    def isatty(self) -> bool:
        return on_terminal()

    def write(self, text: str) -> int:
        note(text)
        return len(text)


def on_terminal() -> bool:
    """Whether standard error is a terminal, where a line can be written over."""
    if os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


@contextlib.contextmanager
def reporting(
    quiet: bool, every_s: float = REPORT_EVERY_S
) -> Iterator[Callable[[str], None] | None]:
    """What shows a sentence about the work; None if nothing is to be shown.

    The latest is said again while nothing new comes, so that long work does not look like a dead
    one.
    """
    if quiet:
        yield None
    elif on_terminal():
        yield from _line_written_over()
    else:
        yield from _now_and_then(every_s)


def _line_written_over() -> Iterator[Callable[[str], None]]:
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn("line"), text, TimeElapsedColumn())
    with _on_screen(*columns, transient=True) as progress:
        task = progress.add_task("at work", total=None)
        yield lambda text: progress.update(task, description=text, refresh=True)


def _on_screen(*columns: Any, **how: Any) -> Any:
    """A display of rich that writes to standard error, and takes neither stream for itself."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns,
        console=Console(file=_StandardError()),
        redirect_stdout=False,
        redirect_stderr=False,
        **how,
    )


def _now_and_then(every_s: float) -> Iterator[Callable[[str], None]]:
    latest = "at work"
    is_over = threading.Event()
    began = time.monotonic()

    def hear(text: str) -> None:
        nonlocal latest
        latest = text

    def repeat() -> None:
        while not is_over.wait(every_s):
            note(f"krcsim: {latest}; {time.monotonic() - began:.0f} s so far\n")

    thread = threading.Thread(target=repeat, name="krcsim progress", daemon=True)
    thread.start()
    try:
        yield hear
    finally:
        is_over.set()
        thread.join()


@contextlib.contextmanager
def counting(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """What shows how many points of a sweep are done, and how long the rest takes; None if nothing
    is to be shown.
    """
    if quiet:
        yield None
    elif on_terminal():
        yield from _bar()
    else:
        yield counted_lines(note)


def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, Task, TextColumn

    class Rest(TextColumn):
        """The rate, and the time left."""

        def render(self, task: Task) -> Any:
            self.text_format = rate_and_time_left(task.speed or 0.0, task.remaining or 0)
            return super().render(task)

    columns = (
        BarColumn(_WIDTH),
        TextColumn("{task.percentage:3.0f} %  {task.completed:,} of {task.total:,} points"),
        Rest(""),
    )
    with _on_screen(*columns, speed_estimate_period=_RATE_OVER_S) as progress:
        task: Any = None

        def count(done: int, size: int) -> None:
            nonlocal task
            if task is None:  # what was there before is not counted into the rate
                task = progress.add_task("", total=size, completed=done)
            progress.update(task, completed=done, refresh=done >= size)

        yield count


def counted_lines(
    write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int], None]:
    """What writes a line a minute: share, points, rate, time left."""
    seen: deque[tuple[float, int]] = deque()
    shown_at = clock()
    calls = 0

    def count(done: int, size: int) -> None:
        nonlocal shown_at, calls
        now = clock()
        calls += 1
        seen.append((now, done))

        if calls == 2:  # the first task brings the start of its worker with it
            seen.popleft()
        while len(seen) > 2 and seen[1][0] < now - _RATE_OVER_S:
            seen.popleft()

        if now - shown_at >= COUNT_EVERY_S:
            shown_at = now
            write(_counted(seen, size) + "\n")

    return count


def _counted(seen: deque[tuple[float, int]], size: int) -> str:
    """The line for (time, points done), the oldest first."""
    began_at, first = seen[0]
    now, done = seen[-1]
    rate = (done - first) / (now - began_at) if now > began_at else 0.0

    full = _WIDTH * done // max(1, size)
    bar = f"[{'#' * full}{'.' * (_WIDTH - full)}]"
    text = f"{bar} {100 * done // max(1, size):3d} %  {done:,} of {size:,} points"
    return f"{text}  {rate_and_time_left(rate, size - done)}".rstrip()


def rate_and_time_left(rate: float, remaining: float) -> str:
    """The rate in points a second and how long the rest takes; "" where that cannot be said."""
    if rate <= 0 or remaining <= 0:
        return ""
    return f"{rate:,.3g}/s  {length_of_time(remaining / rate)} left"


def length_of_time(seconds: float) -> str:
    """A length of time in the two units that matter: 41 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    whole = round(seconds)
    units = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))

    for unit, name, part, small in units:
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // part} {small}"
    return f"{whole} s"
