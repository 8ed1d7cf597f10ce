# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim sweep`: a small grid in memory, or with --into a large one, stopped and gone on with at
will.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from cyclopts import Group

from krcsim.base.errors import KrcsimError, shown
from krcsim.base.fields import check_whole
from krcsim.base.files import is_there
from krcsim.cli import completion
from krcsim.cli.arguments import pairs, scenario_from
from krcsim.cli.options import Asked, Verb, is_given, option, repeated
from krcsim.cli.progress import counting
from krcsim.cli.streams import note, say
from krcsim.cli.values import Whole
from krcsim.cli.verbs import compare
from krcsim.cli.verbs.compare import Compared, over_of
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import value_from

if TYPE_CHECKING:  # at run time these need numba, which no other verb should wait for
    from krcsim.runs.ladder import Stop
    from krcsim.sweeps.plan import Plan

TABLE = Group("A table of many points", sort_key=1.5)

_WITH_TABLE_ONLY = ("sample", "points", "window", "method", "workers", "on")
_NEVER_WITH_TABLE = ("out", "json", "pin", "by-episode", "remedies", "overwrite")


@dataclass(frozen=True, kw_only=True)
class Sweep(Compared, Asked):
    """A grid of values; with --into a large one, or a sample, into a table."""

    verb: ClassVar[str] = "sweep"

    into: Annotated[
        str,
        option(
            "append to this table as points are done; given again, a stopped sweep goes on",
            TABLE,
            metavar="FILE",
        ),
    ] = ""

    sample: Annotated[
        list[str],
        option(
            "draw a field from a range; needs --into and --points; again for more fields",
            TABLE,
            metavar="FIELD=LO:HI[:log|whole]",
            completer=completion.fields_with_values,
        ),
    ] = repeated()

    points: Annotated[Whole, option("draws of a sample", TABLE, metavar="N")] = 0

    workers: Annotated[
        Whole, option("how many work at once; 0 for all CPUs", TABLE, metavar="N")
    ] = 0

    on: Annotated[
        str,
        option(
            "threads, processes, dask (on this machine) or dask:ADDRESS",
            TABLE,
            metavar="WHERE",
            show_default=True,
        ),
    ] = "threads"


def check(options: Sweep) -> None:
    """Refuse options that do not go together."""
    compare.check(options)

    if not options.into:
        for name in _WITH_TABLE_ONLY:
            if is_given(options, name):
                raise KrcsimError(f"--{name} of sweep needs a table to write to; add --into FILE")
        return

    if options.budget is not None:
        raise KrcsimError(
            "--budget does not go with --into, where each point is asked by itself; leave it out"
        )
    for name in _NEVER_WITH_TABLE:
        if is_given(options, name):
            raise KrcsimError(
                f"--{name} does not go with --into; leave it out: the table holds the plan and all "
                "answers"
            )

    kind, colon, _ = options.on.partition(":")
    if kind not in ("threads", "processes", "dask") or (colon and kind != "dask"):
        raise KrcsimError(
            f"--on is {shown(options.on)}; allowed: threads, processes, dask, dask:ADDRESS"
        )
    check_whole("--workers", options.workers, 99_999, "leave it out for all CPUs")

    table = Path(options.into)
    if not is_there(table) and not table.parent.is_dir():
        raise KrcsimError(f"{table.parent} is not a folder; make it, or choose another")


def run(options: Sweep, command: str) -> None:
    """Fill a table, or a small grid in memory."""
    if options.into:
        run_into(options, scenario_from(options), over_of(options))
    else:
        compare.run(options, command)


def plan_from(options: Sweep, scenario: Scenario, over: dict[str, list[Any]]) -> "Plan":
    """The plan that the options ask for; raises KrcsimError."""
    from krcsim.sweeps.plan import plan_of

    sample = {
        name: tuple(map(value_from, text.split(":")))
        for name, text in pairs("--sample", options.sample).items()
    }
    return plan_of(
        scenario,
        over,
        sample=sample,
        points=options.points,
        quantities=tuple(options.quantity) or ("p_wait",),
        window=options.window,
        seed=options.seed,
        precision=options.precision,
        method=options.method,
        max_runs=options.max_runs,
    )


def run_into(options: Sweep, scenario: Scenario, over: dict[str, list[Any]]) -> None:
    """Fill the table, or go on with it, and say what it holds.

    Raises SystemExit with the status of a process that was stopped by a signal.
    """
    plan = plan_from(options, scenario, over)
    rows: list[int] = []  # before, and after each task
    stop = np.zeros(1, np.int64)

    try:
        with counting(options.quiet) as count, _stopped_by_signals(stop) as signals:
            _fill(options, plan, stop, rows, count)
    except KeyboardInterrupt:
        if not rows:
            raise
        note(
            f"\nkrcsim: left at once; what {options.into} holds stays, the same command goes on "
            "from there\n"
        )
        raise SystemExit(130) from None

    before, now = rows
    if now < plan.size:
        note(
            f"\nkrcsim: stopped; {options.into} holds {now} of {plan.size} points; the same "
            "command goes on from there\n"
        )
        raise SystemExit(128 + signals[0])

    if before == plan.size:
        say(f"{options.into} is complete: {plan.size} points; nothing was changed")
    else:
        there = f", {before} of them from before" if before else ""
        say(f"{options.into} holds all {plan.size} points{there}")


def _fill(
    options: Sweep,
    plan: "Plan",
    stop: "Stop",
    rows: list[int],
    count: Callable[[int, int], None] | None,
) -> None:
    """Work on the plan until it is done or stopped; `rows` gets the points that were there before,
    and those that are there now.
    """
    from krcsim.sweeps.run import sweep_into

    def progress(done: int, size: int) -> None:
        rows[:] = [rows[0] if rows else done, done]
        if count:
            count(done, size)

    with contextlib.ExitStack() as stack:
        executor: Any = options.on
        workers: Any = options.workers
        if options.on.startswith("dask"):
            from krcsim.sweeps.cluster import dask_executor

            address = options.on.partition(":")[2]
            executor, workers = stack.enter_context(dask_executor(address, workers))

        sweep_into(
            options.into,
            plan,
            executor=executor,
            workers=workers,
            progress=progress,
            stop=stop,
            say=lambda text: note(f"\nkrcsim: {text}\n"),
        )


@contextlib.contextmanager
def _stopped_by_signals(stop: "Stop") -> Iterator[list[int]]:
    """The first Ctrl-C (or the SIGTERM of a batch system) asks to stop, a second Ctrl-C leaves at
    once. Yields the signals that came.
    """
    seen: list[int] = []

    def ask_to_stop(number: int, _: object) -> None:
        seen.append(number)
        stop[0] = 1
        signal.signal(number, before[signal.Signals(number)])

    before = {n: signal.signal(n, ask_to_stop) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


VERB = Verb(Sweep, run, check)
