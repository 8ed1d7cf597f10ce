# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim sweep --into FILE`: a large sweep from a shell, with a bar, stopped and gone on with at
will.
"""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, shown
from krcsim.base.fields import check_whole
from krcsim.base.files import is_there
from krcsim.base.old_names import runs_on_rung
from krcsim.cli.given import pairs, value_of
from krcsim.cli.streams import note, on_terminal
from krcsim.cli.streams import say as answer
from krcsim.model.scenario import Scenario
from krcsim.runs.ladder import Stop
from krcsim.sweeps.plan import Plan, plan_of

_ONLY = dict(
    sample=[], points=0, quantity=[], window=None, method="auto", workers=0, on="threads"
)  # with --into
_NEVER = "out json pin by_episode remedies overwrite".split()  # with it


def check_sweep(args: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if not args.into:
        for name in (name for name, default in _ONLY.items() if getattr(args, name) != default):
            raise KrcsimError(f"--{name} of sweep needs a table to write to; add --into FILE")
        return
    if args.budget is not None:
        raise KrcsimError(
            "--budget does not go with --into, where each point is asked by itself; leave it out"
        )
    for name in (name for name in _NEVER if getattr(args, name)):
        raise KrcsimError(
            f"--{name.replace('_', '-')} does not go with --into; leave it out: the table holds "
            "the plan "
            "and all answers"
        )
    if (
        args.on.split(":")[0] not in ("threads", "processes", "dask")
        or ":" in args.on
        and args.on[:5] != "dask:"
    ):
        raise KrcsimError(
            f"--on is {shown(args.on)}; allowed: threads, processes, dask, dask:ADDRESS"
        )
    check_whole("--workers", args.workers, 99_999, "leave it out for all CPUs")
    if not is_there(Path(args.into)) and not Path(args.into).parent.is_dir():
        raise KrcsimError(f"{Path(args.into).parent} is not a folder; make it, or choose another")


def plan_from(args: argparse.Namespace, scenario: Scenario, over: dict[str, list[Any]]) -> Plan:
    """The plan that the arguments ask for; raises KrcsimError."""
    sample = {
        name: tuple(map(value_of, text.split(":")))
        for name, text in pairs("--sample", args.sample).items()
    }
    return plan_of(
        scenario,
        over,
        sample=sample,
        points=args.points,
        quantities=tuple(args.quantity) or ("p_wait",),
        window=args.window,
        seed=args.seed,
        precision=args.precision,
        max_runs=runs_on_rung(args.max_rung),
        method=args.method,
    )


def run_into(args: argparse.Namespace, scenario: Scenario, over: dict[str, list[Any]]) -> None:
    """Fill the table, or go on with it."""
    from krcsim.sweeps.progress import bar
    from krcsim.sweeps.run import sweep_into

    plan = plan_from(args, scenario, over)
    rows: list[int] = []  # before, and after each task
    told = bar(sys.stderr)

    def progress(done: int, size: int) -> None:
        rows[:] = [rows[0] if rows else done, done]
        if not args.quiet:
            told(done, size)

    def say(text: str) -> None:
        note(f"\nkrcsim: {text}\n")

    stop = np.zeros(1, np.int64)
    try:
        with contextlib.ExitStack() as stack:
            executor: Any = args.on
            workers: Any = args.workers
            if args.on.startswith("dask"):
                from krcsim.sweeps.cluster import dask_executor

                executor, workers = stack.enter_context(dask_executor(args.on[5:], workers))
            signals = stack.enter_context(_ended_by(stop))
            sweep_into(
                args.into,
                plan,
                executor=executor,
                workers=workers,
                progress=progress,
                stop=stop,
                say=say,
            )
    except KrcsimError:
        if rows and on_terminal() and not args.quiet:
            note("\n")  # the bar stays
        raise
    except KeyboardInterrupt:
        if not rows:
            raise
        note(
            f"\nkrcsim: left at once; what {args.into} holds stays, the same command goes on from "
            "there\n"
        )
        raise SystemExit(130) from None
    if rows[1] < plan.size:
        note(
            f"\nkrcsim: stopped; {args.into} holds {rows[1]} of {plan.size} points; the same "
            "command "
            "goes on from there\n"
        )
        raise SystemExit(128 + signals[0])
    if rows[0] == plan.size:
        answer(f"{args.into} is complete: {plan.size} points; nothing was changed")
    else:
        answer(
            f"{args.into} holds all {plan.size} points"
            + (f", {rows[0]} of them from before" if rows[0] else "")
        )


@contextlib.contextmanager
def _ended_by(stop: Stop) -> Iterator[list[int]]:
    """The first Ctrl-C (or the SIGTERM of a batch system) asks to stop, a second Ctrl-C leaves at
    once.
    """
    seen: list[int] = []

    def ask(number: int, _: object) -> None:
        seen.append(number)
        stop[0] = 1
        signal.signal(number, before[signal.Signals(number)])

    before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)
