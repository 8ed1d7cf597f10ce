# SPDX-License-Identifier: GPL-2.0-only
"""Before the first picture: is the engine compiled for this machine, and how long does it take?"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import krcsim.engine
from krcsim.runs.replications import warm_up

COMPILE_S = 60.0  # about what a machine of today takes
LOAD_S = 2.0  # what loading takes; who waits longer waits for the compiler
LOADING = "Loading the engine: about 2 s"
EACH_S = 0.5  # between two steps of the progress bar

_is_ready = threading.Event()


def seconds_to_wait() -> float:
    """About how long until the engine runs: 0 once it ran, little if its compiled code is kept."""
    if _is_ready.is_set():
        return 0.0

    folder = Path(krcsim.engine.__path__[0])
    newest_source = max(path.stat().st_mtime for path in folder.glob("*.py"))
    kept = [path.stat().st_mtime for path in folder.glob("__pycache__/*.nbc")]
    return LOAD_S if kept and max(kept) > newest_source else COMPILE_S


def sentence(seconds: float) -> str:
    """What a picture waits for, and how long."""
    if seconds <= LOAD_S:
        return LOADING
    return f"Compiling the engine for this machine: about {seconds:.0f} s, once"


def get_ready(on_progress: Callable[[float], object]) -> None:
    """Compile or load the engine, in a worker's thread; does nothing if it is there.

    on_progress(share) is called about twice a second with the share of the time that has passed, 0
    to 0.95.
    """
    if _is_ready.is_set():
        return

    begun, expected = monotonic(), max(LOAD_S, seconds_to_wait())
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(EACH_S):
            with suppress(RuntimeError):  # the event loop was closed: nobody is left to see it
                on_progress(min(0.95, (monotonic() - begun) / expected))

    reporter = threading.Thread(target=report, name="krcsim-compile", daemon=True)
    reporter.start()
    try:
        warm_up()
    finally:
        ended.set()
        reporter.join()

    _is_ready.set()
