# SPDX-License-Identifier: GPL-2.0-only
"""A large sweep into a table, on threads, processes, Dask, or whatever offers concurrent.futures.

Rows are computed out of order within a bounded window and written in order: who computed what
changes nothing.
"""

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.runs.ladder import Progress, Stop, processors
from krcsim.runs.replications import Stopped
from krcsim.sweeps.digest import versions
from krcsim.sweeps.growing import growing
from krcsim.sweeps.head import head, plan_in
from krcsim.sweeps.plan import Plan
from krcsim.sweeps.row import Seal, row

WHERE = ("threads", "processes")
_TASK_S = 0.5  # wanted of a task; only how points are shared out hangs on the clock
_MAX_TASK = 4096  # points
_AHEAD = 4  # tasks in hand for each worker
_TRIES = 3  # new pools in a row without a new row
_POLL_S = 0.2
Lines = tuple[list[str], float]


def sweep_into(
    path: str | Path,
    plan: Plan,
    *,
    executor: Executor | str | None = None,
    workers: int | Callable[[], int] | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Compute what a plan's table lacks and append it; returns the rows it has then. Raises
    KrcsimError.

    `executor`: "threads" (the default), "processes", or an Executor, which is left open. `workers`:
    how many work at once (all CPUs; for an executor of your own, how far to run ahead of the rows).
    `progress(done, size)` is called after each task; a nonzero stop[0] or Ctrl-C ends early and
    keeps what is done. `say` is called with a line when a worker died.
    """
    if not isinstance(executor, Executor):
        refuse(
            executor not in (None, *WHERE),
            "executor",
            executor,
            "threads, processes, or an Executor",
            "name one",
        )
    if not callable(workers):
        check_whole("workers", workers or 0, 99_999, "leave it out for all CPUs")

    make = _pool_maker(executor, workers)
    report = progress or (lambda _done, _size: None)
    with growing(path, plan) as table:
        report(table.rows, plan.size)
        tries = 0
        while table.rows < plan.size and not (stop is not None and stop[0]):
            before = table.rows

            try:
                with (
                    make() as pool,
                    contextlib.closing(
                        _in_order(pool, plan, table.rows, _slots(pool, workers), stop)
                    ) as done,
                ):
                    for lines in done:
                        table.append(lines)
                        report(table.rows, plan.size)
                break
            except BrokenExecutor as exc:
                tries = tries + 1 if table.rows == before else 1
                if isinstance(executor, Executor) or tries > _TRIES:
                    raise KrcsimError(
                        f"a worker died at point {table.rows} or soon after, again and again: too "
                        f"little memory?; the {table.rows} rows of {path} are safe: give the same "
                        "command to go on"
                    ) from exc
                if say:
                    say(f"a worker died; {table.rows} rows are safe, going on with new workers")
        return table.rows


def computed(text: str, first: int, last: int, stop: Stop | None = None) -> Lines:
    """What a worker does: the lines of points first .. last - 1 of the plan in a head, and the
    seconds it took.
    """
    plan = _plan(text)
    seal = Seal(text)
    began = time.perf_counter()
    lines: list[str] = []
    for number in range(first, last):
        try:
            lines.append(row(plan, number, seal, stop))
        except Stopped:
            break
    return lines, time.perf_counter() - began


@functools.lru_cache(maxsize=4)
def _plan(text: str) -> Plan:
    plan = plan_in(text)
    if head(plan) != text:
        here = ", ".join(f"{name} {version}" for name, version in versions().items())
        raise KrcsimError(
            f"a worker has other versions ({here}) than the table; install the same everywhere"
        )
    return plan


def _in_order(
    pool: Executor, plan: Plan, first: int, slots: Callable[[], int], stop: Stop | None
) -> Generator[list[str], None, None]:
    """The lines of points from `first` on, in order, task by task; those that are done when it is
    asked to stop.
    """
    text = head(plan)
    halt = np.zeros(1, np.int64)
    at = first
    size = 1  # points of a task
    interrupted = False
    shared = isinstance(pool, ThreadPoolExecutor)  # others would get a copy
    tasks: deque[tuple[int, Future[Lines]]] = deque()  # with the number of their points
    try:
        while at < plan.size or tasks:
            with _in_a_line():
                room = 0 if halt[0] else _AHEAD * slots() - len(tasks)
                for _ in range(room):
                    last = min(plan.size, at + size)
                    if last > at:
                        tasks.append(
                            (last - at, pool.submit(computed, text, at, last, *[halt] * shared))
                        )
                    at = last
            if not tasks:
                break

            points, task = tasks[0]
            try:
                wait([task], _POLL_S)
            except KeyboardInterrupt:
                if halt[0]:  # a second time: at once
                    raise
                interrupted = True
            if not halt[0] and (interrupted or stop is not None and stop[0]):
                halt[0] = 1
                for _, later in reversed(tasks):  # the last first: what is done stays without a gap
                    later.cancel()

            elif task.done():
                if halt[0] and task.cancelled():
                    break
                with _in_a_line():
                    lines, seconds = task.result()
                tasks.popleft()
                yield lines
                if len(lines) < points:  # stopped within: what follows would leave a gap
                    break
                wanted = int(_TASK_S * points / max(seconds, 1e-6))
                size = max(1, min(wanted, 4 * size, _MAX_TASK))
    finally:
        halt[0] = 1
        for _, task in tasks:
            task.cancel()
    if interrupted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _in_a_line() -> Iterator[None]:
    """Say in a line what went wrong in an executor or a task."""
    try:
        yield
    except (BrokenExecutor, KrcsimError):
        raise
    # of a foreign executor too: a cluster that is gone, a worker that was killed four times
    except Exception as exc:
        said = " ".join(str(exc).split())[:200] or "its scheduler or worker is gone"
        why = f"{type(exc).__name__}: {said}"
        raise KrcsimError(
            f"a task failed ({why}); the rows written are safe: give the same command to go on"
        ) from exc


def _slots(pool: Executor, workers: int | Callable[[], int] | None) -> Callable[[], int]:
    """How many tasks run at once."""
    if callable(workers):
        return workers
    known = workers or getattr(pool, "_max_workers", None) or processors()
    return lambda: known


def _pool_maker(executor: Executor | str | None, workers: Any) -> Callable[[], Any]:
    if isinstance(executor, Executor):
        return lambda: contextlib.nullcontext(executor)
    count = workers() if callable(workers) else workers or processors()
    return (
        functools.partial(_processes, count)
        if executor == "processes"
        else lambda: ThreadPoolExecutor(count)
    )


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """Processes of their own, ended at once if something goes wrong."""
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin)
    try:
        yield pool
    except BaseException:
        for process in list(
            (getattr(pool, "_processes", None) or {}).values()
        ):  # there is no public way before 3.14
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a new process: leave Ctrl-C to the parent, and end when the parent ends, however it
    does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        wait_for([parent.sentinel])  # type: ignore[union-attr]
        os._exit(1)

    if parent:
        threading.Thread(target=follow, daemon=True).start()
