# SPDX-License-Identifier: GPL-2.0-only
"""One run, and the ladder of replications on which every question climbs."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import refuse
from krcsim.base.fields import check_whole, is_real
from krcsim.model.scenario import Scenario
from krcsim.runs.replications import Replications, replicate

# replications on rung 0, doubled by each further one: answers depend on scenario, seed and rung
# only
FIRST_RUNG = 8
MAX_RUNG = 14
DEFAULT_RUNG = 10
BOUND_RUNG = 6  # without a single wait up to here the answer is a bound
PRECISION = 0.1
SEED = 20200404
_CHUNK = 4  # replications of one go; two processors share the first rung
Progress = Callable[[int, int], None]
Stop = NDArray[np.int64]
Have = dict[Scenario, Replications]  # what was run already


def replications_at(rung: int) -> int:
    """Replications on a rung of the ladder."""
    return FIRST_RUNG << rung


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
    firsts = range(first, total, _CHUNK)
    with ThreadPoolExecutor(max(1, min(workers or processors(), len(firsts)))) as pool:
        try:
            return list(
                pool.map(partial(work, stop=halt), firsts, (min(n + _CHUNK, total) for n in firsts))
            )
        except BaseException:  # Ctrl-C too: the threads would count on to the end otherwise
            halt[0] = 1
            raise


def check_study(seed: int, precision: float, max_rung: int) -> None:
    """Raise FieldError for a seed, a precision or a rung that cannot be used."""
    check_whole("seed", seed, 2**63 - 1, "give another seed")
    refuse(
        not (is_real(precision) and 0 < precision < 1),
        "precision",
        precision,
        "a number above 0 and below 1",
        "0.1 asks for a half width of 10 % of the value",
    )
    check_whole("max_rung", max_rung, MAX_RUNG, f"rung r has {FIRST_RUNG} * 2**r replications")
