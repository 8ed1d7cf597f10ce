# SPDX-License-Identifier: GPL-2.0-only
"""Replications of a scenario: more and more of them, 8, 16, 32, ..., on all processors."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import refuse
from krcsim.base.fields import check_whole, is_real
from krcsim.model.scenario import Scenario
from krcsim.runs.replications import Replications, replicate

# The replications of the first step, which each further step doubles: an answer depends on
# scenario, seed and number of replications only.
FIRST_RUNS = 8
MOST_RUNS = 131_072
DEFAULT_RUNS = 8192
BOUND_RUNS = 512  # without a single wait in so many the answer is a bound
PRECISION = 0.1
SEED = 20200404
# Replications of one go: two processors share the first step. Each go makes its arrays anew, so
# with many replications it is longer; a thread still has some goes, so that none waits for another.
_FEWEST, _MOST, _GOES = 4, 32, 8
Progress = Callable[[int, int], None]
Stop = NDArray[np.int64]
Have = dict[Scenario, Replications]  # what was run already


def steps(max_runs: int) -> Iterator[int]:
    """The numbers of replications of a study, one step after another: 8, 16, 32, ... max_runs."""
    runs = FIRST_RUNS
    while runs <= max_runs:
        yield runs
        runs *= 2


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def extend(
    scenario: Scenario,
    seed: int,
    have: Replications | None,
    total: int,
    *,
    every_call: bool = False,
    stop: Stop | None = None,
    workers: int | None = None,
    by_episode: int = 0,
) -> Replications:
    """Replications 0 .. total - 1, of which `have` are there already; with one worker in the
    caller's thread.
    """
    if have is not None and len(have) >= total:
        return have
    work = partial(replicate, scenario, seed, every_call=every_call, by_episode=by_episode)
    more = in_chunks(work, len(have or ()), total, stop, workers)
    return sum(more, have) if have is not None else sum(more[1:], more[0])


def in_chunks(
    work: Callable[..., Any], first: int, total: int, stop: Stop | None, workers: int | None
) -> list[Any]:
    """work(first, last, stop=...) for replications first .. total - 1, a few a go on threads, in
    their order.
    """
    if workers == 1:
        return [work(first, total, stop=stop)]
    halt = np.zeros(1, np.int64) if stop is None else stop
    threads = workers or processors()
    a_go = min(_MOST, max(_FEWEST, (total - first) // (_GOES * threads)))
    firsts = range(first, total, a_go)
    with ThreadPoolExecutor(max(1, min(threads, len(firsts)))) as pool:
        try:
            return list(
                pool.map(partial(work, stop=halt), firsts, (min(n + a_go, total) for n in firsts))
            )
        except BaseException:  # Ctrl-C too: the threads would count on to the end otherwise
            halt[0] = 1
            raise


def check_study(seed: int, precision: float = PRECISION, max_runs: int = DEFAULT_RUNS) -> None:
    """Raise FieldError for a seed, a precision or a number of replications that cannot be used."""
    check_whole("seed", seed, 2**63 - 1, "give another seed")
    refuse(
        not (is_real(precision) and 0 < precision < 1),
        "precision",
        precision,
        "a number above 0 and below 1",
        "0.1 asks for a half width of 10 % of the value",
    )
    check_runs(max_runs)


def check_runs(max_runs: int) -> None:
    """Raise FieldError unless a number of replications is 8, 16, 32, ... or 131072."""
    whole = isinstance(max_runs, int) and not isinstance(max_runs, bool)
    inside = whole and FIRST_RUNS <= max_runs <= MOST_RUNS
    if inside and max_runs in steps(max_runs):
        return

    remedy = f"{DEFAULT_RUNS} is the default"
    if inside:
        below = max(steps(max_runs))
        remedy = f"take {below} or {2 * below}"
    refuse(
        True,
        "max_runs",
        max_runs,
        f"{FIRST_RUNS}, {2 * FIRST_RUNS}, {4 * FIRST_RUNS}, ... doubled up to {MOST_RUNS}",
        remedy,
    )
