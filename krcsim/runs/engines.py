# SPDX-License-Identifier: GPL-2.0-only
"""Which engine a run needs, compiled or loaded.

The engine is written once and compiled in up to four versions: without what most scenarios do not
have, or with everything; and each without or with importance sampling. The first is there in
seconds.
"""

import ast
import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.base.syntax import no_garbage_collection
from krcsim.engine.random_streams import UNLIMITED
from krcsim.engine.records import World
from krcsim.runs import linking
from krcsim.runs.compiled_cache import is_kept, whole
from krcsim.runs.engine_source import digest_of, entry_of, trees_of
from krcsim.runs.waiting import announce

OPTIONS: dict[str, Any] = dict(nogil=True, error_model="numpy")  # 1 / 0 is infinite, as in NumPy
INNER: dict[str, Any] = OPTIONS | dict(no_cpython_wrapper=True, no_cfunc_wrapper=True)

# What a scenario may have, and the values of the engine's fields from begin to end if it has not.
FEATURES: dict[str, dict[str, int | float]] = {
    "bursts": dict(has_bursts=0),
    "calls of a recording": dict(has_recorded_calls=0),
    "a rate that changes": dict(rate_pieces=0, reuse_follows_rate=0),
    "memory as pages": dict(has_page_memory=0, deferred_objects_count=0, has_shrinker=0),
    "callers that allocate": dict(has_live_objects=0, has_growth=0, reclaim_rate=0.0),
    "a refill worker": dict(has_refill_worker=0, misses_are_eventful=0),
    "readers": dict(reader_section=0.0),
    "blocks with cookies": dict(has_ready_blocks=0),
    "waiters that the grace-period kthread wakes": dict(wakes_by_gp=0, gps_end_at_once=0),
    "sheaves": dict(sheaf_entries=0),
    "several sizes of objects": dict(nr_sizes=1),
    "each call an event": dict(takes_every_call=0),
    "an event log": dict(log_capacity=0),
}
NO_COPIES = dict(makes_copies=0, bias=0, level_count=0, max_plan_calls=UNLIMITED)
NOTHING_OF_THESE = functools.reduce(lambda one, other: one | other, FEATURES.values())


@dataclass(frozen=True, eq=False)
class Version:
    """A version of the engine: its entry point, and fields of its records that are constants."""

    name: str
    entry: str  # a function of engine/entry_points.py
    constants: Mapping[str, int | float]
    compile_s: float  # seconds that it takes about to compile, on a processor of its own
    compile_plain_s: float  # and in numba's own way


LIGHT = Version("light", "run", NOTHING_OF_THESE | NO_COPIES, 6.0, 12.0)
FULL = Version("full", "run", NO_COPIES, 8.0, 25.0)
LIGHT_COPIES = Version("light_copies", "run_with_copies", NOTHING_OF_THESE, 8.0, 25.0)
FULL_COPIES = Version("full_copies", "run_with_copies", {}, 11.0, 50.0)
VERSIONS = (LIGHT, FULL, LIGHT_COPIES, FULL_COPIES)


def version_for(worlds: NDArray[Any]) -> Version:
    """The version that a run needs: `worlds`, of dtype World, the run and then its copies."""
    world = worlds[0]
    names = World.dtype.names or ()
    light = all(
        world[field] == value for field, value in NOTHING_OF_THESE.items() if field in names
    )
    if len(worlds) > 1:
        return LIGHT_COPIES if light else FULL_COPIES
    return LIGHT if light else FULL


def engine(version: Version) -> Callable[[NDArray[Any]], Any]:
    """A version of the engine, compiled or loaded; the first call takes seconds.

    Raises KrcsimError if it can be kept nowhere.
    """
    if version.name not in _engines:
        with _locks[version.name]:  # in one thread, for all
            if version.name not in _engines:
                _engines[version.name] = _load(version)
    found: Callable[[NDArray[Any]], Any] = _engines[version.name]
    return found


def is_compiled(version: Version) -> bool:
    """Whether a version is there already, in memory or on disk, so that nobody has to wait."""
    if version.name in _engines:
        return True
    in_one_piece = linking.is_wanted()
    make = functools.partial(_decorated, version, in_one_piece)
    return is_kept(make, _digest(version, in_one_piece)[0])


def compile_seconds(version: Version) -> float:
    """About how long compiling a version takes, in seconds, on a processor of its own."""
    return version.compile_s if linking.is_wanted() else version.compile_plain_s


def compile_in_background(*versions: Version) -> None:
    """Compile what is not there yet in a process of its own: this one is not held up, and finds it
    on disk later.
    """
    missing = [version.name for version in versions if not is_compiled(version)]
    if missing:
        process = subprocess.Popen(
            [sys.executable, "-m", "krcsim.runs.compile", *missing],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _background.append(process)


_engines: dict[str, Any] = {}
_background: list[Any] = []  # processes that compile; nobody waits for them
_locks = {version.name: threading.Lock() for version in VERSIONS}


def _load(version: Version) -> Any:
    if not linking.is_wanted():
        return _compiled(version, in_one_piece=False)
    try:
        return _compiled(version, in_one_piece=True)
    except KrcsimError:
        raise
    except Exception as error:  # numba's inside is not what it was
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        announce(
            f"the engine cannot be compiled in one piece ({reason}); numba's own way is slower"
        )
        return _compiled(version, in_one_piece=False)


def _compiled(version: Version, *, in_one_piece: bool) -> Any:
    """A version from disk, or else compiled and kept there."""

    def answers(function: Any) -> bool:
        return int(function(np.zeros(0, World.dtype))) == number

    name, number = _digest(version, in_one_piece)
    make = functools.partial(_decorated, version, in_one_piece)
    types = (numba.typeof(np.zeros(1, World.dtype)),)
    if is_kept(make, name):
        return whole(make, types, name, check=answers, say=announce)

    seconds = version.compile_s if in_one_piece else version.compile_plain_s
    announce(f"compiling the engine for this machine: about {seconds:.0f} s where it is idle, once")
    with no_garbage_collection():  # what is made here stays: looking takes a tenth of it
        return whole(make, types, name, check=answers, say=announce)


@functools.cache
def _trees(version: Version) -> Mapping[str, ast.Module]:
    return trees_of(version.constants, version.entry)


@functools.cache
def _digest(version: Version, in_one_piece: bool) -> tuple[str, int]:
    """What tells this version, as it is compiled here, from all others: a name, and a number."""
    text = digest_of(_trees(version), in_one_piece, sys.version, np.__version__, *linking.target())
    return f"{version.name}_{text[:16]}", int(text[:14], 16)


def _decorated(version: Version, in_one_piece: bool) -> Any:
    """The entry point of a version, to be compiled on its first call and kept on disk."""
    name, number = _digest(version, in_one_piece)
    inner = INNER | (dict(pipeline_class=linking.InnerCompiler) if in_one_piece else {})
    outer = OPTIONS | (dict(pipeline_class=linking.EntryCompiler) if in_one_piece else {})
    entry = entry_of(_trees(version), version.entry, name, number, numba.njit(**inner))
    return numba.njit(cache=True, **outer)(entry)
